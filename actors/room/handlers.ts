/** Handlers of a room's messages: those of clients by name, those of other actors by type. */
import type { MessageName } from "../../proto/mod.ts";
import type { RoomMessage } from "../refs/mod.ts";
import { close, endProject, report } from "./administering.ts";
import {
  announceCall,
  callAllowed,
  calleeGone,
  callRefused,
  dropAbsentCallees,
  handleCall,
  handleCancelCall,
  handleDeclineCall,
  handleJoinRoom,
  ringEnded,
} from "./calls.ts";
import { joinChannel } from "./channel.ts";
import type { RequestContext, RoomContext } from "./context.ts";
import { handleFollow, handleUnfollow, handleUpdateFollowers } from "./following.ts";
import {
  cleanUp,
  createRoom,
  endRoom,
  evict,
  handleSetRoomParticipantRole,
  handleUpdateParticipantLocation,
  leave,
  leaveOnRequest,
  removeUser,
  setRole,
} from "./membership.ts";
import { handleRejoinRoom } from "./rejoin.ts";
import { handleShareProject } from "./sharing.ts";

export const roomHandlers: Partial<Record<MessageName, (context: RequestContext) => void>> = {
  JoinRoom: handleJoinRoom,
  RejoinRoom: handleRejoinRoom,
  Call: handleCall,
  CancelCall: handleCancelCall,
  DeclineCall: handleDeclineCall,
  SetRoomParticipantRole: handleSetRoomParticipantRole,
  UpdateParticipantLocation: handleUpdateParticipantLocation,
  ShareProject: handleShareProject,
  Follow: handleFollow,
  Unfollow: handleUnfollow,
  UpdateFollowers: handleUpdateFollowers,
};

export function roomMessages(context: RoomContext, message: RoomMessage): void {
  switch (message.type) {
    case "room.create":
      return createRoom(context, message);
    case "room.leave":
      return message.request === undefined
        ? leave(context, [message.key])
        : leaveOnRequest(context, message.key, message.request);
    case "room.callee_gone":
      return calleeGone(context, message.userId);
    case "room.connection_lost":
      return context.hostMoved(message.key);
    case "room.user_removed":
      return removeUser(context, message.userId);
    case "room.call_allowed":
      return callAllowed(context, message);
    case "room.call_refused":
      return callRefused(context, message);
    case "room.ring_ended":
      return ringEnded(context, message);
    case "room.announce_call":
      return announceCall(context, message.userId, message.connection);
    case "room.clean_up":
      return cleanUp(context);
    case "room.drop_absent_callees":
      return dropAbsentCallees(context);
    case "room.evict":
      return evict(context, message);
    case "room.join_channel":
      return joinChannel(context, message);
    case "room.role_allowed":
      return setRole(context, message.change);
    case "room.report":
      return report(context, message);
    case "room.close":
      return close(context, message);
    case "room.end_project":
      return endProject(context, message);
    case "room.channel_deleted":
      if (context.room.participants.size === 0) endRoom(context);
  }
}
