/** Making a room, leaving it, and what is cleared away after a restart. [rooms 10.1] [rooms 10.8] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { keyOwner, type PeerKey } from "../../rpc/peer_id.ts";
import { removeGuest, tellUnshared } from "../project/mod.ts";
import { isRole, mayPublish, Role } from "../roles.ts";
import type { ConnectionRef, RoleChange, RoomMessage } from "../refs/mod.ts";
import { ACK, fieldOf } from "../turn.ts";
import { askForRole } from "./channel.ts";
import { calleeGone, failAskedCalls, removePending, tellCanceled } from "./calls.ts";
import {
  dropFollowers,
  type RequestContext,
  type RoomContext,
  roomFacts,
  saveParticipant,
  tellChannel,
  updateRoom,
} from "./context.ts";
import { answerWithMedia, tellMedia } from "./media.ts";
import { roomRow } from "./rows.ts";
import type { Participant } from "./state.ts";

/** [rooms 10.1] The user's own actor has given the user's one seat to this room. */
export function createRoom(
  context: RoomContext,
  { connection, requestId, counter }: Extract<RoomMessage, { type: "room.create" }>,
): void {
  const { turn, room } = context;
  turn.writes.push(counter);
  const creator: Participant = {
    userId: connection.userId,
    key: connection.key,
    location: { kind: "external" },
    initialProjectId: undefined,
    callingUserId: connection.userId,
    callingKey: connection.key,
    index: 0,
    role: Role.Admin,
    ordinal: room.nextOrdinal(),
  };
  room.add(creator);
  turn.put("rooms", roomRow(room));
  saveParticipant(context, creator);
  room.hasBegun = true;
  turn.happened("room.created", () => roomFacts(room));
  answerWithMedia(
    context,
    { connection, requestId },
    true,
    (info) => fieldOf("CreateRoomResponse", { room: room.snapshot(), liveKitConnectionInfo: info }),
  );
  turn.tellUser(creator.userId, { type: "user.publish" });
}

/**
 * The leave procedure, for one connection or for all that are stale after a restart.
 * [rooms 10.8] [rooms 15]
 *
 * @param options.stale the server has restarted and they have not come back: a channel's room stays
 *   when nobody is left in it, and the media server hears of rooms only [rooms 15.4] [rooms 12.6]
 * @param options.done called when the media server has been told, with the change that was made
 */
export function leave(
  context: RoomContext,
  keys: readonly PeerKey[],
  options: { readonly stale?: boolean; readonly done?: (gate: number) => void } = {},
): void {
  const { system, turn, room } = context;
  const leavers = keys.map((key) => room.active.get(key)).filter((one) => one !== undefined);
  if (leavers.length === 0) return;
  const gone = new Set(keys);
  for (const one of leavers) {
    room.delete(one);
    turn.remove("room_participants", { user_id: one.userId });
  }
  const users = new Set(leavers.map((one) => one.userId));
  const callees = room.pendingParticipants().filter((one) => users.has(one.callingUserId));
  leaveProjects(context, gone);
  dropFollowers(context, (key) => gone.has(key));
  for (const one of leavers) {
    turn.tellUser(one.userId, { type: "user.unseated", roomId: room.id });
  }
  for (const callee of callees) removePending(context, callee);
  const empty = room.active.size === 0;
  const ends = empty && !(options.stale === true && room.channelId !== undefined);
  updateRoom(context);
  tellChannel(context, { announce: true, ended: ends });
  for (const callee of callees) tellCanceled(context, callee.userId);
  for (const one of [...leavers, ...callees]) turn.tellUser(one.userId, { type: "user.publish" });
  tellMedia(context, [
    ...(options.stale === true
      ? []
      : leavers.map((one) => () => system.media.removeParticipant(room.liveKitRoom, one.userId))),
    ...(empty ? [() => system.media.deleteRoom(room.liveKitRoom)] : []),
  ], options.done);
  if (ends) endRoom(context);
}

/** The user goes to a channel's call, on whatever connection; the media server is told first. [rooms 10.6.1] */
export function evict(
  context: RoomContext,
  { userId, join }: Extract<RoomMessage, { type: "room.evict" }>,
): void {
  const { system, turn, room } = context;
  const participant = room.participants.get(userId);
  const done = () => system.user(userId).tell({ type: "user.evicted", join }, 0);
  if (participant?.key === undefined) turn.then(done);
  else leave(context, [participant.key], { done });
}

/** The account of somebody in the room is gone. */
export function removeUser(context: RoomContext, userId: number): void {
  const participant = context.room.participants.get(userId);
  if (participant?.key === undefined) calleeGone(context, userId);
  else leave(context, [participant.key]);
}

