/** Messages by their ids, from any channels. [channels 10.5] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { errorField } from "../../rpc/outbox.ts";
import { checkReads, countedRead } from "../reading.ts";
import type { Inbound } from "../refs/mod.ts";
import { answerUnreadable, refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";
import { pageOf } from "./reading.ts";

/** More ids in one request are refused. */
const MOST_IDS = 1_000;

/** The messages name their channels, and each channel says whether the user may read in it. */
export function getMessagesById(system: ActorSystem, inbound: Inbound): void {
  const { connection, requestId } = inbound;
  const { messageIds } = decode("GetChannelMessagesById", inbound.payload);
  try {
    if (messageIds.length > MOST_IDS) {
      throw RpcError.internal(
        `cannot look up ${messageIds.length} messages at once, at most ${MOST_IDS}`,
      );
    }
    checkReads(connection);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    refuse(system, inbound, error);
    return;
  }
  countedRead(connection, answer(system, connection.userId, messageIds.map(Number))).then(
    ([field, gate]) => connection.outbox.push(field, requestId, gate),
    (error) => answerUnreadable(system, inbound, "Messages", error),
  );
}

async function answer(
  system: ActorSystem,
  userId: number,
  ids: readonly number[],
): Promise<readonly [field: Uint8Array, gate: number]> {
  await system.journal.settled();
  const rows = await system.store.messages.byId(ids.filter(Number.isSafeInteger));
  let last = 0;
  for (const channelId of new Set(rows.map((row) => row.channel_id))) {
    const { may, gate } = await mayRead(system, userId, channelId);
    if (!may) {
      const { code, message } = RpcError.internal("you may not read in all of these channels");
      return [errorField(code, message), gate];
    }
    last = Math.max(last, gate);
  }
  return [fieldOf("GetChannelMessagesResponse", pageOf(rows)), last];
}

function mayRead(
  { registry }: ActorSystem,
  userId: number,
  channelId: number,
): Promise<{ readonly may: boolean; readonly gate: number }> {
  const tree = registry.channels.get(channelId);
  if (tree === undefined) return Promise.resolve({ may: false, gate: 0 });
  return new Promise((resolve) => {
    tree.tell({
      type: "channel.reader_asked",
      channelId,
      userId,
      answer: (may, gate) => resolve({ may, gate }),
    }, 0);
  });
}
