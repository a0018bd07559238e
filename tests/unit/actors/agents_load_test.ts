/** Many threads, and a device that is far behind: the part of [agents R11] that no clock measures. */
import { assert, assertEquals } from "@std/assert";
import { agentLimits } from "../../../lib/agent_policy.ts";
import type { MessageTypes } from "../../../proto/mod.ts";
import { coverage, created, plan, uuid, type WireEvent } from "../../support/agents.ts";
import { heard, listening, publish, THREAD } from "./agents_world.ts";
import { type Client, World } from "./world.ts";

const BEHIND = 100_000;
/** What a connection may have waiting before it is sent no more, and what one page adds, bytes. */
const MOST_WAITING = (256 << 10) + (128 << 10);
/** Events of a thread that the memory keeps. */
const IN_MEMORY = 4_096;

type Answer = MessageTypes["SubscribeToAgentEventsResponse"];

/** Publishes a thousand at a time; the quick device has each thousand before the next. */
async function publishBehind(world: World, host: Client, quick: Client): Promise<void> {
  for (let sent = 0; sent < BEHIND; sent += 1_000) {
    // A user's hosts have a rate.
    world.clock.advance(1_000);
    await publish(world, host, ...Array.from({ length: 1_000 }, (_, i) => plan(THREAD, `${i}`)));
    host.take();
    assertEquals(coverage(heard(quick), BigInt(sent) + 2n), BigInt(sent) + 1_001n);
  }
}

function outboxOf(client: Client): number {
  return client.connection.outbox.waitingBytes;
}

function assertLittleInMemory(world: World): void {
  const [thread] = [...world.actors.registry.threads.values()].filter(({ id }) => id === THREAD);
  const { storedSeq } = thread!;
  assertEquals(thread!.stored(storedSeq - IN_MEMORY - 1, 1), undefined);
}

Deno.test("[agents R11a] [issue 7 load] a thousand threads of one user live at once, each with every event", async () => {
  await using world = await World.start();
  const { host, device } = await listening(world);
  const ids = Array.from({ length: 1_000 }, (_, i) => uuid("of many", i));
  const seen = new Map(ids.map((id): [string, WireEvent[]] => [id, []]));
  const rounds = [
    created,
    ...Array.from({ length: 9 }, (_, i) => (id: string) => plan(id, `${i}`)),
  ];
  for (const round of rounds) {
    world.clock.advance(1_000);
    await publish(world, host, ...ids.map((id) => round(id)));
    host.take();
    assert(outboxOf(device) <= MOST_WAITING, `${outboxOf(device)} bytes wait`);
    for (const event of heard(device)) seen.get(event.threadId)!.push(event);
  }
  const { threads } = world.actors.registry;
  assertEquals(threads.size, 1_001);
  for (const events of seen.values()) assertEquals(coverage(events), BigInt(rounds.length));
  await world.clock.advanceAsync(2 * agentLimits.threadIdle + 1);
  assertEquals(threads.size, 0);
  await publish(world, host, plan(ids[500]!, "back"));
  assertEquals([threads.size, heard(device).map(({ seq }) => seq)], [1, [
    BigInt(rounds.length) + 1n,
  ]]);
});

Deno.test("[agents R11a] [issue 7 load] who is 100,000 events behind catches up by pages and delays nobody", async () => {
  await using world = await World.start();
  const { host, device: quick } = await listening(world);
  await publishBehind(world, host, quick);
  assertLittleInMemory(world);
  const late = await world.connect("alice");
  late.take();
  const seen: WireEvent[] = [];
  let live = BigInt(BEHIND) + 1n;
  let hasMore = true;
  for (let pages = 0; hasMore; pages++) {
    assert(pages < 200, "too many pages");
    const cursors = seen.length === 0 ? [] : [{ threadId: THREAD, afterSeq: seen.at(-1)!.seq }];
    late.send("SubscribeToAgentEvents", { subscriberId: uuid("late"), cursors });
    // While the page is read, the thread goes on; those who keep up hear of it at once.
    await publish(world, host, plan(THREAD, "live"), plan(THREAD, "live"));
    host.take();
    assertEquals(coverage(heard(quick), live + 1n), live += 2n);
    assert(outboxOf(late) <= MOST_WAITING, `${outboxOf(late)} bytes wait`);
    for (const { name, value, payload } of late.take()) {
      const { events } = value as unknown as Answer;
      if (name === "SubscribeToAgentEventsResponse") {
        assert(payload.length < 2 << 20 && events.length <= 1_000, `${events.length} events`);
        ({ hasMore } = value as unknown as Answer);
      } else assertEquals([name, hasMore], ["AgentEventNotification", false]);
      seen.push(...events);
    }
  }
  assertLittleInMemory(world);
  await publish(world, host, plan(THREAD, "live"));
  seen.push(...heard(late));
  assertEquals(coverage(seen), live + 1n);
});

Deno.test("[agents R11a] [issue 7 load] a device that falls 100,000 events behind holds as much as it reads, no more", async () => {
  await using world = await World.start();
  const { host, device: quick } = await listening(world);
  const slow = await world.connect("alice");
  slow.send("SubscribeToAgentEvents", {
    subscriberId: uuid("slow"),
    cursors: [{ threadId: THREAD, afterSeq: 1n }],
  });
  await world.settle();
  slow.take();
  slow.socket.stuck = true;
  await publishBehind(world, host, quick);
  assertLittleInMemory(world);
  assertEquals(slow.socket.closed, undefined);
  const seen: WireEvent[] = [];
  let live = BigInt(BEHIND) + 1n;
  for (let look = 0; seen.at(-1)?.seq !== live; look++) {
    assert(look < 5_000, `it is at ${seen.at(-1)?.seq} after so many looks`);
    const bytes = slow.socket.bufferedAmount + outboxOf(slow);
    assert(bytes <= 2 * MOST_WAITING, `${bytes} bytes wait`);
    slow.socket.drain();
    slow.socket.stuck = true;
    await world.clock.advanceAsync(10);
    seen.push(...heard(slow));
    if (look % 10 !== 0 || look > 1_000) continue;
    await publish(world, host, plan(THREAD, "live"));
    host.take();
    assertEquals(coverage(heard(quick), live + 1n), ++live);
  }
  assertEquals(coverage(seen, 2n), live);
  assertLittleInMemory(world);
});
