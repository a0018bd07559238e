/**
 * A client that comes back to all its notes in one request: what makes the whole fail is looked at
 * first, so that an error has moved nobody. [channels 8.6] [channels 18]
 */
import { decode, type Init, type MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { decoding } from "../decoding.ts";
import type { Inbound, NotesStanding } from "../refs/mod.ts";
import { answerError, refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";

type Known = MessageTypes["ChannelBufferVersion"];

export function rejoinNotes(system: ActorSystem, inbound: Inbound): void {
  try {
    decoding(inbound, () => ask(system, inbound));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    refuse(system, inbound, error);
  }
}

/** Asks the trees of all channels how the user stands to their notes. */
function ask(system: ActorSystem, inbound: Inbound): void {
  const { connection } = inbound;
  const { buffers } = decode("RejoinChannelBuffers", inbound.payload);
  const entries = [...new Map(buffers.map((one) => [one.channelId, one])).values()];
  const trees = entries.map(({ channelId }) => {
    const tree = system.registry.channels.get(Number(channelId));
    if (tree === undefined) throw RpcError.coded("NoSuchChannel");
    return tree;
  });
  gather<NotesStanding | undefined>(
    trees.map((tree, at) => (answer) =>
      tree.tell({
        type: "channel.notes_asked",
        channelId: Number((entries[at] as Known).channelId),
        userId: connection.userId,
        answer,
      }, 0)
    ),
    (standings) => {
      const error = errorOf(standings);
      if (error === undefined) {
        rejoin(system, inbound, entries.filter((_, at) => standings[at] === "reader"));
      } else answerError(inbound, error);
    },
  );
}

/** What makes the whole request fail; a user without a role only misses the entry. */
function errorOf(standings: readonly (NotesStanding | undefined)[]): RpcError | undefined {
  if (standings.includes("no channel")) return RpcError.coded("NoSuchChannel");
  if (standings.includes("no notes")) {
    return RpcError.internal("there are no notes in one of these channels");
  }
  return undefined;
}

function rejoin(
  system: ActorSystem,
  { connection, requestId }: Inbound,
  entries: readonly Known[],
): void {
  let last = 0;
  gather<Init<MessageTypes["RejoinedChannelBuffer"]> | undefined>(
    entries.map((known) => (answer) =>
      system.notes(Number(known.channelId)).tell({
        type: "notes.rejoin",
        connection,
        known,
        answer: (rejoined, gate) => {
          last = Math.max(last, gate);
          // The answer to all may be out: its client comes back once more.
          system.journal.afterCommit(gate, (stored) => {
            if (!stored) connection.drop("error");
          });
          answer(rejoined);
        },
      }, 0)
    ),
    (answers) => {
      const buffers = answers.filter((one) => one !== undefined);
      const field = fieldOf("RejoinChannelBuffersResponse", { buffers });
      connection.outbox.push(field, requestId, last);
      for (const { channelId, collaborators = [] } of buffers) {
        system.registry.notes.get(Number(channelId))
          ?.tell({ type: "notes.rejoin_told", key: connection.key, collaborators }, 0);
      }
    },
  );
}

/** Asks all at once, and goes on when each has answered. */
function gather<T>(
  questions: readonly ((answer: (value: T) => void) => void)[],
  done: (answers: readonly T[]) => void,
): void {
  const answers: T[] = [];
  let open = questions.length;
  if (open === 0) return done(answers);
  for (const [at, question] of questions.entries()) {
    question((value) => {
      answers[at] = value;
      if (--open === 0) done(answers);
    });
  }
}
