/** Making room where events wait that the server has not numbered. [agents 4e] */
import { encode, type MessageTypes } from "../proto/mod.ts";
import { MAX_EVENT_BYTES, type OutgoingAgentEvent } from "./agent_events.ts";

/** An event that waits, and its length on the disk. */
export interface Waiting {
  readonly event: OutgoingAgentEvent;
  readonly bytes: number;
}

/** What became of events that had to be fewer. */
export interface Folded {
  readonly events: readonly Waiting[];
  /** How many were given up. */
  readonly lost: number;
}

export function waiting(event: OutgoingAgentEvent): Waiting {
  return { event, bytes: encode("AgentEvent", event).length };
}

/**
 * Makes them fewer until they have at most `most` bytes: first the chunks of finished messages, oldest
 * first, go into what completes them; then the oldest events are given up, and an event tells of that.
 * A thread's beginning stays.
 */
export function foldWaiting(events: readonly Waiting[], most: number, now: number): Folded {
  const folded = foldMessages(events, bytesOf(events) - most);
  const over = bytesOf(folded) - most;
  return over > 0 ? giveUp(folded, over, now) : { events: folded, lost: 0 };
}

function bytesOf(events: readonly Waiting[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Whole messages only: whose first chunk waits no more is left as it is. */
function foldMessages(events: readonly Waiting[], wanted: number): readonly Waiting[] {
  const ends = new Map<string, number>();
  const chunks = new Map<string, number[]>();
  events.forEach(({ event }, at) => {
    const { threadId, messageChunk, messageCompleted } = event;
    if (messageCompleted !== undefined) {
      ends.set(`${threadId} ${messageCompleted.messageId}`, at);
    } else if (messageChunk !== undefined) {
      const key = `${threadId} ${messageChunk.messageId}`;
      const found = chunks.get(key);
      if (found === undefined) chunks.set(key, [at]);
      else found.push(at);
    }
  });
  const replaced = new Map<number, Waiting | undefined>();
  let saved = 0;
  for (const [key, places] of chunks) {
    if (saved >= wanted) break;
    const end = ends.get(key);
    const completed = end === undefined ? undefined : events[end];
    // A text of its own is that of the whole message already.
    if (completed === undefined || end === undefined) continue;
    const whole =
      completed.event.messageCompleted?.text || completed.event.messageCompleted?.thought
        ? completed
        : joined(completed, places.map((at) => events[at] as Waiting));
    if (whole === undefined) continue;
    for (const at of places) {
      saved += (events[at] as Waiting).bytes;
      replaced.set(at, undefined);
    }
    saved += completed.bytes - whole.bytes;
    replaced.set(end, whole);
  }
  return events.flatMap((one, at) => {
    if (!replaced.has(at)) return [one];
    const other = replaced.get(at);
    return other === undefined ? [] : [other];
  });
}

/** Undefined where one event cannot hold it. */
function joined(completed: Waiting, chunks: readonly Waiting[]): Waiting | undefined {
  const parts = chunks.map(({ event }) => event.messageChunk as Chunk);
  const textOf = (isThought: boolean) =>
    parts.filter(({ thought = false }) => thought === isThought).map(({ text = "" }) => text).join(
      "",
    );
  const { messageId = "" } = completed.event.messageCompleted ?? {};
  const messageCompleted = { messageId, text: textOf(false), thought: textOf(true) };
  const whole = waiting({ ...completed.event, messageCompleted });
  return whole.bytes <= MAX_EVENT_BYTES ? whole : undefined;
}

type Chunk = Partial<MessageTypes["AgentMessageChunk"]>;

/** What was lost of one thread is told where it was lost. */
function giveUp(events: readonly Waiting[], over: number, now: number): Folded {
  const kept: (Waiting | { readonly threadId: string; count: bigint; bytes: bigint })[] = [];
  const gaps = new Map<string, { readonly threadId: string; count: bigint; bytes: bigint }>();
  let saved = 0;
  let lost = 0;
  for (const one of events) {
    const { threadId, threadCreated, eventsLost, sealed } = one.event;
    if (saved >= over || threadCreated !== undefined || sealed?.class === 1) {
      kept.push(one);
      continue;
    }
    let gap = gaps.get(threadId);
    if (gap === undefined) {
      gap = { threadId, count: 0n, bytes: 0n };
      gaps.set(threadId, gap);
      kept.push(gap);
      saved -= GAP_BYTES;
    }
    gap.count += eventsLost?.count ?? 1n;
    gap.bytes += eventsLost?.bytes ?? BigInt(one.bytes);
    saved += one.bytes;
    if (eventsLost === undefined) lost++;
  }
  return {
    lost,
    events: kept.map((one) => {
      if ("event" in one) return one;
      const { threadId, ...eventsLost } = one;
      const eventId = crypto.randomUUID();
      return waiting({ eventId, threadId, timestamp: BigInt(now), eventsLost });
    }),
  };
}

/** About what an event is that tells of others. */
const GAP_BYTES = 120;
