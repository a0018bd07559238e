/** How far a user has seen the chats of channels. [channels 10.10] [channels 10.11] */
import { decode } from "../../proto/mod.ts";
import { fieldOf } from "../turn.ts";
import { wireNotification } from "../notification.ts";
import { pushAll, type UserContext, type UserRequestContext } from "./context.ts";
import { unreadKey, type UserState } from "./state.ts";

/** Seen marks only advance. */
export function messageObserved(user: UserState, channelId: number, messageId: number): boolean {
  if (messageId <= (user.observedMessages.get(channelId) ?? 0)) return false;
  user.observedMessages.set(channelId, messageId);
  return true;
}

/**
 * [channels 10.10] What was never sent cannot have been seen: it would stand in the way of what comes.
 */
export function handleAckChannelMessage(context: UserRequestContext): void {
  const { system, turn, user, inbound } = context;
  const request = decode("AckChannelMessage", inbound.payload);
  const channelId = Number(request.channelId);
  const messageId = Number(request.messageId);
  if (!system.registry.channels.has(channelId) || messageId > system.ids.last("message")) return;
  if (messageObserved(user, channelId, messageId)) {
    turn.put("observed_channel_messages", {
      channel_id: channelId,
      user_id: user.id,
      channel_message_id: messageId,
    });
  }
  readMention(context, messageId);
}

function readMention(context: UserContext, messageId: number): void {
  const { turn, user } = context;
  const key = unreadKey("ChannelMessageMention", messageId);
  const row = user.unread.get(key);
  if (row === undefined) return;
  user.unread.delete(key);
  const read = { ...row, is_read: true };
  turn.put("notifications", read);
  pushAll(context, fieldOf("AddNotification", { notification: wireNotification(read) }));
}
