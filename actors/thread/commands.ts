/** Commands of devices: stored, sent to the host in their order, answered once. [agents R7] */
import { agentLimits } from "../../lib/agent_policy.ts";
import { AgentDeliveryEnum, decode, encode, type MessageTypes } from "../../proto/mod.ts";
import { messageInfo } from "../../proto/mod.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import type { Pending } from "../../rpc/outbox.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { AgentRequest } from "../refs/mod.ts";
import { threadKey } from "../registry.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";
import type { ThreadContext } from "./context.ts";
import { appendOwnEvent, beginThread, deleteThread, EventKind } from "./events.ts";
import { tellCommand } from "./facts.ts";
import { commandRow, threadOfRow, threadRow } from "./rows.ts";
import type { Command, Waiter } from "./state.ts";

const ERROR_TAG = messageInfo("Error").tag as number;
const { Delivered, Queued } = AgentDeliveryEnum;

/** [agents 2] */
export function createThread(context: ThreadContext, request: AgentRequest, hostId: string): void {
  const { state, threadId } = context;
  if (state.commands.has(request.commandId)) return repeated(context, request);
  if (state.number !== 0) throw RpcError.internal(`there is a thread ${threadId} already`);
  const { title = "", cwd = "" } = request.command.createThread ?? {};
  beginThread(context, hostId);
  appendOwnEvent(context, EventKind.ThreadCreated, { threadCreated: { title, cwd, hostId } });
  store(context, request);
}

export function takeCommand(context: ThreadContext, request: AgentRequest): void {
  const { state, threadId } = context;
  const { command, commandId } = request;
  if (state.commands.has(commandId)) return repeated(context, request);
  if (!state.exists) {
    if (state.number === 0) context.end();
    throw RpcError.internal(`no such thread: ${threadId}`);
  }
  if (state.waitingCommands().length >= agentLimits.waitingCommands) {
    throw new RpcError(
      ErrorCode.RateLimitExceeded,
      `${agentLimits.waitingCommands} commands wait for the host already`,
    );
  }
  const answers = command.useTools ?? command.denyTools;
  if (answers !== undefined && answers.sealed === undefined) {
    requireWaiting(context, answers.toolUseIds ?? []);
  }
  if (command.archiveThread !== undefined) {
    appendOwnEvent(context, EventKind.ThreadArchived, { threadArchived: {} });
  } else if (command.deleteThread !== undefined) {
    deleteThread(context);
  }
  store(context, request);
}

/** The first answer counts. */
function requireWaiting({ state }: ThreadContext, toolUseIds: readonly string[]): void {
  if (toolUseIds.length === 0) throw RpcError.internal("name the tools that it is about");
  for (const toolUseId of toolUseIds) {
    if (state.answerTo(toolUseId) !== undefined) {
      throw RpcError.internal(`another device has answered for the tool ${toolUseId} already`);
    }
    if (!state.waitingTools.has(toolUseId)) {
      throw RpcError.internal(`the tool ${toolUseId} does not wait for permission (any more)`);
    }
  }
}

function store(context: ThreadContext, request: AgentRequest): void {
  const { state, system, turn, userId } = context;
  const { commandId, connection, requestId } = request;
  const { archiveThread, deleteThread: deletion } = request.command;
  const isDone = state.hostId === "" && (archiveThread ?? deletion) !== undefined;
  const createdAt = system.clock.now();
  const command: Command = {
    ordinal: ++state.lastOrdinal,
    commandId,
    hostId: state.hostId,
    createdAt,
    command: decode(
      "AgentCommand",
      encode("AgentCommand", { ...request.command, createdAt: BigInt(createdAt) }),
    ),
    state: isDone ? "taken" : "waiting",
    reason: "",
    sentTo: undefined,
    waiters: [],
  };
  state.commands.set(commandId, command);
  turn.put("agent_commands", commandRow(userId, state.number, command));
  tellCommand(context, command);
  if (command.state === "taken") {
    answer(context, command, { connection, requestId }, Delivered);
    return;
  }
  system.metrics.agentCommandsWaiting.inc();
  wait(context, command, { connection, requestId });
  deliver(context);
}

/** A device asks again: it is answered as it would have been. */
function repeated(
  context: ThreadContext,
  { commandId, connection, requestId }: AgentRequest,
): void {
  const command = context.state.commands.get(commandId) as Command;
  const waiter = { connection, requestId };
  if (command.state === "waiting") wait(context, command, waiter);
  else if (command.state === "taken") answer(context, command, waiter, Delivered);
  else context.turn.fail(connection, requestId, RpcError.internal(command.reason));
}

function wait(context: ThreadContext, command: Command, waiter: Waiter): void {
  const { system, userId, threadId, turn, state } = context;
  const key = threadKey(userId, threadId);
  if (system.registry.desks.get(userId)?.host(state.hostId) === undefined) {
    answer(context, command, waiter, Queued);
    return;
  }
  command.waiters.push(waiter);
  turn.then(() => {
    system.clock.setTimeout(() => {
      const message = { type: "thread.answer_waiters", commandId: command.commandId } as const;
      system.registry.threads.get(key)?.tell(message, 0);
    }, agentLimits.commandAnswer);
  });
}

