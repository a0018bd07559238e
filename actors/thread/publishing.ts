/** Events of a host: known again, numbered, or refused one by one. [agents R1, R2, R6] */
import type { EventResult, IncomingEvent, ThreadMessage } from "../refs/mod.ts";
import { decode } from "../../proto/mod.ts";
import { answerWaiters, hosted } from "./commands.ts";
import type { ThreadContext } from "./context.ts";
import {
  appendEvent,
  beginThread,
  cutEvents,
  deleteThread,
  EventKind,
  isCreation,
  SERVER_KINDS,
} from "./events.ts";

type Publish = Extract<ThreadMessage, { type: "thread.publish" }>;

/** Events beyond the limit that are cut together. */
const CUT_SLACK = 1_000;

/** @param stored seqs of events that are known to the database only */
export function publishEvents(
  context: ThreadContext,
  { events, hostId, answer }: Publish,
  stored: ReadonlyMap<string, number>,
): void {
  const { state, system, turn } = context;
  const before = state.lastSeq;
  let firstKnown = Infinity;
  const results = events.map((event): EventResult => {
    const known = state.recentSeq(event.eventId) ?? stored.get(event.eventId);
    if (known === undefined) return take(context, event, hostId);
    firstKnown = Math.min(firstKnown, known);
    return { seq: known };
  });
  if (state.lastSeq > before) {
    // Who sends something new and this again has not had the answer for it.
    const confirmed = Math.min(before, firstKnown - 1);
    state.confirmedSeq = Math.max(state.confirmedSeq, confirmed);
    const most = system.agents.retainedEvents;
    const beyond = state.lastSeq - state.firstSeq + 1 - most;
    if (state.exists && beyond > Math.min(CUT_SLACK, most / 10)) {
      cutEvents(context, state.firstSeq + beyond);
    }
  }
  if (state.number === 0) context.end();
  turn.then((gate) => answer(results, gate));
}

function take(
  context: ThreadContext,
  event: IncomingEvent,
  hostId: string | undefined,
): EventResult {
  const { state, threadId } = context;
  if (event.fault !== undefined) return { error: event.fault };
  if (SERVER_KINDS.has(event.kind)) return { error: "only the server writes such events" };
  if (!state.exists) {
    if (!isCreation(event.kind, event.payload)) {
      return { error: `no such thread: ${threadId}; it has to begin with thread_created` };
    }
    if (state.number !== 0) return { error: `the thread ${threadId} has been deleted` };
    beginThread(context, hostId ?? "");
  } else if (event.kind === EventKind.ThreadDeleted) {
    deleteThread(context, event);
    return { seq: state.lastSeq };
  }
  const seq = appendEvent(context, event);
  if (hostId !== undefined && state.hostId === "") hosted(context, hostId);
  // The device need not wait for an answer that will take its time.
  if (event.kind === EventKind.CommandWaiting) {
    answerWaiters(context, decode("AgentEvent", event.payload).commandWaiting?.commandId ?? "");
  }
  return { seq };
}
