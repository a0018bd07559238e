/** Coming into a chat, leaving it, and reading what was said. [channels 10.2–10.4] */
import type { MessageRow } from "../../db/message_store.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { Apply, ChatSource, Of } from "./context.ts";
import { wireMessage } from "./message.ts";

/** Messages in one answer. [channels 10.2] */
const PAGE = 100;

/** [channels 10.2] A connection that is gone meanwhile does not come in. */
export async function join({ system, channelId }: ChatSource, message: Of<"chat.join">): Promise<
  Apply
> {
  const { connection, requestId } = message;
  const rows = await system.store.messages.page(channelId, null, PAGE);
  return ({ turn, chat, watcher }) => {
    if (system.registry.connections.get(connection.key) !== connection) return;
    chat.participants.set(connection.key, connection.userId);
    connection.watchers.add(watcher);
    turn.reply(connection, requestId, "JoinChannelChatResponse", pageOf(rows));
  };
}

/** [channels 10.3] */
export function leave({ connection }: Of<"chat.leave">): Apply {
  return ({ chat, watcher }) => {
    chat.participants.delete(connection.key);
    connection.watchers.delete(watcher);
  };
}

/** [channels 10.4] */
export async function page(
  { system, channelId }: ChatSource,
  { connection, requestId, beforeId }: Of<"chat.page">,
): Promise<Apply> {
  const rows = await system.store.messages.page(channelId, beforeId, PAGE);
  return ({ turn }) =>
    turn.reply(connection, requestId, "GetChannelMessagesResponse", pageOf(rows));
}

/** An answer with messages. */
export function pageOf(
  rows: readonly MessageRow[],
): Init<MessageTypes["GetChannelMessagesResponse"]> {
  return { messages: rows.map(wireMessage), done: rows.length < PAGE };
}
