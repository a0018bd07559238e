/** What becomes of requests that need the database while it cannot be reached. [design 1.3] */
import type { MessageName } from "../proto/mod.ts";

/**
 * Requests that are answered with an error at once: whoever sent them is told so and may try again.
 *
 * All other requests that write wait for the database with their answers: a host stops to send a tree
 * after one error [projects 7.1], and who cannot come back or leave would be shown what is not so.
 */
export const refusedWhileAway: ReadonlySet<MessageName> = new Set<MessageName>([
  "RequestContact",
  "RespondToContactRequest",
  "RemoveContact",
  "MarkNotificationRead",
  "GetNotifications",
  "CreateRoom",
  "JoinRoom",
  "Call",
  "CancelCall",
  "SetRoomParticipantRole",
  "ShareProject",
  "JoinProject",
  "CreateChannel",
  "JoinChannel",
  "RenameChannel",
  "ReorderChannel",
  "RemoveChannelMember",
  "RespondToChannelInvite",
  "DeleteChannel",
  "SetChannelVisibility",
  "MoveChannel",
  "InviteChannelMember",
  "SetChannelMemberRole",
  "JoinChannelChat",
  "SendChannelMessage",
  "UpdateChannelMessage",
  "RemoveChannelMessage",
  "GetChannelMessages",
  "GetChannelMessagesById",
  "JoinChannelBuffer",
]);
