/** A large project: how long its upload takes, and a guest's join. */
import type { Account } from "./accounts.ts";
import { Call, type Participant } from "./call.ts";
import { ENTRIES_PER_MESSAGE, tree } from "./messages.ts";
import type { ServerProcess } from "./process.ts";
import { clientFrame, handshake, RawSocket } from "./raw_socket.ts";
import type { Row } from "./report.ts";
import { encode, messageInfo } from "../proto/mod.ts";
import { message, payloadField } from "../rpc/frame.ts";
import { delay } from "@std/async/delay";

/** How large the benchmark is. */
export interface UploadOptions {
  readonly entries: number;
  /** Times that a project is uploaded and joined. */
  readonly runs: number;
}

/** Guests: who joins first, who joins later, and who reads everything. */
const GUESTS = 3;

/** Uploads a tree and lets guests join. The targets are those of 50,000 entries. */
export async function benchUpload(
  parley: ServerProcess,
  bare: ServerProcess,
  accounts: readonly Account[],
  { entries, runs }: UploadOptions,
): Promise<Row[]> {
  const call = await Call.start(parley.url, accounts.slice(0, GUESTS + 1));
  const [first, later, checker] = call.others as [Participant, Participant, Participant];
  const bareHost = await RawSocket.open(
    bare.url,
    handshake(new URL("/host", bare.url), {}),
    () => {},
  );
  // Beforehand, since nobody reads what the host receives once it is only counted.
  const projects: bigint[] = [];
  for (let run = 0; run < runs; run++) projects.push(await call.share());
  const uploads: number[] = [];
  const bareUploads: number[] = [];
  const joins: number[] = [];
  const laterJoins: number[] = [];
  for (let run = 0; run < runs; run++) {
    const projectId = projects[run] as bigint;
    const messages = tree(projectId, entries);
    await delay(300);
    bareUploads.push(await upload(bareHost, messages));
    uploads.push(await upload(call.host.socket, messages));
    joins.push(await join(first.socket, projectId, messages.length + 1));
    laterJoins.push(await join(later.socket, projectId, messages.length + 1));
    if (run === runs - 1) await verify(checker, projectId, entries);
  }
  bareHost.close();
  call.close();
  const scale = entries / 50_000;
  const name = entries.toLocaleString("en");
  // The fastest: whatever else the machine does can only make it slower.
  const [ours, theirs] = [Math.min(...uploads), Math.min(...bareUploads)];
  const [joined, joinedLater] = [Math.min(...joins), Math.min(...laterJoins)];
  return [
    {
      what: `Upload of a project of ${name} entries`,
      target: `≤ ${1 * scale} s`,
      parley: `${(ours / 1000).toFixed(2)} s`,
      bare: `${(theirs / 1000).toFixed(2)} s, stores nothing`,
      ratio: (ours / theirs).toFixed(1),
      reached: ours <= 1000 * scale,
    },
    {
      what: "A guest's join of it, the first",
      target: `≤ ${0.15 * scale} s`,
      parley: `${(joined / 1000).toFixed(3)} s; a later one ${(joinedLater / 1000).toFixed(3)} s`,
      bare: "-",
      ratio: "-",
      reached: joined <= 150 * scale,
    },
  ];
}

/** Milliseconds for messages each of which waits for the answer of the one before. */
export async function upload(socket: RawSocket, messages: readonly Uint8Array[]): Promise<number> {
  let answered = Promise.withResolvers<void>();
  socket.count(() => answered.resolve());
  const start = performance.now();
  for (const frame of messages) {
    answered = Promise.withResolvers<void>();
    socket.sendFrames(frame);
    await answered.promise;
  }
  return performance.now() - start;
}

/** Milliseconds from asking to the last of that many messages. */
export async function join(
  socket: RawSocket,
  projectId: bigint,
  messages: number,
): Promise<number> {
  const field = payloadField(
    messageInfo("JoinProject").tag as number,
    encode("JoinProject", { projectId }),
  );
  const request = clientFrame(message(1000, -1, -1, 0, field));
  const all = Promise.withResolvers<void>();
  let missing = messages;
  socket.count((count) => {
    missing -= count;
    if (missing <= 0) all.resolve();
  });
  const start = performance.now();
  socket.sendFrames(request);
  await all.promise;
  return performance.now() - start;
}

/** One guest reads what the others only count: the tree has to be whole. */
export async function verify(
  { peer }: Participant,
  projectId: bigint,
  entries: number,
): Promise<void> {
  const seen = new Set<bigint>();
  const last = Promise.withResolvers<void>();
  peer.onMessage("UpdateWorktree", ({ updatedEntries, isLastUpdate }) => {
    if (updatedEntries.length > ENTRIES_PER_MESSAGE) {
      last.reject(new Error(`Got a chunk of ${updatedEntries.length} entries`));
    }
    for (const { id } of updatedEntries) seen.add(id);
    if (isLastUpdate) last.resolve();
  });
  await peer.request("JoinProject", { projectId });
  await last.promise;
  if (seen.size !== entries) throw new Error(`Got ${seen.size} of ${entries} entries`);
}
