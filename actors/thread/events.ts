/** Events: how they are numbered, and what they say about their thread. [agents 2] */
import { decode, encode, fieldNumber, type Init, type MessageTypes } from "../../proto/mod.ts";
import { AgentSealedClassEnum, AgentThreadStatusEnum } from "../../proto/mod.ts";
import type { ThreadEvent } from "../refs/mod.ts";
import type { ThreadContext } from "./context.ts";
import type { ThreadState } from "./state.ts";

/** An event that has no seq yet. */
export type NewEvent = Omit<ThreadEvent, "seq">;

type Payload = Init<MessageTypes["AgentEvent"]>;

/** Numbers of the payloads that mean something to the server. */
export const EventKind = {
  ThreadCreated: fieldNumber("AgentEvent", "threadCreated"),
  ThreadUpdated: fieldNumber("AgentEvent", "threadUpdated"),
  ThreadArchived: fieldNumber("AgentEvent", "threadArchived"),
  ThreadDeleted: fieldNumber("AgentEvent", "threadDeleted"),
  MessageChunk: fieldNumber("AgentEvent", "messageChunk"),
  MessageCompleted: fieldNumber("AgentEvent", "messageCompleted"),
  ToolUseRequested: fieldNumber("AgentEvent", "toolUseRequested"),
  ToolUseResolved: fieldNumber("AgentEvent", "toolUseResolved"),
  ToolUseCompleted: fieldNumber("AgentEvent", "toolUseCompleted"),
  CompletionStopped: fieldNumber("AgentEvent", "completionStopped"),
  CommandFailed: fieldNumber("AgentEvent", "commandFailed"),
  CommandTaken: fieldNumber("AgentEvent", "commandTaken"),
  CommandWaiting: fieldNumber("AgentEvent", "commandWaiting"),
  Sealed: fieldNumber("AgentEvent", "sealed"),
} as const;

/** Written by the server alone. */
export const SERVER_KINDS: ReadonlySet<number> = new Set([
  EventKind.CommandFailed,
  EventKind.CommandTaken,
]);

const READ_KINDS: ReadonlySet<number> = new Set([
  EventKind.ThreadCreated,
  EventKind.ThreadUpdated,
  EventKind.ThreadArchived,
  EventKind.ToolUseRequested,
  EventKind.ToolUseResolved,
  EventKind.ToolUseCompleted,
  EventKind.CompletionStopped,
]);

/** A turn goes on. */
const ACTIVE: ReadonlySet<number> = new Set([
  AgentThreadStatusEnum.Running,
  AgentThreadStatusEnum.WaitingForPermission,
]);

/** Whether a thread may begin with it. [agents R6] */
export function isCreation(kind: number, payload: Uint8Array): boolean {
  if (kind === EventKind.ThreadCreated) return true;
  return kind === EventKind.Sealed &&
    decode("AgentEvent", payload).sealed?.class === AgentSealedClassEnum.Created;
}

/** Writes an event down as the thread's next. @returns its seq */
export function appendEvent(context: ThreadContext, event: NewEvent): number {
  const { state, tail, turn, system } = context;
  const { eventId, timestamp, kind, payload } = event;
  const seq = ++state.lastSeq;
  const now = system.clock.now();
  turn.put("agent_events", {
    thread: state.number,
    seq,
    event_id: eventId,
    timestamp,
    stored_at: now,
    kind,
    payload,
  });
  tail.add({ seq, eventId, timestamp, kind, payload });
  state.remember(eventId, seq);
  state.updatedAt = now;
  if (READ_KINDS.has(kind)) apply(state, decode("AgentEvent", payload));
  context.changed();
  return seq;
}

/** Writes down an event of the server's own. */
export function appendOwnEvent(context: ThreadContext, kind: number, payload: Payload): void {
  appendEvent(context, {
    eventId: crypto.randomUUID(),
    timestamp: context.system.clock.now(),
    kind,
    payload: encode("AgentEvent", payload),
  });
}

/** Begins the thread; nothing is written yet. */
export function beginThread({ system, state, turn }: ThreadContext, hostId: string): void {
  const { id, write } = system.ids.next("agent_thread");
  turn.writes.push(write);
  state.number = id;
  state.hostId = hostId;
  state.createdAt = system.clock.now();
}

/** Removes events before one that stays. */
export function cutEvents(context: ThreadContext, firstSeq: number): void {
  const { state, tail, turn } = context;
  if (firstSeq <= state.firstSeq) return;
  turn.cut("agent_events", { thread: state.number }, state.firstSeq, firstSeq);
  state.firstSeq = firstSeq;
  tail.cut(firstSeq);
  context.changed();
}

/** Deletes the thread with its events; the last one tells of it: the host's, or one of the server's. [agents R10] */
export function deleteThread(context: ThreadContext, event?: NewEvent): void {
  const { state } = context;
  if (event !== undefined) appendEvent(context, event);
  else appendOwnEvent(context, EventKind.ThreadDeleted, { threadDeleted: {} });
  cutEvents(context, state.lastSeq);
  state.deletedAt = context.system.clock.now();
  state.details = {};
  state.waitingTools.clear();
}

function apply(state: ThreadState, event: MessageTypes["AgentEvent"]): void {
  const { details } = state;
  const { threadCreated, threadUpdated } = event;
  if (threadCreated !== undefined) {
    const { title, cwd, agent, agentVersion, sessionId, mode } = threadCreated;
    Object.assign(details, { title, cwd, agent, agentVersion, sessionId, mode });
  } else if (threadUpdated !== undefined) {
    for (const [name, value] of Object.entries(threadUpdated)) {
      if (value !== undefined) Object.assign(details, { [name]: value });
    }
    const { status } = threadUpdated;
    if (status !== undefined) {
      state.archived = status === AgentThreadStatusEnum.Archived;
      // What does not run does not wait for an answer; its host may have ended in between.
      if (!ACTIVE.has(status)) state.waitingTools.clear();
    }
  } else if (event.threadArchived !== undefined) {
    state.archived = true;
    details.status = AgentThreadStatusEnum.Archived;
  } else if (event.toolUseRequested !== undefined) {
    state.waitingTools.add(event.toolUseRequested.toolUseId);
    details.status = AgentThreadStatusEnum.WaitingForPermission;
  } else if (event.completionStopped !== undefined) {
    state.waitingTools.clear();
    details.status = AgentThreadStatusEnum.Idle;
  } else {
    const resolved = event.toolUseResolved ?? event.toolUseCompleted;
    if (resolved === undefined || !state.waitingTools.delete(resolved.toolUseId)) return;
    if (state.waitingTools.size === 0) details.status = AgentThreadStatusEnum.Running;
  }
}
