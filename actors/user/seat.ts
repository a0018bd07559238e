/** The seat in at most one room, which the user's actor gives and takes. [rooms 9.2] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { copied } from "../inbound.ts";
import type { UserMessage } from "../refs/mod.ts";
import { answerError } from "../refuse.ts";
import { ACK } from "../turn.ts";
import type { UserContext, UserRequestContext } from "./context.ts";
import { startJoin } from "./joining.ts";
import { refreshPresence } from "./presence.ts";
import { RING_FAILED } from "./ringing.ts";

/** While the user is on the way to a channel's call, whatever needs the seat waits. [rooms 19.4] */
function withSeat(handle: (context: UserRequestContext) => void) {
  return (context: UserRequestContext): void => {
    const { user, inbound } = context;
    if (user.joining === undefined) return handle(context);
    const kept = copied(inbound);
    user.waiting.push(() => context.handleAgain(kept));
  };
}

/** [rooms 10.1] */
export const handleCreateRoom = withSeat(({ system, turn, user, inbound }) => {
  if (user.seat !== undefined) {
    throw RpcError.internal("cannot create a room: you are in one or being called into one");
  }
  const { id, write: counter } = system.ids.next("room");
  user.seat = { roomId: id, active: true };
  refreshPresence(system, user);
  const { connection, requestId } = inbound;
  turn.then((gate) =>
    system.createRoom(id).tell({ type: "room.create", connection, requestId, counter }, gate)
  );
});

/** [rooms 10.7] Not being in a room is success. */
export const handleLeaveRoom = withSeat(({ system, turn, user, inbound }) => {
  const { connection, requestId } = inbound;
  const room = user.seat?.active === true ? system.registry.rooms.get(user.seat.roomId) : undefined;
  if (room === undefined) turn.ack(connection, requestId);
  else {
    turn.tellRoom(room, {
      type: "room.leave",
      key: connection.key,
      request: { connection, requestId },
    });
  }
});

export const handleJoinChannel = withSeat((context) => {
  const { connection, requestId, payload } = context.inbound;
  const channelId = Number(decode("JoinChannel", payload).channelId);
  startJoin(context, { channelId, connection, requestId });
});

/** Somebody in a room calls the user: the seat is taken for it if it is free. [rooms 10.2] */
export function callAsked(
  { system, turn, user }: UserContext,
  { roomId, callerId, ticket }: Extract<UserMessage, { type: "user.call_asked" }>,
): void {
  const room = system.registry.rooms.get(roomId);
  if (room === undefined) return;
  const reason = !(user.contacts.get(callerId)?.accepted ?? false)
    ? "cannot call a user who isn't a contact"
    : user.seat !== undefined || user.joining !== undefined
    ? "cannot call: this user is in a room or being called already"
    : undefined;
  if (reason !== undefined) {
    turn.tellRoom(room, { type: "room.call_refused", ticket, reason });
    return;
  }
  user.seat = { roomId, active: false };
  refreshPresence(system, user);
  turn.tellRoom(room, { type: "room.call_allowed", ticket, userId: user.id });
}

/** A caller whose room has ended meanwhile is answered from here. [rooms 10.2.7] */
export function ringEnded(
  { system }: UserContext,
  { roomId, ticket, caller, requestId }: Extract<UserMessage, { type: "user.ring" }>,
  displayed: boolean,
): void {
  const room = system.registry.rooms.get(roomId);
  if (room !== undefined) room.tell({ type: "room.ring_ended", ticket, displayed }, 0);
  else if (displayed) caller.outbox.push(ACK, requestId, 0);
  else answerError({ connection: caller, requestId }, RING_FAILED);
}
