/** `AgentEventNotification`s of one connection, each to the subscription that it is for. [agents R4] */
import type { MessageTypes } from "../proto/mod.ts";
import type { AgentLink } from "./agent_link.ts";

type Notification = MessageTypes["AgentEventNotification"];

/** Who hears what: a device hears of each thread once. */
interface Listener {
  readonly subscriberId: string;
  /** One thread; without it all of the user's. */
  readonly threadId: string | undefined;
  take(message: Notification): void;
}

/** By dispatcher, which has one handler of a message; a client and its peers have the same one. */
const listeners = new WeakMap<object, { readonly all: Set<Listener>; release(): void }>();

/**
 * Brings the notifications of a connection that are for a subscription to it.
 *
 * @returns ends it
 * @throws {Error} the device hears of that thread over this connection already
 */
export function listenForEvents(link: AgentLink, listener: Listener): () => void {
  const place = link.dispatcher ?? link;
  let here = listeners.get(place);
  if (here === undefined) {
    const all = new Set<Listener>();
    const release = link.onMessage("AgentEventNotification", (message) => {
      for (const one of [...all]) bring(message, one);
    });
    here = { all, release };
    listeners.set(place, here);
  }
  const { all, release } = here;
  for (const other of all) refuseSecond(other, listener);
  all.add(listener);
  return () => {
    if (!all.delete(listener) || all.size > 0) return;
    release();
    listeners.delete(place);
  };
}

function refuseSecond(other: Listener, { subscriberId, threadId }: Listener): void {
  if (other.subscriberId !== subscriberId) return;
  const { threadId: others } = other;
  if (others !== undefined && threadId !== undefined && others !== threadId) return;
  const what = others === undefined ? "all threads" : `the thread ${others}`;
  throw new Error(
    `Cannot subscribe: the device ${subscriberId} hears of ${what} over this connection already; ` +
      "end that subscription before, or use another subscriber id",
  );
}

function bring(message: Notification, { subscriberId, threadId, take }: Listener): void {
  if (message.subscriberId !== subscriberId) return;
  if (threadId === undefined) return take(message);
  const isOurs = (part: { readonly threadId: string }) => part.threadId === threadId;
  const events = message.events.filter(isOurs);
  const gaps = message.gaps.filter(isOurs);
  if (events.length > 0 || gaps.length > 0) take({ ...message, events, gaps });
}
