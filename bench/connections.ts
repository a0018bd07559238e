/** Many connections: how fast they are let in, and what memory each takes. */
import type { Account } from "./accounts.ts";
import { signInRequest } from "./call.ts";
import type { ServerProcess } from "./process.ts";
import { handshake, RawSocket } from "./raw_socket.ts";
import { median, type Row } from "./report.ts";
import { delay } from "@std/async/delay";

/** Handshakes at a time: a server refuses more than 512. [rooms 0] */
const AT_ONCE = 400;
/** What a connection is told when it signs in: `Hello` and its contacts. [rooms 4.2] */
const GREETINGS = 2;
/** Connections that are let in and go before anything is measured. */
const WARM_UP = 200;
/** Milliseconds after which memory has settled. */
const SETTLE = 3_000;

interface Flood {
  readonly perSecond: number;
  /** Bytes of the server's memory for each connection. */
  readonly memory: number;
}

/** Lets all accounts in at once, several times. Servers have to be new. */
export async function benchConnections(
  parley: ServerProcess,
  bare: ServerProcess,
  accounts: readonly Account[],
  rounds: number,
): Promise<Row[]> {
  const requests = {
    parley: accounts.map((account) => signInRequest(parley.url, account)),
    bare: accounts.map(() => handshake(new URL("/idle", bare.url), {})),
  };
  const measured: { parley: Flood; bare: Flood }[] = [];
  await flood(bare, requests.bare.slice(0, WARM_UP), 0);
  await flood(parley, requests.parley.slice(0, WARM_UP), 0);
  for (let round = 0; round < rounds; round++) {
    // What is freed in the first round is used again in the next: memory is that of the first.
    const settle = round === 0 ? SETTLE : 0;
    measured.push({
      bare: await flood(bare, requests.bare, settle),
      parley: await flood(parley, requests.parley, settle),
    });
  }
  const first = measured[0] as { parley: Flood; bare: Flood };
  const [ours, theirs] = [first.parley.memory / 1024, first.bare.memory / 1024];
  const rate = median(measured.map((one) => one.parley.perSecond));
  const bareRate = median(measured.map((one) => one.bare.perSecond));
  const count = accounts.length.toLocaleString("en");
  return [
    {
      what: `Memory of an idle signed-in connection, ${count} of them`,
      target: "≤ 48 KB",
      parley: `${ours.toFixed(0)} KB`,
      bare: `${theirs.toFixed(0)} KB`,
      ratio: (ours / theirs).toFixed(2),
      reached: ours <= 48,
    },
    {
      what: `${count} authenticated WebSocket connections at once`,
      target: "≥ 2,000/s",
      parley: `${Math.round(rate).toLocaleString("en")}/s`,
      bare: `${Math.round(bareRate).toLocaleString("en")}/s`,
      ratio: `${Math.round(rate / bareRate * 100)} %`,
      reached: rate >= 2000,
    },
  ];
}

async function flood(
  server: ServerProcess,
  requests: readonly Uint8Array[],
  settle: number,
): Promise<Flood> {
  const before = await server.memory();
  const sockets: RawSocket[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < requests.length) {
      const request = requests[next++] as Uint8Array;
      sockets.push(await greeted(server, request));
    }
  }));
  const perSecond = requests.length * 1000 / (performance.now() - start);
  await delay(settle);
  const memory = (await server.memory() - before) / requests.length;
  for (const socket of sockets) socket.close();
  await delay(500);
  return { perSecond, memory };
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
