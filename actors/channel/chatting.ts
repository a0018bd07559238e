/** A tree's part in the chats of its channels: who may do what, and who hears of it. [channels 10] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { editedDraft, newDraft, notInChat, openChat } from "../chat/mod.ts";
import type { ChannelMessage, ChatMessage } from "../refs/mod.ts";
import { type ChannelContext, type RequestContext, tellByRole, updateChannels } from "./context.ts";

type Asked<T extends ChannelMessage["type"]> = Extract<ChannelMessage, { readonly type: T }>;
/** A message without whom it is from. */
type Part<M = ChatMessage> = M extends ChatMessage ? Omit<M, "connection" | "requestId"> : never;

export function handleJoinChannelChat(context: RequestContext): void {
  hand(context, { type: "chat.join" });
}

/** Whoever is in the chat may leave it. */
export function handleLeaveChannelChat(context: RequestContext): void {
  const { system, channel } = context;
  if (system.registry.chats.has(channel.id)) hand(context, { type: "chat.leave" });
}

export function handleGetChannelMessages(context: RequestContext): void {
  const { beforeMessageId } = decode("GetChannelMessages", context.inbound.payload);
  const beforeId = Math.min(Number(beforeMessageId), Number.MAX_SAFE_INTEGER);
  hand(context, { type: "chat.page", beforeId });
}

/** What is wrong with the message comes before what is wrong with the channel. [channels 18] */
export function handleSendChannelMessage(context: RequestContext): void {
  const request = decode("SendChannelMessage", context.inbound.payload);
  const draft = newDraft(request);
  requireParticipant(context);
  hand(context, { type: "chat.send", draft, replyTo: request.replyToMessageId });
}

export function handleUpdateChannelMessage(context: RequestContext): void {
  const request = decode("UpdateChannelMessage", context.inbound.payload);
  const draft = editedDraft(request);
  hand(context, { type: "chat.edit", messageId: idOf(request.messageId), draft });
}

/** Needs no role for what one has sent, as long as one is in the chat. [channels 10.9] */
export function handleRemoveChannelMessage(context: RequestContext): void {
  const { system, tree, channel, inbound } = context;
  if (!system.registry.chats.has(channel.id)) throw notInChat(channel.id);
  const { messageId } = decode("RemoveChannelMessage", inbound.payload);
  const byAdmin = tree.isAdmin(channel, inbound.connection.userId);
  hand(context, { type: "chat.remove", messageId: idOf(messageId), byAdmin });
}

/** [channels 10.5] */
export function readerAsked(
  { turn, tree }: ChannelContext,
  { channelId, userId, answer }: Asked<"channel.reader_asked">,
): void {
  const channel = tree.channels.get(channelId);
  const may = channel !== undefined && tree.isParticipant(channel, userId);
  turn.then((gate) => answer(may, gate));
}

/** Everybody who sees the channel hears of it, not only who is in it. [channels Q-10] */
export function latestMessage(
  context: ChannelContext,
  { channelId, messageId, insteadOf, tellAllBut }: Asked<"channel.latest_message">,
): void {
  const { latestMessages, channels } = context.tree;
  const channel = channels.get(channelId);
  const before = latestMessages.get(channelId) ?? 0;
  if (channel === undefined || (insteadOf !== undefined && before !== insteadOf)) return;
  // A message that is sent once more is not a new one.
  const latest = tellAllBut === undefined ? messageId : Math.max(before, messageId);
  if (latest === 0) latestMessages.delete(channelId);
  else latestMessages.set(channelId, latest);
  if (tellAllBut === undefined) return;
  const field = updateChannels({
    latestChannelMessageIds: [{ channelId: BigInt(channelId), messageId: BigInt(latest) }],
  });
  tellByRole(context, (sees) => (sees(channel) ? field : undefined), tellAllBut);
}

/** What the account has said is gone with it: which messages are the newest now? */
export function messagesRemoved({ system, turn, tree }: ChannelContext): void {
  const before = new Map(tree.latestMessages);
  if (before.size === 0) return;
  turn.then(() => {
    void system.journal.settled()
      .then(() => system.store.messages.newest(tree.rootId))
      .then((rows) => {
        const now = new Map(rows.map(({ channelId, messageId }) => [channelId, messageId]));
        for (const [channelId, insteadOf] of before) {
          const messageId = now.get(channelId) ?? 0;
          system.registry.channels.get(channelId)?.tell(
            { type: "channel.latest_message", channelId, messageId, insteadOf },
            0,
          );
        }
      })
      .catch((error) => {
        system.log.error("The newest messages cannot be read: {error}", { error });
      });
  });
}

function hand({ system, turn, channel, inbound }: RequestContext, part: Part): void {
  const { connection, requestId } = inbound;
  turn.tellChat(openChat(system, channel.id), { ...part, connection, requestId });
}

function requireParticipant({ tree, channel, inbound }: RequestContext): void {
  if (!tree.isParticipant(channel, inbound.connection.userId)) {
    throw RpcError.internal(`you have no role in channel ${channel.id}`);
  }
}

/** A number that no message has is as good as any other such number. */
function idOf(id: bigint): number {
  return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : 0;
}
