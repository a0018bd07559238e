/** The rows of a room: what is written for each change, and how a room is read back. */
import type { Store } from "../../db/store.ts";
import type { RowOf } from "../../db/tables.ts";
import { keyId, keyOwner, type PeerKey, peerKey } from "../../rpc/peer_id.ts";
import { loadProject } from "../project/mod.ts";
import { type Follower, type Location, type Participant, RoomState } from "./state.ts";

const owner = (key: PeerKey | undefined) => (key === undefined ? null : keyOwner(key));
const number = (key: PeerKey | undefined) => (key === undefined ? null : keyId(key));
const key = (owner: number | null, id: number | null) =>
  owner === null || id === null ? undefined : peerKey(owner, id);

export function roomRow(room: RoomState): RowOf<"rooms"> {
  return { id: room.id, live_kit_room: room.liveKitRoom, channel_id: room.channelId ?? null };
}

export function participantRow(roomId: number, one: Participant): RowOf<"room_participants"> {
  return {
    user_id: one.userId,
    room_id: roomId,
    connection_owner: owner(one.key),
    connection_id: number(one.key),
    location_kind: one.location.kind,
    location_project_id: one.location.kind === "shared" ? one.location.projectId : null,
    initial_project_id: one.initialProjectId ?? null,
    calling_user_id: one.callingUserId,
    calling_connection_owner: owner(one.callingKey),
    calling_connection_id: number(one.callingKey),
    participant_index: one.index ?? null,
    role: one.role ?? null,
    ordinal: one.ordinal,
  };
}

function participantOf(row: RowOf<"room_participants">): Participant {
  const location: Location = row.location_kind === "shared"
    ? { kind: "shared", projectId: row.location_project_id ?? 0n }
    : { kind: row.location_kind === "unshared" ? "unshared" : "external" };
  return {
    userId: row.user_id,
    key: key(row.connection_owner, row.connection_id),
    location,
    initialProjectId: row.initial_project_id ?? undefined,
    callingUserId: row.calling_user_id,
    callingKey: key(row.calling_connection_owner, row.calling_connection_id),
    index: row.participant_index ?? undefined,
    role: row.role ?? undefined,
    ordinal: row.ordinal,
  };
}

export function followerRow(roomId: number, one: Follower): RowOf<"followers"> {
  return { ...followerKey(roomId, one), ordinal: one.ordinal };
}

/** The follower's row without its place in the order: its key. */
export function followerKey(roomId: number, one: Follower): Omit<RowOf<"followers">, "ordinal"> {
  return {
    room_id: roomId,
    project_id: one.projectId,
    leader_owner: keyOwner(one.leader),
    leader_id: keyId(one.leader),
    follower_owner: keyOwner(one.follower),
    follower_id: keyId(one.follower),
  };
}

/** Reads one room back with its projects; undefined when it is not stored. */
export async function loadRoom(store: Store, id: number): Promise<RoomState | undefined> {
  const [row] = await store.load("rooms", { id });
  if (row === undefined) return undefined;
  const room = new RoomState(id, row.live_kit_room, row.channel_id ?? undefined);
  room.hasBegun = true;
  for (const one of await store.loadWhere("room_participants", { room_id: id })) {
    room.add(participantOf(one));
  }
  const followers = await store.loadWhere("followers", { room_id: id });
  for (const one of followers.sort((a, b) => a.ordinal - b.ordinal)) {
    room.addFollower({
      projectId: one.project_id,
      leader: peerKey(one.leader_owner, one.leader_id),
      follower: peerKey(one.follower_owner, one.follower_id),
      ordinal: one.ordinal,
    });
  }
  for (const one of await store.loadWhere("projects", { room_id: id })) {
    room.projects.set(one.id, await loadProject(store, one));
  }
  return room;
}
