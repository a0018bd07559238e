import { assertEquals } from "@std/assert";
import { agentLimits, agentPolicy } from "../../../lib/agent_policy.ts";
import type { MessageTypes } from "../../../proto/mod.ts";
import { chunk, coverage, plan, textOf, uuid } from "../../support/agents.ts";
import { heard, listening, publish, THREAD } from "./agents_world.ts";
import { World } from "./world.ts";

const DAY = 86_400_000;

Deno.test("[agents R5] the first chunk goes at once, later ones together, anything else at once", async () => {
  await using world = await World.start();
  const { host, device } = await listening(world);
  await publish(world, host, chunk(THREAD, "a"));
  assertEquals(textOf(heard(device)), "a");
  for (const text of ["b", "c", "d"]) await publish(world, host, chunk(THREAD, text));
  assertEquals(heard(device), []);
  await world.clock.advanceAsync(agentLimits.chunkPause);
  const joined = heard(device);
  assertEquals(
    joined.map(({ firstSeq, seq, messageChunk }) => [firstSeq, seq, messageChunk?.text]),
    [[3n, 5n, "bcd"]],
  );
  // What is not a chunk takes along what waits, in order.
  await publish(world, host, chunk(THREAD, "e"));
  assertEquals(heard(device), []);
  await publish(world, host, plan(THREAD, "p"));
  const both = heard(device);
  assertEquals([coverage(both, 6n), both.length], [7n, 2]);
  // Chunks of different messages are not joined; 1,024 bytes do not wait.
  await publish(world, host, chunk(THREAD, "f", "m2"));
  heard(device);
  await publish(world, host, chunk(THREAD, "x".repeat(1_100), "m2"), chunk(THREAD, "g", "m3"));
  assertEquals(heard(device).map(({ messageChunk }) => messageChunk?.messageId), ["m2", "m3"]);
});

Deno.test("[agents R7] a command that nobody takes for a day fails, and the devices hear of it", async () => {
  await using world = await World.start();
  const { host, device } = await listening(world);
  host.send("RegisterAgentHost", { hostId: uuid("host"), threadIds: [THREAD] });
  await world.settle();
  host.connection.socketClosed();
  device.send("SendAgentMessage", { threadId: THREAD, commandId: uuid("c"), text: "x" });
  await world.settle();
  assertEquals(device.find("AgentCommandResponse").value.delivery, 1);
  device.take();
  await world.clock.advanceAsync(DAY - 120_000);
  assertEquals(heard(device), []);
  await world.clock.advanceAsync(240_000);
  assertEquals(heard(device).map(({ commandFailed }) => commandFailed?.commandId), [uuid("c")]);
  assertEquals(await world.store.load("agent_commands"), []);
});

Deno.test("[agents R8] chunks of a completed message are folded after a day, seqs stay", async () => {
  await using world = await World.start();
  const { host, device } = await listening(world);
  await publish(world, host, chunk(THREAD, "one "), plan(THREAD, "p"), chunk(THREAD, "two"));
  await publish(world, host, { threadId: THREAD, messageCompleted: { messageId: "m1" } });
  await publish(world, host, plan(THREAD, "later"));
  await world.clock.advanceAsync(DAY + 2 * 3_600_000);
  await world.settle();
  const rows = await world.store.load("agent_events");
  assertEquals(rows.map(({ seq }) => seq), [1, 3, 5, 6]);
  const other = await world.connect("alice");
  other.send("SubscribeToAgentEvents", {
    subscriberId: uuid("other"),
    cursors: [{ threadId: THREAD, afterSeq: 1n }],
  });
  await world.settle();
  const { events, gaps } = other.find("SubscribeToAgentEventsResponse")
    .value as unknown as MessageTypes["SubscribeToAgentEventsResponse"];
  assertEquals(events.map(({ seq }) => seq), [3n, 5n, 6n]);
  assertEquals(events[1]?.messageCompleted?.text, "one two");
  assertEquals(gaps, []);
  heard(device);
  await publish(world, host, plan(THREAD, "goes on"));
  assertEquals(heard(device).map(({ seq }) => seq), [7n]);
});

Deno.test("[agents R8] events beyond their days are cut, and what was cut is told as a gap", async () => {
  assertEquals(agentPolicy.retention, 90 * DAY);
  await using world = await World.start(undefined, { agents: { retention: 2 * DAY } });
  const { host } = await listening(world);
  await publish(world, host, plan(THREAD, "old"), plan(THREAD, "old"));
  await world.clock.advanceAsync(1.5 * DAY);
  await publish(world, host, plan(THREAD, "new"));
  await world.clock.advanceAsync(0.6 * DAY);
  await world.settle();
  assertEquals((await world.store.load("agent_events")).map(({ seq }) => seq), [4]);
  const other = await world.connect("alice");
  other.send("SubscribeToAgentEvents", {
    subscriberId: uuid("other"),
    cursors: [{ threadId: THREAD, afterSeq: 1n }],
  });
  await world.settle();
  const { events, gaps } = other.find("SubscribeToAgentEventsResponse")
    .value as unknown as MessageTypes["SubscribeToAgentEventsResponse"];
  assertEquals(events.map(({ seq }) => seq), [4n]);
  assertEquals(gaps, [{ threadId: THREAD, afterSeq: 1n, upToSeq: 3n }]);
});

Deno.test("[agents R4] a subscription ends after 30 days without a sign of life", async () => {
  await using world = await World.start();
  const { device } = await listening(world);
  device.connection.socketClosed();
  await world.clock.advanceAsync(29 * DAY);
  assertEquals((await world.store.load("agent_subscriptions")).length, 1);
  await world.clock.advanceAsync(2 * DAY);
  await world.settle();
  assertEquals(await world.store.load("agent_subscriptions"), []);
});
