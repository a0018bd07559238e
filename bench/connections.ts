/** Many connections: how fast they are let in, and what memory each takes. */
import type { Account } from "./accounts.ts";
import { signInRequest } from "./call.ts";
import type { ServerProcess } from "./process.ts";
import { handshake, RawSocket } from "./raw_socket.ts";
import { median, type Row } from "./report.ts";
import { delay } from "@std/async/delay";

/** Handshakes at a time: a server refuses more than 512. [rooms 0] */
const AT_ONCE = 400;
/** Handshakes at a time when memory is measured: a crowd leaves garbage that is nobody's. */
const A_FEW = 16;
/** What a connection is told when it signs in: `Hello` and its contacts. [rooms 4.2] */
const GREETINGS = 2;
/** Connections that are let in and go before anything is measured. */
const WARM_UP = 200;
/** Milliseconds after which memory has settled. */
const SETTLE = 3_000;

interface Flood {
  readonly perSecond: number;
  /** Microseconds of the server's processor time for each connection. */
  readonly cpu: number;
  /** Bytes of the server's memory for each connection. */
  readonly memory: number;
}

/** Lets all accounts in, first a few at a time, then all at once several times. Servers have to be new. */
export async function benchConnections(
  parley: ServerProcess,
  bare: ServerProcess,
  accounts: readonly Account[],
  rounds: number,
): Promise<Row[]> {
  const all = {
    parley: accounts.map((account) => signInRequest(parley.url, account)),
    bare: accounts.map(() => handshake(new URL("/idle", bare.url), {})),
  };
  await flood(bare, all.bare.slice(0, WARM_UP), A_FEW, 0);
  await flood(parley, all.parley.slice(0, WARM_UP), A_FEW, 0);
  const theirMemory = (await flood(bare, all.bare, A_FEW, SETTLE)).memory / 1024;
  const memory = (await flood(parley, all.parley, A_FEW, SETTLE)).memory / 1024;
  const theirs: Flood[] = [];
  const ours: Flood[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(await flood(bare, all.bare, AT_ONCE, 0));
    ours.push(await flood(parley, all.parley, AT_ONCE, 0));
  }
  const [rate, theirRate] = [rateOf(ours), rateOf(theirs)];
  const count = accounts.length.toLocaleString("en");
  return [
    {
      what: `Memory of an idle signed-in connection, ${count} of them`,
      target: "≤ 48 KB",
      parley: `${memory.toFixed(0)} KB`,
      bare: `${theirMemory.toFixed(0)} KB`,
      ratio: (memory / theirMemory).toFixed(2),
      reached: memory <= 48,
    },
    {
      what: `${count} authenticated WebSocket connections at once`,
      target: "≥ 2,000/s",
      parley: rateText(ours),
      bare: rateText(theirs),
      ratio: `${Math.round(rate / theirRate * 100)} %`,
      reached: rate >= 2000,
    },
  ];
}

function rateOf(floods: readonly Flood[]): number {
  return median(floods.map(({ perSecond }) => perSecond));
}

function rateText(floods: readonly Flood[]): string {
  const cpu = median(floods.map((one) => one.cpu));
  const each = Number.isNaN(cpu) ? "" : `, ${cpu.toFixed(0)} µs of CPU each`;
  return `${Math.round(rateOf(floods)).toLocaleString("en")}/s${each}`;
}

async function flood(
  server: ServerProcess,
  requests: readonly Uint8Array[],
  atOnce: number,
  settle: number,
): Promise<Flood> {
  const memoryBefore = await server.memory();
  const cpuBefore = await server.cpu();
  const sockets: RawSocket[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < requests.length) {
      sockets.push(await greeted(server, requests[next++] as Uint8Array));
    }
  }));
  const perSecond = requests.length * 1000 / (performance.now() - start);
  const cpu = (await server.cpu() - cpuBefore) * 1000 / requests.length;
  await delay(settle);
  const memory = (await server.memory() - memoryBefore) / requests.length;
  for (const socket of sockets) socket.close();
  await delay(500);
  return { perSecond, cpu, memory };
}

/** A connection that has got all that a new one is told. */
async function greeted(server: ServerProcess, request: Uint8Array): Promise<RawSocket> {
  const all = Promise.withResolvers<void>();
  let missing = GREETINGS;
  const socket = await RawSocket.open(server.url, request, (count) => {
    missing -= count;
    if (missing <= 0) all.resolve();
  });
  await all.promise;
  return socket;
}
