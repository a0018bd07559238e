/** `PublishAgentEvents`: from one request to its threads, and one answer from all of theirs. [agents 2] */
import { agentLimits } from "../../lib/agent_policy.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { fieldOf } from "../turn.ts";
import type { EventResult, Inbound, IncomingEvent } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { isUuid, readEvents } from "./reading.ts";
import type { TokenBucket } from "./token_bucket.ts";

const NOT_STORED: EventResult = { error: "the event could not be stored", retry: true };

/** The events of one thread, with their places in the request. */
interface Part {
  readonly events: IncomingEvent[];
  readonly places: number[];
  results: readonly EventResult[] | undefined;
  gate: number;
}

/** @throws {RpcError} for a request that is refused as a whole */
export function publish(
  system: ActorSystem,
  inbound: Inbound,
  hostId: string | undefined,
  bucket: TokenBucket,
): void {
  const { connection, requestId, payload } = inbound;
  const events = readEvents(payload);
  const { eventsPerRequest } = agentLimits;
  if (events.length > eventsPerRequest) {
    throw RpcError.internal(
      `at most ${eventsPerRequest} events in one request, not ${events.length}`,
    );
  }
  if (!bucket.take(events.length, system.clock.now())) {
    throw new RpcError(
      ErrorCode.RateLimitExceeded,
      "Too many events at once: send these again a little later",
    );
  }
  const results: EventResult[] = events.map(({ fault = "" }) => ({ error: fault }));
  const parts = partsOf(events);
  let left = parts.size;

  const answer = () => {
    for (const part of parts.values()) {
      const isStored = !system.journal.refused(part.gate);
      part.places.forEach((place, at) => {
        const result = part.results?.[at] ?? NOT_STORED;
        results[place] = isStored || !("seq" in result) ? result : NOT_STORED;
      });
    }
    const field = fieldOf("PublishAgentEventsResponse", {
      results: results.map((result, at) => ({
        eventId: (events[at] as IncomingEvent).eventId,
        ...("seq" in result ? { seq: BigInt(result.seq) } : result),
      })),
    });
    connection.outbox.push(field, requestId, 0);
  };

  if (left === 0) answer();
  const gates = () => Math.max(...[...parts.values()].map(({ gate }) => gate));
  for (const [threadId, part] of parts) {
    system.thread(connection.userId, threadId).tell({
      type: "thread.publish",
      events: part.events,
      hostId,
      answer: (found, gate) => {
        if (part.results !== undefined) return;
        part.results = found;
        part.gate = gate;
        if (--left === 0) system.journal.afterCommit(gates(), answer);
      },
    }, 0);
  }
}

function partsOf(events: readonly IncomingEvent[]): Map<string, Part> {
  const parts = new Map<string, Part>();
  events.forEach((event, place) => {
    if (!isUuid(event.threadId)) return;
    let part = parts.get(event.threadId);
    if (part === undefined) {
      part = { events: [], places: [], results: undefined, gate: 0 };
      parts.set(event.threadId, part);
    }
    part.events.push(event);
    part.places.push(place);
  });
  return parts;
}
