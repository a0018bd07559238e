/** Limits of agents' threads: what waits how long, how much is kept, who is held up by whom. */
import { assert, assertEquals } from "@std/assert";
import { agentLimits } from "../../../lib/agent_policy.ts";
import type { MessageTypes } from "../../../proto/mod.ts";
import {
  chunk,
  coverage,
  created,
  plan,
  textOf,
  uuid,
  type WireEvent,
} from "../../support/agents.ts";
import { device, heard, listening, publish, THREAD, whole } from "./agents_world.ts";
import { type Client, World } from "./world.ts";

function notifications(client: Client): MessageTypes["AgentEventNotification"][] {
  return client.take().filter(({ name }) => name === "AgentEventNotification")
    .map(({ value }) => value as unknown as MessageTypes["AgentEventNotification"]);
}

function answered(client: Client): MessageTypes["SubscribeToAgentEventsResponse"] {
  return client.find("SubscribeToAgentEventsResponse")
    .value as unknown as MessageTypes["SubscribeToAgentEventsResponse"];
}

Deno.test("[agents R5] without batching each chunk goes at once and by itself", async () => {
  await using world = await World.start(undefined, { agents: { batching: false } });
  const { host, device: listener } = await listening(world);
  for (const text of ["a", "b", "c"]) await publish(world, host, chunk(THREAD, text));
  await publish(world, host, chunk(THREAD, "d"), chunk(THREAD, "e"));
  const events = heard(listener);
  assertEquals(events.map(({ firstSeq, seq }) => [firstSeq, seq]), [
    [undefined, 2n],
    [undefined, 3n],
    [undefined, 4n],
    [undefined, 5n],
    [undefined, 6n],
  ]);
  assertEquals(textOf(events), "abcde");
});

Deno.test("[agents R5] chunks wait while the connection is not idle, 50 ms at most", async () => {
  await using world = await World.start();
  const { host, device: listener } = await listening(world);
  await publish(world, host, chunk(THREAD, "a"));
  assertEquals(textOf(heard(listener)), "a");
  // Something waits in the socket, less than what holds everything up.
  listener.socket.bufferedAmount = 100;
  for (let sent = 0; sent < agentLimits.chunkPatience; sent += 10) {
    await publish(world, host, chunk(THREAD, "b"));
    assertEquals(heard(listener), [], `${sent} ms`);
    await world.clock.advanceAsync(sent + 10 < agentLimits.chunkPatience ? 10 : 9);
  }
  assertEquals(heard(listener), []);
  await world.clock.advanceAsync(1);
  const late = heard(listener);
  assertEquals([coverage(late, 3n), late.length, textOf(late)], [7n, 1, "bbbbb"]);
  // It becomes idle earlier: nothing waits for the 50 ms.
  await publish(world, host, chunk(THREAD, "c"));
  await world.clock.advanceAsync(agentLimits.chunkPause);
  assertEquals(heard(listener), []);
  listener.socket.bufferedAmount = 0;
  await world.clock.advanceAsync(agentLimits.chunkPause);
  assertEquals(textOf(heard(listener)), "c");
  // Anything else does not wait, and takes along what does.
  listener.socket.bufferedAmount = 100;
  await publish(world, host, chunk(THREAD, "d"));
  assertEquals(heard(listener), []);
  await publish(world, host, plan(THREAD, "now"));
  assertEquals(coverage(heard(listener), 9n), 10n);
});

Deno.test("[agents R5] each device has its own batches, whatever another one's connection does", async () => {
  await using world = await World.start();
  const { host, device: idle } = await listening(world);
  const busy = await device(world, "busy", 1);
  await publish(world, host, chunk(THREAD, "a"));
  heard(idle);
  heard(busy);
  busy.socket.bufferedAmount = 100;
  await world.clock.advanceAsync(agentLimits.chunkPause);
  await publish(world, host, chunk(THREAD, "b"));
  assertEquals([textOf(heard(idle)), textOf(heard(busy))], ["b", ""]);
  // 1,024 bytes do not wait.
  await publish(world, host, chunk(THREAD, "x".repeat(agentLimits.chunkBytes)));
  assertEquals([coverage(heard(idle), 4n), coverage(heard(busy), 3n)], [4n, 4n]);
});

Deno.test("[agents R8] a thread keeps so many events, the oldest go, and a gap tells of them", async () => {
  await using world = await World.start(undefined, { agents: { retainedEvents: 100 } });
  const { host, device: listener } = await listening(world);
  for (let sent = 1; sent < 300; sent += 13) {
    await publish(world, host, ...Array.from({ length: 13 }, (_, i) => plan(THREAD, `${i}`)));
  }
  const rows = await world.store.load("agent_events");
  const [thread] = await world.store.load("agent_threads");
  const last = thread!.last_seq;
  assert(rows.length >= 100 && rows.length <= 110, `${rows.length} events are kept`);
  assertEquals(rows.map(({ seq }) => seq), rows.map((_, i) => last - rows.length + 1 + i));
  assertEquals(thread!.first_seq, rows[0]!.seq);
  // Who hears of it live misses nothing.
  assertEquals(coverage(heard(listener), 2n), BigInt(last));
  const late = await device(world, "late", 5);
  const { events, gaps } = answered(late);
  assertEquals(gaps, [{
    threadId: THREAD,
    afterSeq: 5n,
    upToSeq: BigInt(thread!.first_seq - 1),
  }]);
  assertEquals(coverage(events, BigInt(thread!.first_seq)), BigInt(last));
  // Cursors behind the cut are none the wiser.
  const fresh = await device(world, "fresh", last - 3);
  assertEquals([answered(fresh).gaps, answered(fresh).events.length], [[], 3]);
});

