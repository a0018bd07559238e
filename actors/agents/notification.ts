/** Events as subscribers get them: chunks that follow each other as one. [agents R5] */
import { agentLimits } from "../../lib/agent_policy.ts";
import { decode, encode, fieldNumber, type MessageTypes } from "../../proto/mod.ts";
import { concatBytes, lengthDelimited } from "../../rpc/fields.ts";
import type { ThreadEvent } from "../refs/mod.ts";
import { EventKind } from "../thread/mod.ts";

/** What all events of a thread have in common. */
export interface ThreadName {
  readonly userId: number;
  readonly id: string;
}

type Chunk = MessageTypes["AgentMessageChunk"];

/** Events are the same for all subscribers: what was made for one serves the others. */
const wires = new WeakMap<ThreadEvent, Uint8Array>();
const chunks = new WeakMap<ThreadEvent, Chunk>();

/** An event as an `AgentEvent`. */
export function wireEvent(thread: ThreadName, event: ThreadEvent): Uint8Array {
  let wire = wires.get(event);
  if (wire === undefined) {
    const { eventId, seq, timestamp } = event;
    const head = encode("AgentEvent", {
      eventId,
      threadId: thread.id,
      seq: BigInt(seq),
      timestamp: BigInt(timestamp),
      userId: BigInt(thread.userId),
    });
    wire = concatBytes([head, event.payload]);
    wires.set(event, wire);
  }
  return wire;
}

function chunkOf(event: ThreadEvent): Chunk {
  let chunk = chunks.get(event);
  if (chunk === undefined) {
    chunk = decode("AgentEvent", event.payload).messageChunk as Chunk;
    chunks.set(event, chunk);
  }
  return chunk;
}

/** Bytes of text that chunks bring, about. */
export function chunkBytes(events: readonly ThreadEvent[]): number {
  let bytes = 0;
  for (const { payload } of events) bytes += payload.length;
  return bytes;
}

/** Events of one thread as `AgentEvent`s, in order; `merging` puts chunks of a message together. */
export function wireEvents(
  thread: ThreadName,
  events: readonly ThreadEvent[],
  merging: boolean,
): Uint8Array[] {
  const made: Uint8Array[] = [];
  for (let at = 0; at < events.length;) {
    const end = merging ? endOfRun(events, at) : at + 1;
    const run = events.slice(at, end);
    made.push(run.length === 1 ? wireEvent(thread, run[0]!) : wireRun(thread, run));
    at = end;
  }
  return made;
}

/** Behind the last chunk that goes with the one at `at`. */
function endOfRun(events: readonly ThreadEvent[], at: number): number {
  const first = events[at] as ThreadEvent;
  if (first.kind !== EventKind.MessageChunk) return at + 1;
  const { messageId, thought } = chunkOf(first);
  let bytes = first.payload.length;
  let end = at + 1;
  for (; end < events.length && bytes < agentLimits.chunkBytes; end++) {
    const next = events[end] as ThreadEvent;
    if (next.kind !== EventKind.MessageChunk) break;
    const chunk = chunkOf(next);
    if (chunk.messageId !== messageId || chunk.thought !== thought) break;
    bytes += next.payload.length;
  }
  return end;
}

function wireRun(thread: ThreadName, run: readonly ThreadEvent[]): Uint8Array {
  const last = run.at(-1) as ThreadEvent;
  const { messageId, thought } = chunkOf(last);
  return encode("AgentEvent", {
    eventId: last.eventId,
    threadId: thread.id,
    firstSeq: BigInt((run[0] as ThreadEvent).seq),
    seq: BigInt(last.seq),
    timestamp: BigInt(last.timestamp),
    userId: BigInt(thread.userId),
    messageChunk: { messageId, thought, text: run.map((one) => chunkOf(one).text).join("") },
  });
}

const EVENTS = fieldNumber("AgentEventNotification", "events");

/** An `AgentEventNotification` of events that are encoded already. */
export function notification(subscriberId: string, events: readonly Uint8Array[]): Uint8Array {
  return concatBytes([
    encode("AgentEventNotification", { subscriberId }),
    ...events.map((event) => lengthDelimited(EVENTS, event)),
  ]);
}
