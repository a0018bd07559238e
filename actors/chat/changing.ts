/** Changing and removing what was said. [channels 10.8] [channels 10.9] */
import type { MessageRow } from "../../db/message_store.ts";
import { RpcError } from "../../rpc/errors.ts";
import { wireNotification } from "../notification.ts";
import { fieldOf } from "../turn.ts";
import { type Apply, type ChatSource, type Of, requireInChat, tellOthers } from "./context.ts";
import {
  deleteMention,
  mentionedIn,
  mentionsOf,
  notifyMentioned,
  refuseUnknown,
  unknownUser,
} from "./mentions.ts";
import { mentionedUsers, mentionsText, wireSent } from "./message.ts";

/** [channels 10.8] Of the mentions' notifications each recipient hears alone. [channels Q-16] */
export async function edit(
  { system, channelId }: ChatSource,
  message: Of<"chat.edit">,
): Promise<Apply> {
  const { connection, requestId, messageId, draft } = message;
  const { userId } = connection;
  const mentioned = mentionedIn(draft);
  const before = await messageIn(channelId, system, messageId);
  const notifications = await mentionsOf(system, messageId);
  const unknown = await unknownUser(system, mentioned);
  return (context) => {
    const { turn } = context;
    requireInChat(context, userId);
    if (before?.sender_id !== userId) throw noMessage(messageId);
    refuseUnknown(unknown);
    const row: MessageRow = {
      ...before,
      body: draft.body,
      edited_at: system.clock.now(),
      mentions: mentionsText(draft),
    };
    turn.put("channel_messages", row);
    turn.happened("channel.message_edited", () => ({ channelId, messageId, userId }));
    turn.ack(connection, requestId);
    tellOthers(
      context,
      message,
      fieldOf("ChannelMessageUpdate", {
        channelId: BigInt(channelId),
        message: wireSent(row, draft),
      }),
    );
    for (const one of notifications) {
      if (!mentioned.has(one.recipient_id)) deleteMention(context, one);
    }
    for (const one of notifications) {
      if (!mentioned.has(one.recipient_id)) continue;
      const field = fieldOf("UpdateNotification", { notification: wireNotification(one) });
      turn.pushToUser(one.recipient_id, field);
    }
    const told = mentionedUsers(before);
    for (const { recipient_id } of notifications) told.add(recipient_id);
    for (const one of mentioned) {
      if (!told.has(one)) notifyMentioned(context, one, messageId, userId);
    }
  };
}

/** [channels 10.9] One's own, or as an admin of its channel anybody's. [channels Q-17] */
export async function remove(
  { system, channelId }: ChatSource,
  message: Of<"chat.remove">,
): Promise<Apply> {
  const { connection, requestId, messageId, byAdmin } = message;
  const row = await messageIn(channelId, system, messageId);
  const notifications = await mentionsOf(system, messageId);
  const newest = await system.store.messages.page(channelId, null, 2);
  return (context) => {
    const { turn } = context;
    requireInChat(context, connection.userId);
    if (row === undefined) throw noMessage(messageId);
    if (row.sender_id !== connection.userId && !byAdmin) throw noMessage(messageId);
    turn.remove("channel_messages", { channel_id: channelId, id: messageId });
    const { userId } = connection;
    turn.happened("channel.message_removed", () => ({ channelId, messageId, userId }));
    tellOthers(
      context,
      message,
      fieldOf("RemoveChannelMessage", {
        channelId: BigInt(channelId),
        messageId: BigInt(messageId),
      }),
    );
    for (const one of notifications) deleteMention(context, one);
    turn.ack(connection, requestId);
    const tree = system.registry.channels.get(channelId);
    if (tree === undefined || newest.at(-1)?.id !== messageId) return;
    const left = newest.length > 1 ? (newest[0] as MessageRow).id : 0;
    turn.tellChannel(tree, { type: "channel.latest_message", channelId, messageId: left });
  };
}

async function messageIn(
  channelId: number,
  { store }: ChatSource["system"],
  messageId: number,
): Promise<MessageRow | undefined> {
  const [row] = await store.messages.byId([messageId]);
  return row?.channel_id === channelId ? row : undefined;
}

function noMessage(messageId: number): RpcError {
  return RpcError.internal(`message ${messageId} is none of yours to change in this channel`);
}
