/** What a chat's handlers work with in one turn, and whom they tell. */
import { RpcError } from "../../rpc/errors.ts";
import type { ChatMessage, ConnectionWatcher } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import type { ChatState } from "./state.ts";

export interface ChatContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly chat: ChatState;
  /** Who is to hear of the end of a connection that joins. */
  readonly watcher: ConnectionWatcher;
}

/** What of the chat is there before its turn: where to ask, and about which channel. */
export interface ChatSource {
  readonly system: ActorSystem;
  readonly channelId: number;
}

/** A message of that type. */
export type Of<T extends ChatMessage["type"]> = Extract<ChatMessage, { readonly type: T }>;

/** What a message comes to, once what it needs has been read. */
export type Apply = (context: ChatContext) => void;

/** [channels 10.7.2] */
export function requireInChat({ chat }: ChatContext, userId: number): void {
  if (!chat.hasUser(userId)) throw notInChat(chat.channelId);
}

export function notInChat(channelId: number): RpcError {
  return RpcError.internal(`you are not in the chat of channel ${channelId}, join it first`);
}

/** Sends to every connection in the chat but that of the message. [channels 17.9] */
export function tellOthers(
  { turn, chat }: ChatContext,
  { connection }: ChatMessage,
  field: Uint8Array,
): void {
  for (const key of chat.participants.keys()) {
    if (key !== connection.key) turn.push(key, field);
  }
}
