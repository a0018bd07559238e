/** A host and its user's devices in a {@link World}. */
import type { Init, MessageTypes } from "../../../proto/mod.ts";
import { created, uuid, type WireEvent } from "../../support/agents.ts";
import type { Client, World } from "./world.ts";

/** The thread that most tests are about. */
export const THREAD = uuid("thread");

type Event = Init<MessageTypes["AgentEvent"]>;

let count = 0;

/** Makes events whole, so that the same one can be sent again. */
export function whole(...events: readonly Event[]): Event[] {
  return events.map((event) => ({ eventId: uuid("unit event", ++count), ...event }));
}

/** Sends events and lets happen what needs no time. @returns what the server answered */
export async function publish(
  world: World,
  client: Client,
  ...events: readonly Event[]
): Promise<readonly MessageTypes["AgentEventResult"][] | undefined> {
  const id = client.send("PublishAgentEvents", { events: whole(...events) });
  await world.settle();
  return resultsOf(client, id);
}

/** What was answered to a request to publish; undefined when it was an error, or nothing. */
export function resultsOf(
  client: Client,
  id: number,
): readonly MessageTypes["AgentEventResult"][] | undefined {
  const answer = client.socket.messages.find(({ respondingTo }) => respondingTo === id);
  return (answer?.value as unknown as MessageTypes["PublishAgentEventsResponse"] | undefined)
    ?.results;
}

/** The events of notifications since the last look. */
export function heard(client: Client): WireEvent[] {
  return client.take().filter(({ name }) => name === "AgentEventNotification")
    .flatMap(({ value }) => (value as unknown as MessageTypes["AgentEventNotification"]).events);
}

/** Another device of a user, which hears of everything behind `after` of {@link THREAD}. */
export async function device(world: World, name: string, after = 0): Promise<Client> {
  const client = await world.connect("alice");
  client.send("SubscribeToAgentEvents", {
    subscriberId: uuid(name),
    ...(after > 0 && { cursors: [{ threadId: THREAD, afterSeq: BigInt(after) }] }),
  });
  await world.settle();
  return client;
}

/** A thread of one event, its host, and a device that hears of what comes. */
export async function listening(world: World): Promise<{ host: Client; device: Client }> {
  const host = await world.connect("alice");
  await publish(world, host, created(THREAD));
  const listener = await device(world, "device");
  host.take();
  listener.take();
  return { host, device: listener };
}
