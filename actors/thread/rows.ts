/** The rows of a thread, and how it is read back. */
import { decode, encode, type MessageTypes } from "../../proto/mod.ts";
import type { Store } from "../../db/store.ts";
import type { RowOf } from "../../db/tables.ts";
import { type Command, ThreadState } from "./state.ts";

/** Ids of the newest events that are read back. */
const IDS_READ = 2_048;

export function threadRow(
  userId: number,
  id: string,
  state: ThreadState,
): RowOf<"agent_threads"> {
  const { details, waitingTools, createdAt } = state;
  return {
    user_id: userId,
    id,
    number: state.number,
    host_id: state.hostId,
    updated_at: state.updatedAt,
    archived: state.archived,
    deleted_at: state.deletedAt,
    first_seq: state.firstSeq,
    last_seq: state.lastSeq,
    folded_seq: state.foldedSeq,
    confirmed_seq: state.confirmedSeq,
    details: encode("AgentThread", {
      ...details,
      createdAt: BigInt(createdAt),
      waitingToolUseIds: [...waitingTools],
    }),
  };
}

export function commandRow(
  userId: number,
  thread: number,
  command: Command,
): RowOf<"agent_commands"> {
  return {
    thread,
    ordinal: command.ordinal,
    user_id: userId,
    host_id: command.hostId,
    command_id: command.commandId,
    created_at: command.createdAt,
    state: command.state,
    reason: command.reason,
    command: encode("AgentCommand", command.command),
  };
}

/** Reads a thread back; one with the number 0 when it is not stored. */
export async function loadThread(
  store: Store,
  userId: number,
  id: string,
): Promise<ThreadState> {
  const state = new ThreadState();
  const [row] = await store.load("agent_threads", { user_id: userId, id });
  if (row === undefined) return state;
  const { waitingToolUseIds, createdAt, ...details } = decode("AgentThread", row.details);
  state.number = row.number;
  state.hostId = row.host_id;
  state.createdAt = Number(createdAt);
  state.updatedAt = row.updated_at;
  state.archived = row.archived;
  state.deletedAt = row.deleted_at;
  state.firstSeq = row.first_seq;
  state.lastSeq = row.last_seq;
  state.foldedSeq = row.folded_seq;
  state.confirmedSeq = row.confirmed_seq;
  state.details = details;
  for (const toolUseId of waitingToolUseIds) state.waitingTools.add(toolUseId);
  const recent = await store.agents.newestIds(row.number, IDS_READ);
  for (const { eventId, seq } of recent.reverse()) state.remember(eventId, seq);
  state.knowIdsFrom(recent.length < IDS_READ ? row.first_seq : recent[0]!.seq);
  for (const one of await store.load("agent_commands", { thread: row.number })) {
    state.lastOrdinal = Math.max(state.lastOrdinal, one.ordinal);
    state.commands.set(one.command_id, commandOf(one));
  }
  return state;
}

function commandOf(row: RowOf<"agent_commands">): Command {
  return {
    ordinal: row.ordinal,
    commandId: row.command_id,
    hostId: row.host_id,
    createdAt: row.created_at,
    command: decode("AgentCommand", row.command),
    state: row.state as Command["state"],
    reason: row.reason,
    sentTo: undefined,
    waiters: [],
  };
}

/** A thread as clients are told of it, from its row. */
export function threadOfRow(
  row: RowOf<"agent_threads">,
  hostPresent: boolean,
): MessageTypes["AgentThread"] {
  return {
    ...decode("AgentThread", row.details),
    threadId: row.id,
    hostId: row.host_id,
    updatedAt: BigInt(row.updated_at),
    firstSeq: BigInt(row.first_seq),
    lastSeq: BigInt(row.last_seq),
    hostPresent,
  };
}
