/** Events of one agent's thread to four subscribers: how many a second, and how soon each. */
import { delay } from "@std/async/delay";
import { AgentHost } from "../client/agent_host.ts";
import type { Account } from "./accounts.ts";
import { signIn } from "./call.ts";
import type { ServerProcess } from "./process.ts";
import { quantile, type Row } from "./report.ts";

const SUBSCRIBERS = 4;
const TEXT = "a few words of an answer, ".repeat(2);

/** How long the benchmark may take. */
export interface AgentsOptions {
  /** Events of the measurement of rate. */
  readonly events: number;
  /** Events of the measurement of latency, 100 a second. */
  readonly paced: number;
}

/**
 * Milliseconds of one write to the disk, 100 a second: an event is stored before it is told, and may
 * wait 10 ms for others besides, so nothing is delivered sooner than this and that allow.
 */
async function syncTimes(count: number): Promise<number[]> {
  const path = await Deno.makeTempFile({ prefix: "parley-bench-sync-" });
  const times: number[] = [];
  try {
    using file = await Deno.open(path, { write: true });
    const page = new Uint8Array(12 << 10);
    for (let i = 0; i < count; i++) {
      const begun = performance.now();
      await file.write(page);
      await file.syncData();
      times.push(performance.now() - begun);
      await delay(Math.max(0, 10 - (performance.now() - begun)));
    }
  } finally {
    await Deno.remove(path);
  }
  return times;
}

/** Measures with chunks, which are batched, and with events that go at once. */
export async function benchAgents(
  parley: ServerProcess,
  account: Account,
  { events, paced }: AgentsOptions,
): Promise<Row[]> {
  const { peer } = await signIn(parley.url, account);
  const host = new AgentHost({ hostId: crypto.randomUUID(), name: "bench" });
  await host.attach(peer);
  const threadId = crypto.randomUUID();
  host.publish({ threadId, threadCreated: { title: "bench" } });
  await host.settled();
  const reached: number[] = [];
  let hear = (_subscriber: number, _seq: number) => {};
  for (let index = 0; index < SUBSCRIBERS; index++) {
    const subscriber = (await signIn(parley.url, account)).peer;
    reached[index] = 1;
    subscriber.onMessage("AgentEventNotification", (message) => {
      reached[index] = Number(message.events.at(-1)?.seq ?? reached[index]);
      hear(index, reached[index]!);
    });
    await subscriber.request("SubscribeToAgentEvents", {
      subscriberId: crypto.randomUUID(),
      threadId,
      cursors: [{ threadId, afterSeq: 1n }],
    });
  }
  let published = 1;
  const publishOne = (isChunk: boolean) => {
    published++;
    if (isChunk) host.publish({ threadId, messageChunk: { messageId: "m", text: TEXT } });
    else host.publish({ threadId, planUpdated: { entries: [{ content: TEXT }] } });
  };
  const allHeard = async () => {
    while (reached.some((seq) => seq < published)) await delay(1);
  };
  const rate = async (isChunk: boolean) => {
    const cpu = await parley.cpu();
    const begun = performance.now();
    for (let sent = 0; sent < events;) {
      await host.room(4_000);
      for (let i = 0; i < 500 && sent < events; i++, sent++) publishOne(isChunk);
    }
    await host.settled();
    await allHeard();
    const seconds = (performance.now() - begun) / 1000;
    return { perSecond: events / seconds, cpu: (await parley.cpu() - cpu) * 1000 / events };
  };
  const row = (what: string, { perSecond, cpu }: { perSecond: number; cpu: number }): Row => ({
    what,
    target: "≥ 10,000/s",
    parley: `${Math.round(perSecond).toLocaleString("en")} events/s, ${
      cpu.toFixed(1)
    } µs of CPU each`,
    bare: "",
    ratio: "",
    reached: perSecond >= 10_000,
  });
  await rate(true);
  const chunks = await rate(true);
  const others = await rate(false);

  const times: number[] = [];
  const sentAt: number[] = [];
  const from = published;
  const next = reached.map(() => from + 1);
  hear = (subscriber, seq) => {
    const now = performance.now();
    for (; next[subscriber]! <= seq; next[subscriber]!++) {
      times.push(now - (sentAt[next[subscriber]! - from - 1] as number));
    }
  };
  const begun = performance.now();
  for (let index = 0; index < paced; index++) {
    const wait = begun + index * 10 - performance.now();
    if (wait > 0) await delay(wait);
    sentAt.push(performance.now());
    publishOne(true);
  }
  await allHeard();
  peer.close();
  const p99 = quantile(times, 0.99);
  const disk = await syncTimes(Math.min(paced, 500));
  const diskP99 = quantile(disk, 0.99);
  return [
    row(`Agent's chunks, one thread, ${SUBSCRIBERS} subscribers`, chunks),
    row(`Agent's other events, one thread, ${SUBSCRIBERS} subscribers`, others),
    {
      what: `Agent's chunks at 100/s to ${SUBSCRIBERS} subscribers, p99`,
      target: "≤ 20 ms",
      parley: `${p99.toFixed(1)} ms (p50 ${quantile(times, 0.5).toFixed(1)} ms)`,
      bare: `the disk alone, a sync of 12 KiB: ${diskP99.toFixed(1)} ms (p50 ${
        quantile(disk, 0.5).toFixed(1)
      } ms)`,
      ratio: (p99 / diskP99).toFixed(1),
      reached: p99 <= 20,
    },
  ];
}
