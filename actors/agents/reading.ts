/** Reads what a host publishes without decoding the payloads, which are kept as they came. */
import { agentLimits } from "../../lib/agent_policy.ts";
import { FieldReader } from "../../rpc/fields.ts";
import { fieldNumber } from "../../proto/mod.ts";
import type { IncomingEvent } from "../refs/mod.ts";

const EVENT_ID = fieldNumber("AgentEvent", "eventId");
const THREAD_ID = fieldNumber("AgentEvent", "threadId");
const TIMESTAMP = fieldNumber("AgentEvent", "timestamp");
/** The payloads' numbers begin here. */
const FIRST_PAYLOAD = fieldNumber("AgentEvent", "threadCreated");
const NOTHING = new Uint8Array(0);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in its usual form, in lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The events of a `PublishAgentEvents`. @throws {FieldError} */
export function readEvents(payload: Uint8Array): IncomingEvent[] {
  // The payload's memory is used again behind the turn, and the events stay.
  const kept = payload.slice();
  const reader = new FieldReader(kept);
  const events: IncomingEvent[] = [];
  while (reader.next()) {
    if (reader.number === 1) events.push(readEvent(kept, reader.start, reader.end));
  }
  return events;
}

function readEvent(bytes: Uint8Array, start: number, end: number): IncomingEvent {
  const reader = new FieldReader(bytes, start, end);
  let eventId = "";
  let threadId = "";
  let timestamp = 0;
  let kind = 0;
  let payload: Uint8Array = NOTHING;
  let fault: string | undefined;
  while (reader.next()) {
    if (reader.number >= FIRST_PAYLOAD && reader.wireType === 2) {
      if (kind !== 0) fault = "an event has one payload, not several";
      kind = reader.number;
      payload = bytes.subarray(reader.fieldStart, reader.end);
    } else if (reader.number === EVENT_ID) eventId = reader.text();
    else if (reader.number === THREAD_ID) threadId = reader.text();
    else if (reader.number === TIMESTAMP) timestamp = Number(reader.bigint());
  }
  if (!isUuid(eventId)) fault = `an event id has to be a UUID, not ${quoted(eventId)}`;
  else if (!isUuid(threadId)) fault = `a thread id has to be a UUID, not ${quoted(threadId)}`;
  else if (kind === 0) fault = "an event needs a payload";
  else if (!Number.isSafeInteger(timestamp)) fault = "a timestamp has to be in Unix milliseconds";
  else if (payload.length > agentLimits.eventBytes) {
    fault = `an event may have ${agentLimits.eventBytes} bytes, not ${payload.length}`;
  }
  return { eventId, threadId, timestamp, kind, payload, ...(fault !== undefined && { fault }) };
}

/** A text of somebody's, short enough to be repeated. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
