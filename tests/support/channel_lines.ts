import type { Init, MessageName, MessageTypes } from "../../proto/mod.ts";
import { notesVersionText } from "./notes.ts";

const ROLES = ["Admin", "Member", "Guest", "Banned", "Talker"];

type Login = (id: bigint) => string;

/** A channel as text: `2 notes Members 1 in 1/`, that is id, name, visibility, order, path. */
export function channelText(channel: Init<MessageTypes["Channel"]>): string {
  const { id, name, visibility, channelOrder, parentPath } = channel as MessageTypes["Channel"];
  const place = parentPath.length === 0 ? "" : ` in ${parentPath.map((one) => `${one}/`).join("")}`;
  return `${id} ${name} ${visibility === 0 ? "Public" : "Members"} ${channelOrder}${place}`;
}

/** What a message about channels says, as parts of a line; undefined for other messages. */
export function channelDetails(
  name: MessageName,
  value: unknown,
  login: Login,
): string[] | undefined {
  switch (name) {
    case "UpdateUserChannels": {
      const {
        channelMemberships,
        observedChannelMessageId,
        observedChannelBufferVersion,
      } = value as MessageTypes["UpdateUserChannels"];
      const seenNotes = observedChannelBufferVersion.map(notesVersionText).join(", ");
      const seen = observedChannelMessageId.map(messageIdText).join(", ");
      return [
        channelMemberships.map((one) => `${one.channelId} ${ROLES[one.role]}`).join(", "),
        ...(seen === "" ? [] : [`seen ${seen}`]),
        ...(seenNotes === "" ? [] : [`seen notes ${seenNotes}`]),
      ].filter((part) => part !== "");
    }
    case "UpdateChannels":
      return updateDetails(value as MessageTypes["UpdateChannels"], login);
    case "CreateChannelResponse": {
      const { channel, parentId } = value as MessageTypes["CreateChannelResponse"];
      return [
        channelText(channel as MessageTypes["Channel"]),
        ...(parentId === undefined ? [] : [`under ${parentId}`]),
      ];
    }
    case "RenameChannelResponse": {
      const { channel } = value as MessageTypes["RenameChannelResponse"];
      return [channelText(channel as MessageTypes["Channel"])];
    }
    case "GetChannelMembersResponse": {
      const { members, users } = value as MessageTypes["GetChannelMembersResponse"];
      const known = new Map(users.map((user) => [user.id, user.githubLogin]));
      return [
        members.map(({ userId, role, kind }) =>
          `${known.get(userId) ?? "nobody"} ${ROLES[role]}${kind === 1 ? " invited" : ""}`
        ).join(", "),
      ];
    }
    case "ChannelMessageSent":
    case "ChannelMessageUpdate":
    case "SendChannelMessageResponse": {
      const { channelId, message } = value as Partial<MessageTypes["ChannelMessageSent"]>;
      return [
        ...(channelId === undefined ? [] : [`in ${channelId}:`]),
        messageText(message as MessageTypes["ChannelMessage"], login),
      ];
    }
    case "RemoveChannelMessage": {
      const { channelId, messageId } = value as MessageTypes["RemoveChannelMessage"];
      return [messageIdText({ channelId, messageId })];
    }
    case "JoinChannelChatResponse":
    case "GetChannelMessagesResponse": {
      const { messages, done } = value as MessageTypes["GetChannelMessagesResponse"];
      const ids = messages.map(({ id }) => id);
      const text = ids.length > 4 ? `${ids[0]}…${ids.at(-1)} (${ids.length})` : ids.join(",");
      return [text, ...(done ? ["done"] : [])].filter((part) => part !== "");
    }
    default:
      return undefined;
  }
}

/** `1@5`: message 5 of channel 1. */
function messageIdText({ channelId, messageId }: Init<MessageTypes["ChannelMessageId"]>): string {
  return `${channelId}@${messageId}`;
}

/** `5 a "hi" [0-2 b] re 4 edited`. */
function messageText(message: MessageTypes["ChannelMessage"], login: Login): string {
  const { id, body, senderId, mentions, replyToMessageId, editedAt } = message;
  return [
    `${id} ${login(senderId)} ${JSON.stringify(body)}`,
    ...mentions.map(({ range, userId }) => `[${range?.start}-${range?.end} ${login(userId)}]`),
    ...(replyToMessageId === undefined ? [] : [`re ${replyToMessageId}`]),
    ...(editedAt === undefined ? [] : ["edited"]),
  ].join(" ");
}

function updateDetails(update: MessageTypes["UpdateChannels"], login: Login): string[] {
  const parts: string[] = [];
  const add = (label: string, texts: readonly string[]) =>
    texts.length > 0 && parts.push(`${label} ${texts.join(", ")}`);
  add("shows", update.channels.map(channelText));
  add("hides", update.deleteChannels.map(String));
  add("invites", update.channelInvitations.map(channelText));
  add("uninvites", update.removeChannelInvitations.map(String));
  add(
    "calls",
    update.channelParticipants.map(({ channelId, participantUserIds }) =>
      `${channelId}(${participantUserIds.map(login).join(",")})`
    ),
  );
  add("notes", update.latestChannelBufferVersions.map(notesVersionText));
  add("chat", update.latestChannelMessageIds.map(messageIdText));
  return parts.length === 0 ? [] : [parts.join(" | ")];
}