/** Sends what waits and is not on its way to the host already. */
export function deliver(context: ThreadContext): void {
  const { state, system, turn, userId, threadId } = context;
  const host = system.registry.desks.get(userId)?.host(state.hostId);
  if (host === undefined) return;
  for (const command of state.waitingCommands()) {
    if (command.sentTo === host.key) continue;
    command.sentTo = host.key;
    const field = fieldOf("AgentCommand", command.command);
    const pending = new HostAnswer(system, userId, threadId, command.commandId, host.key);
    turn.push(host.key, field, pending);
  }
}

/** Hears what the host says to a command. */
class HostAnswer implements Pending {
  constructor(
    readonly system: ActorSystem,
    readonly userId: number,
    readonly threadId: string,
    readonly commandId: string,
    readonly key: PeerKey,
  ) {}

  answered(tag: number, _original: Uint8Array, payload: Uint8Array): boolean {
    const error = tag === ERROR_TAG
      ? decode("Error", payload).message || "the host refused it"
      : undefined;
    this.#tell({ type: "thread.command_answered", commandId: this.commandId, error });
    return true;
  }

  lost(): void {
    if (this.system.draining) return;
    this.#tell({ type: "thread.command_lost", commandId: this.commandId, key: this.key });
  }

  #tell(message: Parameters<ReturnType<ActorSystem["thread"]>["tell"]>[0]): void {
    this.system.thread(this.userId, this.threadId).tell(message, 0);
  }
}

/** Both answers become events. */
export function commandAnswered(
  context: ThreadContext,
  commandId: string,
  error: string | undefined,
): void {
  const command = context.state.commands.get(commandId);
  if (command === undefined || command.state !== "waiting") return;
  if (error !== undefined) return fail(context, command, error);
  settle(context, command, "taken", "");
  if (context.state.exists) {
    appendOwnEvent(context, EventKind.CommandTaken, { commandTaken: { commandId } });
  }
  for (const waiter of command.waiters.splice(0)) answer(context, command, waiter, Delivered);
}

function fail(context: ThreadContext, command: Command, reason: string): void {
  const { commandId } = command;
  settle(context, command, "failed", reason);
  if (context.state.exists) {
    appendOwnEvent(context, EventKind.CommandFailed, { commandFailed: { commandId, reason } });
  }
  for (const { connection, requestId } of command.waiters.splice(0)) {
    context.turn.fail(connection, requestId, RpcError.internal(reason));
  }
}

function settle(
  context: ThreadContext,
  command: Command,
  end: "taken" | "failed",
  reason: string,
): void {
  const { state, system, turn, userId } = context;
  command.state = end;
  command.reason = reason;
  command.sentTo = undefined;
  system.metrics.agentCommandsWaiting.dec();
  turn.put("agent_commands", commandRow(userId, state.number, command));
  tellCommand(context, command);
}

/** It waits for the host's return. */
export function commandLost(context: ThreadContext, commandId: string, key: PeerKey): void {
  const command = context.state.commands.get(commandId);
  if (command === undefined || command.sentTo !== key) return;
  command.sentTo = undefined;
  answerWaiters(context, commandId);
  // The host may be here again already.
  deliver(context);
}

export function answerWaiters(context: ThreadContext, commandId: string): void {
  const command = context.state.commands.get(commandId);
  if (command?.state !== "waiting") return;
  for (const waiter of command.waiters.splice(0)) answer(context, command, waiter, Queued);
}

/** That host runs the thread from now on, and gets its commands. */
export function hosted(context: ThreadContext, hostId: string): void {
  const { state, turn, userId } = context;
  if (!state.exists) return;
  if (state.hostId !== hostId) {
    state.hostId = hostId;
    context.changed();
    for (const command of state.waitingCommands()) {
      const moved = { ...command, hostId, sentTo: undefined };
      state.commands.set(command.commandId, moved);
      turn.put("agent_commands", commandRow(userId, state.number, moved));
    }
  }
  deliver(context);
}

/** [agents R7] After a day nobody waits any more; what is done is forgotten. */
export function expireCommands(context: ThreadContext, createdBefore: number): void {
  const { state, turn } = context;
  for (const command of [...state.commands.values()]) {
    if (command.createdAt >= createdBefore) continue;
    if (command.state === "waiting") {
      fail(context, command, "the host was away for too long");
    }
    state.commands.delete(command.commandId);
    turn.remove("agent_commands", { thread: state.number, ordinal: command.ordinal });
  }
}

function answer(
  { state, system, turn, userId, threadId }: ThreadContext,
  { command }: Command,
  { connection, requestId }: Waiter,
  delivery: number,
): void {
  if (command.createThread === undefined) {
    turn.reply(connection, requestId, "AgentCommandResponse", { delivery });
    return;
  }
  const present = system.registry.desks.get(userId)?.host(state.hostId) !== undefined;
  const thread: MessageTypes["AgentThread"] = threadOfRow(
    threadRow(userId, threadId, state),
    present,
  );
  turn.reply(connection, requestId, "CreateAgentThreadResponse", { thread, delivery });
}
