/** What a thread does with the messages of other actors. */
import type { ThreadMessage } from "../refs/mod.ts";
import {
  answerWaiters,
  commandAnswered,
  commandLost,
  createThread,
  deliver,
  expireCommands,
  hosted,
  takeCommand,
} from "./commands.ts";
import type { ThreadContext } from "./context.ts";
import { cutEvents } from "./events.ts";

/** Publishing is not here: it may have to ask the database first. */
export type PlainMessage = Exclude<ThreadMessage, { type: "thread.publish" }>;

export function threadMessages(context: ThreadContext, message: PlainMessage): void {
  const { state, turn } = context;
  switch (message.type) {
    case "thread.create":
      return createThread(context, message.request, message.hostId);
    case "thread.command":
      return takeCommand(context, message.request);
    case "thread.hosted":
      if (state.number === 0) context.end();
      return hosted(context, message.hostId);
    case "thread.deliver":
      return deliver(context);
    case "thread.command_answered":
      return commandAnswered(context, message.commandId, message.error);
    case "thread.command_lost":
      return commandLost(context, message.commandId, message.key);
    case "thread.answer_waiters":
      return answerWaiters(context, message.commandId);
    case "thread.expire_commands":
      return expireCommands(context, message.createdBefore);
    case "thread.cut":
      // The last event stays, so that the numbers go on behind it.
      return cutEvents(context, Math.min(message.upTo + 1, state.lastSeq));
    case "thread.fold":
      return fold(context, message);
    case "thread.forget": {
      const { userId, threadId } = context;
      turn.remove("agent_threads", { user_id: userId, id: threadId });
      turn.remove("agent_events", { thread: state.number });
      turn.remove("agent_commands", { thread: state.number });
      return forgotten(context);
    }
    case "thread.account_removed":
      return forgotten(context);
  }
}

/** Nothing of it is stored any more. */
function forgotten(context: ThreadContext): void {
  const { state, system } = context;
  system.metrics.agentCommandsWaiting.inc(-state.waitingCommands().length);
  state.number = 0;
  state.commands.clear();
  context.end();
}

/** [agents R8] */
function fold(
  context: ThreadContext,
  { messages, upTo }: Extract<ThreadMessage, { type: "thread.fold" }>,
): void {
  const { state, tail, turn } = context;
  for (const { completed, chunks } of messages) {
    if (!state.exists || completed.seq < state.firstSeq) continue;
    turn.put("agent_events", completed);
    for (const [from, to] of chunks) turn.cut("agent_events", { thread: state.number }, from, to);
  }
  state.foldedSeq = Math.max(state.foldedSeq, upTo);
  // Memory has no holes.
  tail.cut(upTo + 1);
  context.changed();
}
