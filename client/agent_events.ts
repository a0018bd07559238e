/** Events before they are sent: made whole, and cut to the size that a server takes. [agents R9] */
import { encode, type Init, type MessageTypes } from "../proto/mod.ts";

/** What a host tells: the payload, and the thread it happened in. */
export type AgentEventInit =
  & Omit<Init<MessageTypes["AgentEvent"]>, "seq" | "firstSeq" | "userId" | "eventId" | "timestamp">
  & { readonly eventId?: string; readonly timestamp?: bigint };

/** An event with its id and its time, ready to be sent. */
export type OutgoingAgentEvent = Init<MessageTypes["AgentEvent"]> & {
  readonly eventId: string;
  readonly threadId: string;
};

/** Bytes that an event may have, its ids included. */
export const MAX_EVENT_BYTES = (256 << 10) - 1_024;

const MARKER = "\n[… cut, ";

/** @throws {RangeError} an event that is no tool's result is too large to be sent */
export function completeEvent(event: AgentEventInit, now: number): OutgoingAgentEvent {
  const { eventId = crypto.randomUUID(), timestamp = BigInt(now), threadId = "" } = event;
  const whole = { ...event, eventId, timestamp, threadId };
  if (sizeOf(whole) <= MAX_EVENT_BYTES) return whole;
  const { toolUseCompleted: completed, toolUseUpdated: updated } = event;
  if (completed !== undefined) {
    const { result = "", diff = "", error = "" } = completed;
    const fullLength = BigInt(bytesOf(result) + bytesOf(diff) + bytesOf(error));
    const room = Math.floor((MAX_EVENT_BYTES - 2_048) / 3);
    const cut = {
      ...whole,
      toolUseCompleted: {
        ...completed,
        result: cutText(result, room),
        diff: cutText(diff, room),
        error: cutText(error, room),
        fullLength,
      },
    };
    if (sizeOf(cut) <= MAX_EVENT_BYTES) return cut;
  } else if (updated !== undefined) {
    const { content = "", detail = "" } = updated;
    const cut = {
      ...whole,
      toolUseUpdated: {
        ...updated,
        content: cutText(content, MAX_EVENT_BYTES - 4_096),
        // Half of some JSON is none.
        detail: bytesOf(detail) > 2_048 ? "" : detail,
      },
    };
    if (sizeOf(cut) <= MAX_EVENT_BYTES) return cut;
  }
  throw new RangeError(
    `Cannot send an event of ${sizeOf(whole)} bytes: at most ${MAX_EVENT_BYTES} are taken`,
  );
}

/** The beginning of a text within so many bytes, with a mark that tells its whole length. */
function cutText(text: string, bytes: number): string {
  const length = bytesOf(text);
  if (length <= bytes) return text;
  const mark = `${MARKER}${length} bytes in all]`;
  const target = new Uint8Array(bytes - mark.length - 4);
  const { read } = new TextEncoder().encodeInto(text, target);
  return text.slice(0, read) + mark;
}

function bytesOf(text: string): number {
  // UTF-16 units are at most three bytes each: only what is near the limit is measured.
  return new TextEncoder().encode(text).length;
}

function sizeOf(event: OutgoingAgentEvent): number {
  return encode("AgentEvent", event).length;
}

/** Bytes of memory that an event takes, about: what its payload says, and a little for the rest. */
export function weightOf(event: MessageTypes["AgentEvent"]): number {
  let bytes = 256;
  for (const payload of Object.values(event)) {
    if (typeof payload !== "object" || payload === null) continue;
    for (const value of Object.values(payload)) {
      if (typeof value === "string" || value instanceof Uint8Array) bytes += value.length;
    }
  }
  return bytes;
}
