/** Questions to a host that are answered in pieces: streams, and the search of 2026. [projects 8.4, 9.6] */
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import { RequestError } from "../../client/errors.ts";
import { ConnectionClosedError } from "../../client/errors.ts";
import { message as rawMessage, payloadField } from "../../rpc/frame.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { type ActionsOf, choose } from "./action.ts";
import type { GuestProject } from "./guest_project.ts";
import type { SimClient } from "./sim_client.ts";

/** Ids of answers that are written by hand, beyond those of the peer's own messages. */
const FIRST_ID = 1 << 24;

/** A host's side: answers its guests' questions. */
export function handleQueries(client: SimClient): void {
  const { dispatcher } = client;
  let nextId = FIRST_ID;
  const answer = <N extends MessageName>(to: number, name: N, value: Init<MessageTypes[N]>) => {
    const field = payloadField(messageInfo(name).tag as number, encode(name, value));
    client.link?.client.send(rawMessage(nextId++, to, -1, 0, field));
  };
  dispatcher.onMessage("SearchCommits", ({ projectId, query }, { id }) => {
    const { link } = client;
    const count = query.length;
    const next = (sent: number) => {
      if (client.link !== link || !client.isOnline) return;
      if (!client.hosted.has(projectId)) {
        return answer(id, "Error", { code: 0, message: "this project is not shared any more" });
      }
      if (sent === count) return answer(id, "EndStream", {});
      answer(id, "SearchCommitsResponse", { shas: [`${sent}`] });
      client.sim.clock.setTimeout(() => next(sent + 1), 15);
    };
    next(0);
  });
  dispatcher.onRequest("FindSearchCandidates", ({ projectId, handle }, { originalSenderId }) => {
    if (!client.hosted.has(projectId)) throw new Error(`Project ${projectId} is not shared`);
    client.quietly(Promise.resolve().then(() => find(client, projectId, handle, originalSenderId)));
    return {};
  });
  dispatcher.onMessage("FindSearchCandidatesCancelled", () => {});
  dispatcher.onRequest("FindSearchCandidatesChunk", ({ projectId, handle, matches, done }) => {
    client.joined.get(projectId)?.searchAnswered(handle, matches?.bufferIds, done !== undefined);
    return {};
  });
}

/** Each piece once the one before is acknowledged. [projects 9.6] */
async function find(
  client: SimClient,
  projectId: bigint,
  handle: bigint,
  peerId: PeerId | undefined,
): Promise<void> {
  const to = { projectId, peerId, handle };
  for (const id of [1n, 2n]) {
    await client.ask("FindSearchCandidatesChunk", { ...to, matches: { bufferIds: [id] } });
  }
  await client.ask("FindSearchCandidatesChunk", { ...to, done: {} });
}

/** A guest's side of a stream: the pieces come in order, whole up to its end. */
async function readStream(
  client: SimClient,
  project: GuestProject,
  query: string,
  leaveAt: number,
): Promise<void> {
  client.pending++;
  let count = 0;
  try {
    const stream = client.peer.stream("SearchCommits", {
      projectId: project.id,
      repositoryId: 1n,
      query,
      caseSensitive: false,
    });
    for await (const { shas } of stream) {
      client.sim.equal(`piece ${count} of ${client.name}'s stream`, shas, [`${count}`]);
      if (++count === leaveAt) break;
    }
    if (count !== leaveAt) client.sim.equal(`${client.name}'s stream`, count, query.length);
    client.sim.count("SearchCommits done");
  } catch (error) {
    if (error instanceof RequestError) client.sim.count(`SearchCommits refused: ${error.reason}`);
    else if (error instanceof ConnectionClosedError) client.sim.count("SearchCommits lost");
    else throw error;
  } finally {
    client.pending--;
  }
}

export const queryActions: Pick<
  ActionsOf<"guests">,
  "searchCommits" | "abandonStream" | "searchProject"
> = {
  searchCommits(client, [a, b]) {
    const project = joined(client, a);
    if (project !== undefined) {
      client.quietly(readStream(client, project, "q".repeat(b % 6), -1));
    }
  },
  // It reads some, and wants no more. [transport 2.5]
  abandonStream(client, [a, b]) {
    const project = joined(client, a);
    if (project !== undefined) {
      client.quietly(readStream(client, project, "q".repeat(5), 1 + b % 4));
    }
  },
  searchProject(client, [a, b]) {
    const project = joined(client, a);
    if (project !== undefined) project.search(b % 4 === 3);
  },
};

function joined(client: SimClient, number: number): GuestProject | undefined {
  return choose([...client.joined.values()].filter(({ attached }) => attached), number);
}
