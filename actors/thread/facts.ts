/** What programs that embed the server are told of a turn of a thread. */
import type { EventFacts } from "../events.ts";
import type { ThreadContext } from "./context.ts";
import type { Command } from "./state.ts";

type Facts = EventFacts["agent.thread_updated"];

/** The thread before or after a turn. */
export interface ThreadFacts {
  readonly exists: boolean;
  readonly lastSeq: number;
  readonly thread: Facts;
}

const KINDS = [
  "agent.thread_created",
  "agent.thread_updated",
  "agent.thread_deleted",
  "agent.events_stored",
] as const;

/** Undefined when nobody would hear of it. */
export function factsOf({ system, state, userId, threadId }: ThreadContext):
  | ThreadFacts
  | undefined {
  if (!KINDS.some((kind) => system.events.wants(kind))) return undefined;
  const { details, archived, hostId, lastSeq, exists } = state;
  const { title = "", status = 0 } = details;
  return {
    exists,
    lastSeq,
    thread: { userId, threadId, title, status, isArchived: archived, hostId },
  };
}

/** Tells what is other than before the turn. */
export function tellFacts(context: ThreadContext, was: ThreadFacts | undefined): void {
  const is = was && factsOf(context);
  if (was === undefined || is === undefined) return;
  const { turn } = context;
  const { userId, threadId } = is.thread;
  if (is.exists && !was.exists) turn.happened("agent.thread_created", () => is.thread);
  else if (was.exists && !is.exists) {
    turn.happened("agent.thread_deleted", () => ({ userId, threadId }));
  } else if (is.exists && isOther(was.thread, is.thread)) {
    turn.happened("agent.thread_updated", () => is.thread);
  }
  if (is.lastSeq > was.lastSeq) {
    turn.happened("agent.events_stored", () => ({
      userId,
      threadId,
      firstSeq: was.lastSeq + 1,
      lastSeq: is.lastSeq,
    }));
  }
}

/** Tells in what state a command is now. */
export function tellCommand(
  { turn, userId, threadId }: ThreadContext,
  { commandId, state, reason }: Command,
): void {
  turn.happened("agent.command", () => ({ userId, threadId, commandId, state, reason }));
}

function isOther(was: Facts, is: Facts): boolean {
  return was.title !== is.title || was.status !== is.status ||
    was.isArchived !== is.isArchived || was.hostId !== is.hostId;
}