Deno.test("[agents R8] events that are cut under a device that does not read are told to it as a gap", async () => {
  await using world = await World.start(undefined, { agents: { retainedEvents: 100 } });
  const { host, device: slow } = await listening(world);
  slow.socket.bufferedAmount = 1 << 20;
  for (let part = 0; part < 6; part++) {
    await publish(world, host, ...Array.from({ length: 100 }, (_, i) => plan(THREAD, `${i}`)));
  }
  assertEquals(heard(slow), []);
  slow.socket.bufferedAmount = 0;
  await world.clock.advanceAsync(100);
  const told = notifications(slow);
  const gaps = told.flatMap((one) => one.gaps);
  assertEquals(gaps.map(({ afterSeq }) => afterSeq), [1n]);
  assertEquals(coverage(told.flatMap((one) => one.events), gaps[0]!.upToSeq + 1n), 601n);
});

Deno.test("[agents R3] a device that does not read holds up nobody, and gets everything once it does", async () => {
  await using world = await World.start();
  const { host, device: quick } = await listening(world);
  const slow = await device(world, "slow", 1);
  slow.take();
  slow.socket.stuck = true;
  const text = "x".repeat(2_000);
  const seen: WireEvent[] = [];
  for (let part = 0; part < 10; part++) {
    await publish(world, host, ...Array.from({ length: 300 }, () => plan(THREAD, text)));
    const events = heard(quick);
    assertEquals(coverage(events, 2n + BigInt(part) * 300n), 1n + BigInt(part + 1) * 300n);
    host.take();
  }
  // What it has not taken waits in the database: 6 MB of events, of which it holds a part.
  assert(slow.socket.bufferedAmount < 2 << 20, `${slow.socket.bufferedAmount} bytes wait`);
  assertEquals(slow.socket.closed, undefined);
  assert(world.actors.metrics.agentSubscriberLag.read() > 2_000);
  for (let look = 0; look < 200 && (seen.at(-1)?.seq ?? 0n) < 3_001n; look++) {
    slow.socket.drain();
    slow.socket.stuck = true;
    await world.clock.advanceAsync(10);
    seen.push(...heard(slow));
  }
  assertEquals(coverage(seen, 2n), 3_001n);
  assertEquals(world.actors.metrics.agentSubscriberLag.read(), 0);
});

Deno.test("[issue 7 load] who is far behind catches up page by page, what happens meanwhile reaches the others and his other threads", async () => {
  await using world = await World.start();
  const { host, device: quick } = await listening(world);
  const slow = await device(world, "slow", 1);
  slow.take();
  slow.socket.bufferedAmount = 1 << 20;
  for (let part = 0; part < 10; part++) {
    await publish(world, host, ...Array.from({ length: 1_000 }, (_, i) => plan(THREAD, `${i}`)));
  }
  heard(quick);
  slow.socket.bufferedAmount = 0;
  const other = uuid("other");
  // Behind the first page something happens, here and in another thread.
  let pages = 0;
  let pagesAtQuick: number | undefined;
  const [send, sendToQuick] = [slow.socket.send, quick.socket.send];
  slow.socket.send = (bytes) => {
    send.call(slow.socket, bytes);
    if (++pages !== 1) return;
    const events = whole(created(other), plan(THREAD, "now"));
    queueMicrotask(() => host.send("PublishAgentEvents", { events }));
  };
  quick.socket.send = (bytes) => {
    sendToQuick.call(quick.socket, bytes);
    pagesAtQuick ??= pages;
  };
  await world.clock.advanceAsync(100);
  const seen = heard(slow);
  assertEquals(coverage(seen.filter(({ threadId }) => threadId === THREAD), 2n), 10_002n);
  const place = seen.findIndex(({ threadId }) => threadId === other);
  assert(place >= 0 && place < 5_000, `the other thread is told as number ${place}`);
  assert(pagesAtQuick! < pages / 2, `the others are told behind ${pagesAtQuick} of ${pages} pages`);
});

Deno.test("[agents R3] pages of large events stay small, in notifications and answers", async () => {
  await using world = await World.start();
  const { host, device: slow } = await listening(world);
  slow.socket.bufferedAmount = 1 << 20;
  const text = "x".repeat(200 << 10);
  for (let sent = 0; sent < 40; sent++) await publish(world, host, plan(THREAD, text));
  const late = await world.connect("alice");
  const seen: WireEvent[] = [];
  for (let hasMore = true; hasMore;) {
    late.take();
    late.send("SubscribeToAgentEvents", {
      subscriberId: uuid("late"),
      cursors: [{ threadId: THREAD, afterSeq: seen.at(-1)?.seq ?? 0n }],
    });
    await world.settle();
    const answer = answered(late);
    assert(answer.events.length <= 10, `${answer.events.length} events of 200 KiB in one answer`);
    seen.push(...answer.events);
    ({ hasMore } = answer);
  }
  assertEquals(coverage(seen), 41n);
  // The one that was slow takes a page, and the rest as it reads.
  slow.socket.bufferedAmount = 0;
  slow.socket.stuck = true;
  const told: WireEvent[] = [];
  for (let look = 0; look < 100 && (told.at(-1)?.seq ?? 0n) < 41n; look++) {
    await world.clock.advanceAsync(10);
    assert(slow.socket.bufferedAmount < 3 << 20, `${slow.socket.bufferedAmount} bytes wait`);
    told.push(...heard(slow));
    slow.socket.drain();
    slow.socket.stuck = true;
  }
  assertEquals(coverage(told, 2n), 41n);
});
