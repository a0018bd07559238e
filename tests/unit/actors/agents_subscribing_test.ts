/** Several subscriptions over one connection, and what they have to do with each other. [agents R3, R4] */
import { assertEquals } from "@std/assert";
import type { MessageTypes } from "../../../proto/mod.ts";
import { coverage, created, plan, uuid, type WireEvent } from "../../support/agents.ts";
import { heard, publish, THREAD } from "./agents_world.ts";
import { type Client, World } from "./world.ts";

const OTHER = uuid("other");
const DEVICE = uuid("device");

type Subscribe = Partial<MessageTypes["SubscribeToAgentEvents"]>;

function ask(client: Client, more: Subscribe = {}): number {
  return client.send("SubscribeToAgentEvents", { subscriberId: DEVICE, ...more });
}

/** Two threads of two events, their host, and a device that has not subscribed to anything. */
async function twoThreads(world: World): Promise<{ host: Client; device: Client }> {
  const host = await world.connect("alice");
  const device = await world.connect("alice");
  for (const id of [THREAD, OTHER]) await publish(world, host, created(id), plan(id, "1"));
  return { host, device };
}

function of(threadId: string, events: readonly WireEvent[]): WireEvent[] {
  return events.filter((event) => event.threadId === threadId);
}

/** Answers and notifications in the order in which the device got them: all events. */
function eventsOf(client: Client): WireEvent[] {
  return client.take().flatMap(({ name, value }) =>
    name === "AgentEventNotification" || name === "SubscribeToAgentEventsResponse"
      ? (value as unknown as { readonly events: WireEvent[] }).events
      : []
  );
}

Deno.test("[agents R3] a device that asks for two threads at once hears of both, without hole or double", async () => {
  await using world = await World.start();
  const { host, device } = await twoThreads(world);
  ask(device, { threadId: THREAD });
  ask(device, { threadId: OTHER });
  await publish(world, host, plan(THREAD, "2"), plan(OTHER, "2"));
  await publish(world, host, plan(THREAD, "3"), plan(OTHER, "3"));
  const events = eventsOf(device);
  assertEquals(coverage(of(THREAD, events)), 4n);
  assertEquals(coverage(of(OTHER, events)), 4n);
});

Deno.test("[agents R3] what a device asks about one thread again leaves the others as they are", async () => {
  await using world = await World.start();
  const { host, device } = await twoThreads(world);
  ask(device);
  await world.settle();
  eventsOf(device);
  // It has lost what it knew of this one.
  ask(device, { threadId: OTHER, cursors: [{ threadId: OTHER, afterSeq: 0n }] });
  await publish(world, host, plan(THREAD, "2"), plan(OTHER, "2"));
  await publish(world, host, plan(THREAD, "3"), plan(OTHER, "3"));
  const events = eventsOf(device);
  assertEquals(coverage(of(THREAD, events), 3n), 4n);
  assertEquals(coverage(of(OTHER, events)), 4n);
});

Deno.test("[agents R4] who hears of all threads and wants one no more by itself hears of it as before", async () => {
  await using world = await World.start();
  const { host, device } = await twoThreads(world);
  ask(device);
  await world.settle();
  const cursors = [{ threadId: OTHER, afterSeq: 2n }];
  device.send("AckAgentEvents", { subscriberId: DEVICE, cursors });
  ask(device, { threadId: OTHER });
  await world.settle();
  eventsOf(device);
  device.send("UnsubscribeFromAgentEvents", { subscriberId: DEVICE, threadId: OTHER });
  await publish(world, host, plan(OTHER, "2"));
  assertEquals(coverage(heard(device), 3n), 3n);
  // Also while the answer about that one is on its way.
  ask(device, { threadId: OTHER, limit: 1, cursors: [{ threadId: OTHER, afterSeq: 0n }] });
  await publish(world, host, plan(OTHER, "3"));
  device.take();
  device.send("UnsubscribeFromAgentEvents", { subscriberId: DEVICE, threadId: OTHER });
  await publish(world, host, plan(OTHER, "4"));
  assertEquals(coverage(heard(device), 4n), 5n);
  // What it has acknowledged stays acknowledged.
  const rows = await world.store.load("agent_cursors");
  assertEquals(rows.map(({ thread_id, after_seq }) => [thread_id, after_seq]), [[OTHER, 2]]);
});

Deno.test("[agents R4] two devices over one connection each hear what they want, until they want no more", async () => {
  await using world = await World.start();
  const { host, device } = await twoThreads(world);
  const second = uuid("second");
  ask(device);
  ask(device, { subscriberId: second, threadId: OTHER });
  await world.settle();
  device.take();
  await publish(world, host, plan(THREAD, "2"), plan(OTHER, "2"));
  const told = () => {
    const messages = device.take().filter(({ name }) => name === "AgentEventNotification")
      .map(({ value }) => value as unknown as MessageTypes["AgentEventNotification"]);
    return [DEVICE, second].map((id) =>
      messages.filter(({ subscriberId }) => subscriberId === id)
        .flatMap(({ events }) => events.map(({ threadId }) => threadId)).sort()
    );
  };
  assertEquals(told(), [[THREAD, OTHER].sort(), [OTHER]]);
  device.send("UnsubscribeFromAgentEvents", { subscriberId: DEVICE });
  await publish(world, host, plan(THREAD, "3"), plan(OTHER, "3"));
  assertEquals(told(), [[], [OTHER]]);
});

Deno.test("[agents R4] a subscription to all threads takes the place of those to single ones", async () => {
  await using world = await World.start();
  const { device } = await twoThreads(world);
  ask(device, { threadId: THREAD });
  ask(device, { threadId: OTHER });
  await world.settle();
  const wanted = async () =>
    (await world.store.load("agent_subscriptions")).map(({ thread_id }) => thread_id).sort();
  assertEquals(await wanted(), [THREAD, OTHER].sort());
  ask(device);
  await world.settle();
  assertEquals(await wanted(), [""]);
});
