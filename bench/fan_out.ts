/** What a host sends reaches the guests: how many deliveries a second, and how soon each. */
import type { Account } from "./accounts.ts";
import { Call, type Participant } from "./call.ts";
import { typing } from "./messages.ts";
import type { ServerProcess } from "./process.ts";
import { handshake, RawSocket } from "./raw_socket.ts";
import { quantile, type Row } from "./report.ts";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";

/** Messages that the host sends before it waits for answers. */
const UNANSWERED = 64;
/** Different messages, sent round and round. */
const MESSAGES = 2048;
const LATENCY_GUESTS = 8;
const LATENCY_ROUNDS = 3;
/** Milliseconds between two messages when latency is measured: 200 a second. */
const INTERVAL = 5;
/** Milliseconds that the last answers, and the last deliveries, may take: no figure of any row. */
const PATIENCE = 60_000;
const GUEST_COUNTS: readonly number[] = [1, 8, 32];

/** Milliseconds that the clients sleep before they read again. */
const REST = 0.2;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** One sender and its receivers, on either server. */
interface Group {
  readonly server: ServerProcess;
  readonly host: RawSocket;
  readonly guests: readonly RawSocket[];
}

/** Messages one behind the other, so that any run of them is one write. */
class Tape {
  readonly #bytes: Uint8Array;
  readonly #offsets: number[] = [0];
  #next = 0;

  constructor(frames: readonly Uint8Array[]) {
    let length = 0;
    for (const frame of frames) this.#offsets.push(length += frame.length);
    this.#bytes = new Uint8Array(length);
    for (const [index, frame] of frames.entries()) {
      this.#bytes.set(frame, this.#offsets[index] as number);
    }
  }

