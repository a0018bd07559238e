/** Saying something in a chat. [channels 10.7] */
import type { MessageRow } from "../../db/message_store.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { fieldOf } from "../turn.ts";
import {
  type Apply,
  type ChatContext,
  type ChatSource,
  type Of,
  requireInChat,
  tellOthers,
} from "./context.ts";
import { mentionedIn, notifyMentioned, refuseUnknown, unknownUser } from "./mentions.ts";
import { mentionsText, wireMessage, wireSent } from "./message.ts";

/** A nonce that its sender has used before stands for what was sent then. [channels Q-15] */
export async function send(
  { system, channelId }: ChatSource,
  message: Of<"chat.send">,
): Promise<Apply> {
  const { connection, draft } = message;
  const mentioned = mentionedIn(draft);
  const used = await system.store.messages.byNonce(connection.userId, draft.nonce);
  const before = used.find((row) => row.channel_id === channelId) ?? used[0];
  const unknown = await unknownUser(system, mentioned);
  return (context) => {
    requireInChat(context, connection.userId);
    if (before !== undefined) return repeat(context, message, before);
    refuseUnknown(unknown);
    sendNew(context, message, mentioned);
  };
}

/** [channels 10.7.3] */
function repeat(context: ChatContext, message: Of<"chat.send">, row: MessageRow): void {
  if (row.channel_id !== context.chat.channelId) {
    throw RpcError.internal("you have used this nonce in another channel");
  }
  say(context, message, row.id, wireMessage(row));
}

/** [channels 10.7.4] */
function sendNew(
  context: ChatContext,
  message: Of<"chat.send">,
  mentioned: ReadonlySet<number>,
): void {
  const { system, turn, chat: { channelId } } = context;
  const { connection: { userId }, draft, replyTo } = message;
  const mentions = mentionsText(draft);
  const { id, write } = system.ids.next("message");
  const row: MessageRow = {
    channel_id: channelId,
    id,
    sender_id: userId,
    body: draft.body,
    sent_at: system.clock.now(),
    edited_at: null,
    nonce: draft.nonce,
    reply_to_message_id: replyTo ?? null,
    mentions,
  };
  turn.writes.push(write);
  turn.put("channel_messages", row);
  turn.put("observed_channel_messages", {
    channel_id: channelId,
    user_id: userId,
    channel_message_id: id,
  });
  turn.happened("channel.message_sent", () => ({ channelId, messageId: id, userId }));
  turn.tellLiveUser(userId, { type: "user.message_observed", channelId, messageId: id });
  say(context, message, id, wireSent(row, draft));
  for (const one of mentioned) notifyMentioned(context, one, id, userId);
}

/** To the others in the chat, to the sender, to all else who see the channel. [channels 10.7.5] */
function say(
  context: ChatContext,
  message: Of<"chat.send">,
  messageId: number,
  sent: Init<MessageTypes["ChannelMessage"]>,
): void {
  const { system, turn, chat: { channelId, participants } } = context;
  const { connection, requestId } = message;
  tellOthers(
    context,
    message,
    fieldOf("ChannelMessageSent", { channelId: BigInt(channelId), message: sent }),
  );
  turn.reply(connection, requestId, "SendChannelMessageResponse", { message: sent });
  const tree = system.registry.channels.get(channelId);
  if (tree === undefined) return;
  turn.tellChannel(tree, {
    type: "channel.latest_message",
    channelId,
    messageId,
    tellAllBut: new Set(participants.keys()),
  });
}
