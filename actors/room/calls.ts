/** Calls: asking somebody into a room, and what can become of it. [rooms 10.2–10.5] */
import { decode } from "../../proto/mod.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { mayPublish, Role } from "../roles.ts";
import type { ConnectionRef, RoomMessage } from "../refs/mod.ts";
import { fieldOf } from "../turn.ts";
import { type RequestContext, type RoomContext, saveParticipant, updateRoom } from "./context.ts";
import { answerWithMedia } from "./media.ts";
import { type Participant, participantProject } from "./state.ts";

/** Calls of one room that may wait for an answer; a device that never gives one keeps each open. */
const OPEN_CALLS = 256;

/** [rooms 10.2] The callee's own actor decides whether the callee can be rung. */
export function handleCall(context: RequestContext): void {
  const { turn, room, rings, inbound } = context;
  const request = decode("Call", inbound.payload);
  const caller = room.participants.get(inbound.connection.userId);
  if (caller?.key === undefined) throw RpcError.internal("cannot call: you are not in this room");
  if (caller.role === Role.Banned) throw RpcError.internal("cannot call: you are banned");
  const calleeId = Number(request.calledUserId);
  if (room.participants.has(calleeId)) {
    throw RpcError.internal("cannot call: this user is in the room or being called already");
  }
  if (rings.size >= OPEN_CALLS) {
    const text = `cannot call: ${OPEN_CALLS} calls of this room wait for an answer already`;
    throw new RpcError(ErrorCode.RateLimitExceeded, text);
  }
  const ticket = rings.add({
    caller: inbound.connection,
    requestId: inbound.requestId,
    calleeId,
    initialProjectId: request.initialProjectId,
    callee: undefined,
    later: [],
  });
  turn.tellUser(calleeId, {
    type: "user.call_asked",
    roomId: room.id,
    callerId: caller.userId,
    ticket,
  });
}

/** The callee may be rung: the pending row is made, everybody is told, the ring goes out. */
export function callAllowed(
  context: RoomContext,
  { ticket, userId }: Extract<RoomMessage, { type: "room.call_allowed" }>,
): void {
  const { turn, room, rings } = context;
  const ring = rings.get(ticket);
  const caller = ring === undefined ? undefined : room.participants.get(ring.caller.userId);
  if (ring === undefined || caller?.key === undefined || room.participants.has(userId)) {
    rings.take(ticket);
    turn.tellUser(userId, { type: "user.unseated", roomId: room.id });
    if (ring !== undefined) turn.fail(ring.caller, ring.requestId, tooLate());
    return;
  }
  const byEditor = caller.role === undefined || caller.role === Role.Admin ||
    caller.role === Role.Member;
  const callee: Participant = {
    userId: ring.calleeId,
    key: undefined,
    location: { kind: "external" },
    initialProjectId: ring.initialProjectId,
    callingUserId: caller.userId,
    callingKey: ring.caller.key,
    index: undefined,
    role: byEditor ? Role.Member : Role.Guest,
    ordinal: room.nextOrdinal(),
  };
  ring.callee = callee.ordinal;
  room.add(callee);
  saveParticipant(context, callee);
  updateRoom(context);
  turn.tellUser(callee.userId, { type: "user.publish" });
  turn.tellUser(callee.userId, {
    type: "user.ring",
    roomId: room.id,
    ticket,
    caller: ring.caller,
    requestId: ring.requestId,
    field: incomingCall(context, callee),
  });
}

export function callRefused(
  { turn, rings }: RoomContext,
  { ticket, reason }: Extract<RoomMessage, { type: "room.call_refused" }>,
): void {
  const ring = rings.take(ticket);
  if (ring !== undefined) turn.fail(ring.caller, ring.requestId, RpcError.internal(reason));
}

/** One device showed the ring, or none can. [rooms 10.2] */
export function ringEnded(
  context: RoomContext,
  { ticket, displayed }: Extract<RoomMessage, { type: "room.ring_ended" }>,
): void {
  const { turn, room, rings, system } = context;
  // The server goes down, and the devices with it: they ring again at the next start. [rooms 16]
  if (!displayed && system.draining) return;
  const ring = rings.take(ticket);
  // A caller that is gone waits for nothing: the row stays until its grace runs out. [rooms 5.6]
  if (ring === undefined || !system.registry.connections.has(ring.caller.key)) return;
  if (displayed) {
    turn.ack(ring.caller, ring.requestId);
    return;
  }
  const callee = room.participants.get(ring.calleeId);
  // A seat that is taken by now, or that a later call made, stays. [rooms Q-8]
  if (callee !== undefined && callee.key === undefined && callee.ordinal === ring.callee) {
    removePending(context, callee);
  }
  updateRoom(context);
  // Who was asked shows nothing; who came later does.
  for (const key of ring.later) turn.push(key, canceled(room.id));
  turn.tellUser(ring.calleeId, { type: "user.publish" });
  turn.fail(ring.caller, ring.requestId, RpcError.internal("failed to ring user"));
}

