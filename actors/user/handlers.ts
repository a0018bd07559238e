/** Handlers of a user's messages: those of clients by name, those of other actors by type. */
import type { MessageName } from "../../proto/mod.ts";
import { isNewer } from "../notes_version.ts";
import type { UserMessage } from "../refs/mod.ts";
import { fieldOf } from "../turn.ts";
import {
  handleRemoveContact,
  handleRequestContact,
  handleRespondToContactRequest,
} from "./contacts.ts";
import { pushAll, type UserContext, type UserRequestContext } from "./context.ts";
import {
  endJoin,
  joinAgain,
  joinAllowed,
  joinPrepared,
  prepareJoin,
  startJoin,
} from "./joining.ts";
import {
  answered,
  handleGetNotifications,
  handleMarkNotificationRead,
  notificationDeleted,
  notified,
  unnotify,
} from "./notifications.ts";
import { handleAckChannelMessage, messageObserved } from "./observing.ts";
import { planChanged, refreshModelTokens } from "./plan.ts";
import { accountRemoved, connected, connectionLost, publish, refreshPresence } from "./presence.ts";
import { ring } from "./ringing.ts";
import {
  callAsked,
  handleCreateRoom,
  handleJoinChannel,
  handleLeaveRoom,
  ringEnded,
} from "./seat.ts";
import { handleSubscribeToChannels } from "./subscribing.ts";

export const userHandlers: Partial<Record<MessageName, (context: UserRequestContext) => void>> = {
  RequestContact: handleRequestContact,
  RespondToContactRequest: handleRespondToContactRequest,
  RemoveContact: handleRemoveContact,
  GetNotifications: handleGetNotifications,
  MarkNotificationRead: handleMarkNotificationRead,
  SubscribeToChannels: handleSubscribeToChannels,
  AckChannelMessage: handleAckChannelMessage,
  CreateRoom: handleCreateRoom,
  LeaveRoom: handleLeaveRoom,
  JoinChannel: handleJoinChannel,
};

export function userMessages(context: UserContext, message: UserMessage): void {
  const { system, turn, user, graces } = context;
  switch (message.type) {
    case "user.connected":
      return connected(context, message.connection);
    case "user.connection_lost":
      connectionLost(context, message.key);
      return graces.start(message.key);
    case "user.publish":
      return publish(context);
    case "user.contact_published": {
      if (!(user.contacts.get(message.userId)?.accepted ?? false)) return;
      const { userId, online, busy } = message;
      const contacts = [{ userId: BigInt(userId), online, busy }];
      return pushAll(context, fieldOf("UpdateContacts", { contacts }));
    }
    case "user.plan_changed":
      return planChanged(context, message.pro);
    case "user.refresh_model_tokens":
      return refreshModelTokens(context);
    case "user.push":
      return pushAll(context, message.field);
    case "user.left":
      return turn.ack(message.connection, message.requestId);
    case "user.account_removed":
      return accountRemoved(context, message.userId);
    case "user.seated":
      user.seat = { roomId: message.roomId, active: message.active };
      if (message.key !== undefined) graces.watch(message.key);
      return refreshPresence(system, user);
    case "user.unseated":
      if (user.seat?.roomId !== message.roomId) return;
      user.seat = undefined;
      return refreshPresence(system, user);
    case "user.call_asked":
      return callAsked(context, message);
    case "user.ring":
      return ring(context, message.field, (displayed) => ringEnded(context, message, displayed));
    case "user.contact_changed":
      if (message.contact === undefined) user.contacts.delete(message.otherId);
      else user.contacts.set(message.otherId, message.contact);
      return pushAll(context, message.field);
    case "user.notified":
      return notified(context, message.row);
    case "user.unnotify":
      return unnotify(context, message.kind, message.entityId);
    case "user.notification_deleted":
      return notificationDeleted(context, message.row);
    case "user.message_observed":
      messageObserved(user, message.channelId, message.messageId);
      return;
    case "user.notification_answered": {
      const read = answered(context, message.kind, message.entityId, message.response);
      if (read !== undefined) pushAll(context, read);
      return;
    }
    case "user.notes_observed":
      if (isNewer(message.version, user.observedNotes.get(message.channelId))) {
        user.observedNotes.set(message.channelId, message.version);
      }
      return;
    case "user.notes_open":
      return graces.watch(message.key);
    case "user.join_channel":
      if (user.joining === undefined) return startJoin(context, message.join);
      user.waiting.push(() => context.ref.tell(message, 0));
      return;
    case "user.join_allowed":
      return joinAllowed(context, message);
    case "user.evicted":
      return prepareJoin(context, message.join);
    case "user.join_prepared":
      return joinPrepared(context, message);
    case "user.join_again":
      return joinAgain(context, message.join);
    case "user.join_ended":
      return endJoin(context, message.join, message.error);
  }
}