/** Leaves the projects of the room: hosted ones end, joined ones lose a guest. [projects 6.6] */
function leaveProjects(context: RoomContext, gone: ReadonlySet<PeerKey>): void {
  const { turn, room } = context;
  for (const project of [...room.projects.values()]) {
    if (gone.has(project.hostKey)) {
      tellUnshared(turn, project);
      context.endProject(project);
    } else {
      for (const guest of project.guests) {
        if (gone.has(guest.key)) removeGuest(turn, project, guest);
      }
    }
  }
}

/** Ends a room without active participants. */
export function endRoom(context: RoomContext): void {
  const { turn, room } = context;
  for (const project of [...room.projects.values()]) context.endProject(project);
  failAskedCalls(context);
  for (const one of room.pendingParticipants()) {
    removePending(context, one);
    tellCanceled(context, one.userId);
    turn.tellUser(one.userId, { type: "user.publish" });
  }
  turn.remove("followers", { room_id: room.id });
  turn.remove("rooms", { id: room.id });
  turn.happened("room.ended", () => ({ roomId: room.id, channelId: room.channelId }));
  context.end();
}

/** What nobody rejoined after a restart is removed. [rooms 15] [projects 12.6] */
export function cleanUp(context: RoomContext): void {
  const { system, room } = context;
  const stale = [...room.active.keys()].filter((key) => keyOwner(key) !== system.epoch);
  if (stale.length > 0) leave(context, stale, { stale: true });
  else if (room.active.size === 0 && room.channelId === undefined) {
    tellMedia(context, [() => system.media.deleteRoom(room.liveKitRoom)]);
    endRoom(context);
  }
}

/** [rooms 10.12] */
export function handleUpdateParticipantLocation(context: RequestContext): void {
  const { turn, room, inbound } = context;
  const { location } = decode("UpdateParticipantLocation", inbound.payload);
  const participant = room.active.get(inbound.connection.key);
  if (participant === undefined) throw RpcError.internal("you are not in this room");
  if (location?.sharedProject !== undefined) {
    participant.location = { kind: "shared", projectId: location.sharedProject.id };
  } else if (location?.unsharedProject !== undefined) participant.location = { kind: "unshared" };
  else if (location?.external !== undefined) participant.location = { kind: "external" };
  else throw RpcError.internal("invalid location: none was sent");
  saveParticipant(context, participant);
  updateRoom(context);
  turn.ack(inbound.connection, inbound.requestId);
}

/** [rooms 10.11] */
export function handleSetRoomParticipantRole(context: RequestContext): void {
  const { room, inbound } = context;
  const { connection, requestId } = inbound;
  const { userId, role } = decode("SetRoomParticipantRole", inbound.payload);
  const admin = room.participants.get(connection.userId);
  if (admin?.role !== Role.Admin) {
    throw RpcError.internal("only an admin of the room may change roles");
  }
  if (!isRole(role)) throw RpcError.internal(`unknown role: ${role}`);
  const change = { connection, requestId, userId: Number(userId), role };
  if (!askForRole(context, change)) setRole(context, change);
}

/** [rooms 10.11.3] */
export function setRole(
  context: RoomContext,
  { connection, requestId, userId, role }: RoleChange,
): void {
  const { system, room } = context;
  const target = room.participants.get(userId);
  if (target === undefined) throw RpcError.internal("this user is not in the room");
  target.role = role;
  saveParticipant(context, target);
  updateRoom(context);
  tellMedia(
    context,
    [() => system.media.updateParticipant(room.liveKitRoom, target.userId, mayPublish(role))],
    (gate) => turnAck(context, connection.key, requestId, gate),
  );
}

/**
 * [rooms 10.7] Not being in the room is success. The user's actor acknowledges, behind what it tells
 * the user of those whose rings have ended, once the media server has been told. [rooms 19.10]
 */
export function leaveOnRequest(
  context: RoomContext,
  key: PeerKey,
  { connection, requestId }: { readonly connection: ConnectionRef; readonly requestId: number },
): void {
  const { system, turn, room } = context;
  const left = { type: "user.left", connection, requestId } as const;
  if (!room.active.has(key)) return turn.tellUser(connection.userId, left);
  const done = (gate: number) => system.user(connection.userId).tell(left, gate);
  leave(context, [key], { done });
}

function turnAck({ system }: RoomContext, key: PeerKey, requestId: number, gate: number): void {
  system.registry.connections.get(key)?.outbox.push(ACK, requestId, gate);
}
