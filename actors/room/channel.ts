/** Rooms that are the call of a channel. [rooms 9.8] [rooms 10.6] */
import { fieldOf } from "../turn.ts";
import type { ChannelJoin, RoleChange, RoomMessage } from "../refs/mod.ts";
import { mayEdit, mayPublish, stronger } from "../roles.ts";
import { tellCanceled } from "./calls.ts";
import {
  type RoomContext,
  roomFacts,
  saveParticipant,
  tellChannel,
  updateRoom,
} from "./context.ts";
import { answerWithMedia } from "./media.ts";
import { roomRow } from "./rows.ts";

/** The channel has let the user in, and the user is in no other room. [rooms 10.6.3] */
export function joinChannel(
  context: RoomContext,
  { join, role, admitted }: Extract<RoomMessage, { type: "room.join_channel" }>,
): void {
  const { system, turn, room } = context;
  const { connection, requestId, channelId } = join;
  const { userId, key } = connection;
  const rung = room.participants.get(userId);
  const participant = rung ?? {
    userId,
    key: undefined,
    location: { kind: "external" as const },
    initialProjectId: undefined,
    callingUserId: userId,
    callingKey: key,
    index: undefined as number | undefined,
    role,
    ordinal: room.nextOrdinal(),
  };
  // One role for projects and media alike. [rooms Q-4]
  participant.role = stronger(participant.role ?? role, role);
  participant.index ??= room.freeIndex();
  if (room.participants.size === 0) {
    turn.put("rooms", roomRow(room));
    // What the channel wrote of it may be taken back by itself: the id is not given again.
    turn.put("counters", { name: "room", value: system.ids.last("room") });
  }
  if (rung === undefined) room.add(participant);
  room.bind(participant, key);
  saveParticipant(context, participant);
  if (!room.hasBegun) turn.happened("room.created", () => roomFacts(room));
  room.hasBegun = true;
  turn.tellUser(userId, { type: "user.seated", roomId: room.id, active: true });
  turn.tellUser(userId, { type: "user.join_ended", join });
  if (admitted) tellOfMembershipAnyway(context, join);
  answerWithMedia(
    context,
    { connection, requestId },
    mayPublish(participant.role),
    (info) =>
      fieldOf("JoinRoomResponse", {
        room: room.snapshot(),
        channelId: BigInt(channelId),
        liveKitConnectionInfo: info,
      }),
    (context) => {
      const { system, turn } = context;
      const channel = system.registry.channels.get(channelId);
      if (admitted && channel !== undefined) {
        turn.tellChannel(channel, { type: "channel.admitted", join });
      }
      updateRoom(context);
      tellChannel(context, { announce: true });
      if (rung !== undefined) tellCanceled(context, userId);
      turn.tellUser(userId, { type: "user.publish" });
    },
  );
}

/** The member whom the join has made is the channel's change: it stays when the seat is taken back. */
function tellOfMembershipAnyway({ system, turn }: RoomContext, join: ChannelJoin): void {
  turn.then((gate) =>
    system.journal.afterCommit(gate, (stored) => {
      if (stored) return;
      system.registry.channels.get(join.channelId)?.tell({ type: "channel.admitted", join }, 0);
    })
  );
}

/** Needs the channel's leave where the contributor agreement may stand against it. [rooms 10.11] */
export function askForRole({ system, turn, room, ref }: RoomContext, change: RoleChange): boolean {
  if (room.channelId === undefined || !mayEdit(change.role)) return false;
  const channel = system.registry.channels.get(room.channelId);
  if (channel === undefined) return false;
  turn.tellChannel(channel, {
    type: "channel.role_asked",
    channelId: room.channelId,
    room: ref,
    change,
  });
  return true;
}