  send(socket: RawSocket, count: number): void {
    for (let left = count; left > 0;) {
      const end = Math.min(this.#next + left, this.#offsets.length - 1);
      socket.sendFrames(this.#bytes.subarray(this.#offsets[this.#next], this.#offsets[end]));
      left -= end - this.#next;
      this.#next = end === this.#offsets.length - 1 ? 0 : end;
    }
  }
}

/** How long the benchmark may take. */
export interface FanOutOptions {
  /** Times that each server is measured, in turn. */
  readonly rounds: number;
  /** Milliseconds of one time. */
  readonly window: number;
  /** Messages of the measurement of latency. */
  readonly messages: number;
}

/** Measures both servers, first with one guest, then with more. */
export async function benchFanOut(
  parley: ServerProcess,
  bare: ServerProcess,
  accounts: readonly Account[],
  options: FanOutOptions,
): Promise<Row[]> {
  const rates: Row[] = [];
  const latencies: Row[] = [];
  const most = Math.max(...GUEST_COUNTS);
  const call = await Call.start(parley.url, accounts.slice(0, most + 1));
  const projectId = await call.share();
  const tape = new Tape(typing(projectId, MESSAGES));
  const bareHost = await openBare(bare, "/host");
  const bareGuests: RawSocket[] = [];
  for (const count of GUEST_COUNTS) {
    while (bareGuests.length < count) {
      const { peer } = call.others[bareGuests.length] as Participant;
      await peer.request("JoinProject", { projectId });
      bareGuests.push(await openBare(bare, "/guest"));
    }
    const groups = {
      parley: {
        server: parley,
        host: call.host.socket,
        guests: call.others.slice(0, count).map(socketOf),
      },
      bare: { server: bare, host: bareHost, guests: bareGuests },
    };
    // What joining has caused must not be counted.
    await delay(300);
    rates.push(await rateRow(groups.parley, groups.bare, tape, options));
    if (count === LATENCY_GUESTS) {
      latencies.push(...await latencyRows(groups.parley, groups.bare, tape, options));
    }
  }
  for (const socket of [bareHost, ...bareGuests]) socket.close();
  call.close();
  return [...rates, ...latencies];
}

function socketOf({ socket }: { readonly socket: RawSocket }): RawSocket {
  return socket;
}

function openBare(bare: ServerProcess, path: string): Promise<RawSocket> {
  return RawSocket.open(bare.url, handshake(new URL(path, bare.url), {}), () => {});
}

async function rateRow(
  parley: Group,
  bare: Group,
  tape: Tape,
  { rounds, window }: FanOutOptions,
): Promise<Row> {
  await rate(bare, tape, window / 2);
  await rate(parley, tape, window / 2);
  const measured: { parley: Rate; bare: Rate }[] = [];
  for (let round = 0; round < rounds; round++) {
    measured.push({
      bare: await rate(bare, tape, window),
      parley: await rate(parley, tape, window),
    });
  }
  const [ours, theirs] = [best(measured.map((m) => m.parley)), best(measured.map((m) => m.bare))];
  const ratio = ours.perSecond / theirs.perSecond;
  const guests = parley.guests.length;
  return {
    what: `Forwarded \`UpdateBuffer\`, ${guests} guest${guests === 1 ? "" : "s"}`,
    target: "≥ 60 % of bare",
    parley: rateText(ours),
    bare: rateText(theirs),
    ratio: `${Math.round(ratio * 100)} %`,
    reached: ratio >= 0.6,
  };
}

interface Rate {
  /** Deliveries a second. */
  readonly perSecond: number;
  /** Microseconds of the server's processor time for each. */
  readonly cpu: number;
}

/** The fastest: whatever else the machine does can only make it slower. */
function best(rates: readonly Rate[]): Rate {
  return rates.reduce((a, b) => b.perSecond > a.perSecond ? b : a);
}

function rateText({ perSecond, cpu }: Rate): string {
  const each = Number.isNaN(cpu) ? "" : `, ${cpu.toFixed(1)} µs of CPU each`;
  return `${Math.round(perSecond).toLocaleString("en")} deliveries/s${each}`;
}

/** What is delivered while the host sends as fast as it gets answers. */
async function rate(
  { server, host, guests }: Group,
  tape: Tape,
  window: number,
): Promise<Rate> {
  const over = Promise.withResolvers<void>();
  let isOn = true;
  let unanswered = UNANSWERED;
  let delivered = 0;
  let sent = UNANSWERED;
  for (const guest of guests) guest.count((messages) => delivered += messages);
  host.count((messages) => {
    unanswered -= messages;
    if (!isOn) {
      if (unanswered === 0) over.resolve();
      return;
    }
    // Asleep rather than waiting for input: a server should not spend its time on waking this process
    // for each message, as it need not where clients are on other machines.
    Atomics.wait(sleeper, 0, 0, REST);
    unanswered += messages;
    sent += messages;
    tape.send(host, messages);
  });
  const cpuBefore = await server.cpu();
  const start = performance.now();
  tape.send(host, UNANSWERED);
  await delay(window);
  const perSecond = delivered * 1000 / (performance.now() - start);
  const cpu = (await server.cpu() - cpuBefore) * 1000 / delivered;
  isOn = false;
  await deadline(over.promise, PATIENCE);
  for (let waited = 0; delivered < sent * guests.length; waited += 20) {
    if (waited > PATIENCE) {
      throw new Error(`Lost ${sent * guests.length - delivered} of ${sent} messages to guests`);
    }
    await delay(20);
  }
  return { perSecond, cpu };
}

async function latencyRows(
  parley: Group,
  bare: Group,
  tape: Tape,
  { rounds, messages }: FanOutOptions,
): Promise<Row[]> {
  const times: { readonly parley: number[]; readonly bare: number[] }[] = [];
  for (let round = 0; round < Math.min(rounds, LATENCY_ROUNDS); round++) {
    times.push({
      bare: await latencies(bare, tape, messages),
      parley: await latencies(parley, tape, messages),
    });
  }
  return ([["p50", 0.5, 0.5], ["p99", 0.99, 2]] as const).map(([name, share, target]) => {
    const ours = Math.min(...times.map((one) => quantile(one.parley, share)));
    const theirs = Math.min(...times.map((one) => quantile(one.bare, share)));
    return {
      what: `Latency at 200 updates/s to ${LATENCY_GUESTS} guests, ${name}`,
      target: `≤ ${target} ms`,
      parley: `${ours.toFixed(2)} ms`,
      bare: `${theirs.toFixed(2)} ms`,
      ratio: (ours / theirs).toFixed(2),
      reached: ours <= target,
    };
  });
}

/** Milliseconds from writing a message to reading it, of each delivery. */
async function latencies(
  { host, guests }: Group,
  tape: Tape,
  messages: number,
): Promise<number[]> {
  const sentAt: number[] = [];
  const times: number[] = [];
  for (const guest of guests) {
    let next = 0;
    guest.count((count) => {
      const now = performance.now();
      for (let left = count; left > 0; left--) times.push(now - (sentAt[next++] as number));
    });
  }
  host.count(() => {});
  const start = performance.now();
  for (let index = 0; index < messages; index++) {
    const wait = start + index * INTERVAL - performance.now();
    if (wait > 0) await delay(wait);
    sentAt.push(performance.now());
    tape.send(host, 1);
  }
  await delay(200);
  return times;
}