/** The room ends: calls whose callees have not been asked to the end are answered. */
export function failAskedCalls({ turn, rings }: RoomContext): void {
  for (const ring of rings.takeAsked()) turn.fail(ring.caller, ring.requestId, tooLate());
}

function tooLate(): RpcError {
  return RpcError.internal("the call cannot be made any more");
}

/** [rooms 10.3] The calling user may cancel from any connection of the room. */
export function handleCancelCall(context: RequestContext): void {
  const { turn, room, inbound } = context;
  const request = decode("CancelCall", inbound.payload);
  const callee = room.participants.get(Number(request.calledUserId));
  if (
    callee === undefined || callee.key !== undefined ||
    callee.callingUserId !== inbound.connection.userId
  ) throw RpcError.internal("cannot cancel: there is no such call of yours");
  removePending(context, callee);
  updateRoom(context);
  tellCanceled(context, callee.userId);
  turn.ack(inbound.connection, inbound.requestId);
  turn.tellUser(callee.userId, { type: "user.publish" });
}

/** [rooms 10.4] */
export function handleDeclineCall(context: RequestContext): void {
  const { turn, room, inbound } = context;
  const callee = room.participants.get(inbound.connection.userId);
  if (callee === undefined || callee.key !== undefined) {
    throw RpcError.internal("cannot decline: nobody calls you into this room");
  }
  removePending(context, callee);
  updateRoom(context);
  tellCanceled(context, callee.userId);
  turn.tellUser(callee.userId, { type: "user.publish" });
}

/** [rooms 10.5] */
export function handleJoinRoom(context: RequestContext): void {
  const { turn, room, inbound } = context;
  const { connection, requestId } = inbound;
  if (room.channelId !== undefined) {
    const join = { channelId: room.channelId, connection, requestId };
    turn.tellUser(connection.userId, { type: "user.join_channel", join });
    return;
  }
  const joiner = room.participants.get(connection.userId);
  if (joiner === undefined) throw RpcError.internal("cannot join: nobody calls you into this room");
  if (joiner.key !== undefined) {
    throw RpcError.internal("cannot join: you are in this room already");
  }
  joiner.index = room.freeIndex();
  room.bind(joiner, connection.key);
  saveParticipant(context, joiner);
  updateRoom(context);
  turn.tellUser(joiner.userId, { type: "user.seated", roomId: room.id, active: true });
  tellCanceled(context, joiner.userId);
  answerWithMedia(
    context,
    { connection, requestId },
    mayPublish(joiner.role),
    (info) => fieldOf("JoinRoomResponse", { room: room.snapshot(), liveKitConnectionInfo: info }),
  );
  turn.tellUser(joiner.userId, { type: "user.publish" });
}

/** The callee has no connection left and will not answer. [rooms 14.4] */
export function calleeGone(context: RoomContext, userId: number): void {
  const callee = context.room.participants.get(userId);
  if (callee === undefined || callee.key !== undefined) return;
  removePending(context, callee);
  updateRoom(context);
}

/** Rings of an earlier epoch whose callees have not come back. [rooms Q-21] */
export function dropAbsentCallees(context: RoomContext): void {
  const { system, turn, room } = context;
  const absent = room.pendingParticipants()
    .filter((one) => !system.presence.get(one.userId).online);
  if (absent.length === 0) return;
  for (const callee of absent) removePending(context, callee);
  updateRoom(context);
  for (const callee of absent) turn.tellUser(callee.userId, { type: "user.publish" });
}

/** A new connection of somebody who is being rung. [rooms 4.2] */
export function announceCall(
  context: RoomContext,
  userId: number,
  connection: ConnectionRef,
): void {
  const { turn, room, rings } = context;
  const callee = room.participants.get(userId);
  if (callee === undefined || callee.key !== undefined) return;
  rings.of(callee.ordinal)?.later.push(connection.key);
  turn.push(connection.key, incomingCall(context, callee));
}

/** Removes a pending row and frees the callee; nobody is told yet. */
export function removePending(context: RoomContext, callee: Participant): void {
  context.room.delete(callee);
  context.turn.remove("room_participants", { user_id: callee.userId });
  context.turn.tellUser(callee.userId, { type: "user.unseated", roomId: context.room.id });
}

/** Stops the ringing on every device of a user. */
export function tellCanceled({ turn, room }: RoomContext, userId: number): void {
  turn.tellUser(userId, { type: "user.push", field: canceled(room.id) });
}

/** A call into that room rings no more. */
export function canceled(roomId: number): Uint8Array {
  return fieldOf("CallCanceled", { roomId: BigInt(roomId) });
}

function incomingCall({ room }: RoomContext, callee: Participant): Uint8Array {
  const project = callee.initialProjectId === undefined
    ? undefined
    : room.projects.get(Number(callee.initialProjectId));
  const shared = project !== undefined && room.active.has(project.hostKey) ? project : undefined;
  return fieldOf("IncomingCall", {
    roomId: BigInt(room.id),
    callingUserId: BigInt(callee.callingUserId),
    participantUserIds: room.activeParticipants().map((one) => BigInt(one.userId)),
    initialProject: shared === undefined ? undefined : participantProject(shared),
  });
}
