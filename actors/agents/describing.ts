/** `GetAgentThreads` and `GetAgentThread`: what the database has of them. [agents 2] */
import { AgentRoleEnum, decode, type MessageTypes } from "../../proto/mod.ts";
import type { RowOf } from "../../db/tables.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { ThreadPosition } from "../../db/agent_store.ts";
import { checkReads, countedRead } from "../reading.ts";
import { answerError, answerUnreadable } from "../refuse.ts";
import { fieldOf } from "../turn.ts";
import { threadOfRow } from "../thread/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { DeskContext } from "./desk.ts";

const MOST_THREADS = 200;
const MOST_MESSAGES = 500;
/** Events read at a time, and for one answer at most; bytes of their payloads. */
const PAGE = 1_000;
const MOST_EVENTS = 50_000;
const MOST_BYTES = 8 << 20;

type Message = MessageTypes["AgentMessage"];

export function answerThreads(context: DeskContext): void {
  const { system, inbound, desk } = context;
  const request = decode("GetAgentThreads", inbound.payload);
  const limit = Math.min(request.limit || 50, MOST_THREADS);
  const before = request.before === "" ? undefined : positionOf(request.before);
  const archived = request.includeArchived;
  answerWith(context, async () => {
    const rows = await system.store.agents.threads(desk.userId, { before, limit, archived });
    const last = rows.at(-1);
    return fieldOf("GetAgentThreadsResponse", {
      threads: rows.map((row) => threadOfRow(row, desk.host(row.host_id) !== undefined)),
      nextCursor: rows.length < limit || last === undefined
        ? ""
        : `${last.updated_at}-${last.number}`,
    });
  });
}

/** @throws {RpcError} for what is no cursor of an answer before */
function positionOf(cursor: string): ThreadPosition {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(cursor);
  if (match === null) throw RpcError.internal("that is no cursor of an earlier answer");
  return { updatedAt: Number(match[1]), number: Number(match[2]) };
}

export function answerThread(context: DeskContext): void {
  const { system, inbound, desk } = context;
  const { threadId, messageLimit, beforeSeq } = decode("GetAgentThread", inbound.payload);
  answerWith(context, async () => {
    const key = { user_id: desk.userId, id: threadId };
    const [row] = await system.store.load("agent_threads", key);
    if (row === undefined || row.deleted_at !== null) {
      throw RpcError.internal(`no such thread: ${threadId}`);
    }
    const limit = Math.min(messageLimit || 50, MOST_MESSAGES);
    const before = Math.min(Number(beforeSeq ?? row.last_seq + 1), row.last_seq + 1);
    const { messages, hasMore } = await readMessages(system, row.number, before, limit);
    return fieldOf("GetAgentThreadResponse", {
      thread: threadOfRow(row, desk.host(row.host_id) !== undefined),
      messages,
      lastSeq: BigInt(row.last_seq),
      hasMore,
    });
  });
}

function answerWith({ system, turn, inbound }: DeskContext, make: () => Promise<Uint8Array>): void {
  const { connection, requestId } = inbound;
  checkReads(connection);
  turn.then(() => {
    countedRead(connection, make()).then(
      (field) => connection.outbox.push(field, requestId, 0),
      (error) => {
        if (error instanceof RpcError) return answerError(inbound, error);
        answerUnreadable(system, inbound, "Threads", error);
      },
    );
  });
}

/** The newest messages before an event, from their events; backwards, since threads are long. */
async function readMessages(
  system: ActorSystem,
  thread: number,
  before: number,
  limit: number,
): Promise<{ messages: Message[]; hasMore: boolean }> {
  const messages = new Map<string, Message>();
  const whole = new Set<string>();
  let at = before;
  let read = 0;
  let bytes = 0;
  let isAll = false;
  // One more than is wanted: the first of them may have begun earlier still.
  while (messages.size <= limit && read < MOST_EVENTS && bytes < MOST_BYTES) {
    const rows = await system.store.agents.eventsBefore(thread, at, PAGE);
    const first = rows.at(-1);
    if (first === undefined) {
      isAll = true;
      break;
    }
    for (const row of rows) {
      addEarlier(messages, whole, row);
      bytes += row.payload.length;
    }
    read += rows.length;
    at = first.seq;
  }
  const found = [...messages.values()].sort((a, b) => Number(a.firstSeq - b.firstSeq));
  // Of one that begins before what was read only the end is known: it is told when it is all there is.
  const known = isAll ? found.length : Math.max(1, found.length - 1);
  return {
    messages: found.slice(-Math.min(limit, known)),
    hasMore: !isAll || found.length > limit,
  };
}

/** Puts what an event says before what is known of its message already. */
function addEarlier(
  messages: Map<string, Message>,
  /** Messages whose completion brings their text. */
  whole: Set<string>,
  row: RowOf<"agent_events">,
): void {
  const { messageAdded, messageChunk, messageCompleted } = decode("AgentEvent", row.payload);
  const part = messageAdded ?? messageChunk ?? messageCompleted;
  if (part === undefined) return;
  const seq = BigInt(row.seq);
  let message = messages.get(part.messageId);
  if (message === undefined) {
    message = {
      messageId: part.messageId,
      role: AgentRoleEnum.Agent,
      text: "",
      thought: "",
      firstSeq: seq,
      lastSeq: seq,
      completed: false,
      timestamp: 0n,
    };
    messages.set(part.messageId, message);
  }
  message.firstSeq = seq;
  message.timestamp = BigInt(row.timestamp);
  if (messageCompleted !== undefined) {
    message.completed = true;
    message.text = messageCompleted.text;
    message.thought = messageCompleted.thought;
    if (message.text !== "" || message.thought !== "") whole.add(message.messageId);
  } else if (messageChunk !== undefined) {
    if (whole.has(message.messageId)) return;
    if (messageChunk.thought) message.thought = messageChunk.text + message.thought;
    else message.text = messageChunk.text + message.text;
  } else if (messageAdded !== undefined) {
    message.role = messageAdded.role;
    // What a person says is said at once, unless more of it follows.
    if (
      message.role === AgentRoleEnum.User && message.lastSeq === seq && messageAdded.text !== ""
    ) {
      message.completed = true;
    }
    message.text = messageAdded.text + message.text;
  }
}
