/** Handlers of a tree's messages: those of clients by name, those of other actors by type. */
import type { MessageName } from "../../proto/mod.ts";
import type { ChannelMessage } from "../refs/mod.ts";
import {
  handleGetChannelMessages,
  handleJoinChannelChat,
  handleLeaveChannelChat,
  handleRemoveChannelMessage,
  handleSendChannelMessage,
  handleUpdateChannelMessage,
  latestMessage,
  messagesRemoved,
  readerAsked,
} from "./chatting.ts";
import type { ChannelContext, RequestContext } from "./context.ts";
import { administer, report } from "./administering.ts";
import { describe } from "./describing.ts";
import {
  createRoot,
  handleCreateChannel,
  handleDeleteChannel,
  handleMoveChannel,
  handleRenameChannel,
  handleReorderChannel,
  handleSetChannelVisibility,
} from "./editing.ts";
import { admitted, callChanged, joinAsked, letIn, roleAsked } from "./joining.ts";
import {
  handleGetChannelMembers,
  handleRemoveChannelMember,
  handleRespondToChannelInvite,
  handleSetChannelMemberRole,
  welcome,
} from "./members.ts";
import {
  handleAckBufferOperation,
  handleJoinChannelBuffer,
  handleLeaveChannelBuffer,
  handleUpdateChannelBuffer,
  notesAsked,
  notesChanged,
} from "./notes.ts";

/** `InviteChannelMember` is not here: the account that it names is looked up first. */
export const channelHandlers: Partial<Record<MessageName, (context: RequestContext) => void>> = {
  CreateChannel: handleCreateChannel,
  RenameChannel: handleRenameChannel,
  DeleteChannel: handleDeleteChannel,
  SetChannelVisibility: handleSetChannelVisibility,
  MoveChannel: handleMoveChannel,
  ReorderChannel: handleReorderChannel,
  RespondToChannelInvite: handleRespondToChannelInvite,
  RemoveChannelMember: handleRemoveChannelMember,
  SetChannelMemberRole: handleSetChannelMemberRole,
  GetChannelMembers: handleGetChannelMembers,
  JoinChannelChat: handleJoinChannelChat,
  LeaveChannelChat: handleLeaveChannelChat,
  GetChannelMessages: handleGetChannelMessages,
  SendChannelMessage: handleSendChannelMessage,
  UpdateChannelMessage: handleUpdateChannelMessage,
  RemoveChannelMessage: handleRemoveChannelMessage,
  JoinChannelBuffer: handleJoinChannelBuffer,
  UpdateChannelBuffer: handleUpdateChannelBuffer,
  LeaveChannelBuffer: handleLeaveChannelBuffer,
  AckBufferOperation: handleAckBufferOperation,
};

export function channelMessages(context: ChannelContext, message: ChannelMessage): void {
  switch (message.type) {
    case "channel.create":
      return createRoot(context, message);
    case "channel.join_asked":
      return joinAsked(context, message.join);
    case "channel.join":
      return letIn(context, message.join);
    case "channel.admitted":
      return admitted(context, message.join);
    case "channel.call_changed":
      return callChanged(context, message);
    case "channel.role_asked":
      return roleAsked(context, message);
    case "channel.report":
      return report(context, message);
    case "channel.administer":
      return administer(context, message);
    case "channel.describe":
      return describe(context, message);
    case "channel.welcome":
      return welcome(context, message.userId);
    case "channel.reader_asked":
      return readerAsked(context, message);
    case "channel.latest_message":
      return latestMessage(context, message);
    case "channel.notes_changed":
      return notesChanged(context, message);
    case "channel.notes_asked":
      return notesAsked(context, message);
    case "channel.account_removed": {
      const member = context.tree.members.get(message.userId);
      // The row has gone with the account.
      if (member !== undefined) context.removeMember(member);
      return messagesRemoved(context);
    }
  }
}
