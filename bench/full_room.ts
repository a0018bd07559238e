/** A full room: what a join, a leave and a change cost when everybody is told of it. */
import { encode, messageInfo } from "../proto/mod.ts";
import { message, payloadField } from "../rpc/frame.ts";
import type { Account } from "./accounts.ts";
import { Call, type Participant } from "./call.ts";
import type { ServerProcess } from "./process.ts";
import { clientFrame } from "./raw_socket.ts";
import { median, type Row } from "./report.ts";

/** How large the room is. */
export interface FullRoomOptions {
  readonly participants: number;
  readonly projects: number;
  /** Times that each thing is done. */
  readonly rounds: number;
}

/** What one processor of the server may spend on telling everybody, milliseconds. [design 1.8] */
const LIMIT = 5;

/** Counts the messages of many sockets together. */
class Tally {
  #missing = 0;
  #reached: (() => void) | undefined;

  constructor(participants: readonly Participant[]) {
    for (const { socket } of participants) socket.count((count) => this.#take(count));
  }

  /** Resolves when so many more have arrived. To be called before what brings them. */
  more(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#missing = count;
    this.#reached = resolve;
    return promise;
  }

  #take(count: number): void {
    this.#missing -= count;
    if (this.#missing > 0) return;
    this.#reached?.();
    this.#reached = undefined;
  }
}

/** Milliseconds and processor time of the server for one thing that is told to everybody. */
interface Cost {
  readonly elapsed: number;
  readonly cpu: number;
}

/**
 * Fills a room, and lets its projects be shared by different people. The last participant comes and
 * goes, another one looks elsewhere; both are waited for at everybody.
 */
export async function benchFullRoom(
  parley: ServerProcess,
  accounts: readonly Account[],
  { participants, projects, rounds }: FullRoomOptions,
): Promise<Row[]> {
  const call = await Call.start(parley.url, accounts.slice(0, participants));
  const all = [call.host, ...call.others];
  for (const [index, { peer }] of all.slice(0, projects).entries()) {
    await peer.request("ShareProject", {
      roomId: call.roomId,
      worktrees: [{ id: 1n, rootName: `project${index}`, visible: true, absPath: `/p${index}` }],
    });
  }
  const guest = all.at(-1) as Participant;
  const watching = all.slice(1, -1);
  const guestId = BigInt((accounts[participants - 1] as Account).id);
  // Whatever is still on its way belongs to the preparation.
  for (const { peer } of watching) await peer.request("Ping", {});
  const tally = new Tally(watching);
  const [mover] = watching as [Participant];
  const move = clientFrame(message(10_000, -1, -1, 0, locationField(call.roomId)));

  const changes = await measure(parley, rounds, async () => {
    const told = tally.more(watching.length + 1);
    const start = performance.now();
    mover.socket.sendFrames(move);
    await told;
    return performance.now() - start;
  });
  const [leaves, joins]: [number[], number[]] = [[], []];
  const both = await measure(parley, rounds, async () => {
    const told = tally.more(watching.length);
    let start = performance.now();
    await Promise.all([guest.peer.request("LeaveRoom", {}), told]);
    leaves.push(performance.now() - start);
    const rung = tally.more(watching.length);
    await call.host.peer.request("Call", { roomId: call.roomId, calledUserId: guestId });
    await rung;
    const joined = tally.more(watching.length);
    start = performance.now();
    await Promise.all([guest.peer.request("JoinRoom", { id: call.roomId }), joined]);
    joins.push(performance.now() - start);
    return joins.at(-1) as number;
  });
  call.close();
  const who = `room of ${participants} with ${projects} projects`;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const row = (what: string, elapsed: number, cpu: number): Row => ({
    what: `${what}, ${who}, until everybody knows`,
    target: `≤ ${LIMIT} ms of CPU`,
    parley: `${ms(elapsed)}; ${ms(cpu)} of CPU`,
    bare: "-",
    ratio: "-",
    reached: cpu <= LIMIT,
  });
  return [
    row("A change", changes.elapsed, changes.cpu),
    // Leave, ring and join are told alike; the processor's clock is too coarse to tell them apart.
    row("A join", median(joins), both.cpu / 3),
    row("A leave", median(leaves), both.cpu / 3),
  ];
}

async function measure(
  parley: ServerProcess,
  rounds: number,
  once: () => Promise<number>,
): Promise<Cost> {
  const before = await parley.cpu();
  const elapsed: number[] = [];
  for (let round = 0; round < rounds; round++) elapsed.push(await once());
  return { elapsed: median(elapsed), cpu: (await parley.cpu() - before) / rounds };
}

function locationField(roomId: bigint): Uint8Array {
  return payloadField(
    messageInfo("UpdateParticipantLocation").tag as number,
    encode("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } }),
  );
}
