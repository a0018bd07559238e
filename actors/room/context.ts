/** What a room's handlers work with in one turn. */
import type { EventFacts } from "../events.ts";
import type { ProjectState } from "../project/mod.ts";
import type { Inbound, RoomRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { Task } from "../cell.ts";
import { fieldOf, type Turn } from "../turn.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { Rings } from "./rings.ts";
import { followerKey, participantRow } from "./rows.ts";
import type { Participant, RoomState } from "./state.ts";

export interface RoomContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly room: RoomState;
  readonly ref: RoomRef;
  /** Calls that wait for their callee. */
  readonly rings: Rings;
  /** A project has been shared: it gets an address and a lifecycle. */
  addProject(project: ProjectState): void;
  /** A project is over: out of the room, the registry and the database. */
  endProject(project: ProjectState): void;
  /** A connection is gone or has come back: the charts of the projects it hosts hear of it. */
  hostMoved(key: PeerKey): void;
  /** Runs a task of the room's later, in a turn of its own. */
  later(run: (context: RoomContext) => void, refused?: Task["refused"]): void;
  /** Nobody is active any more: the room ends with this turn. */
  end(): void;
}

/** A context with the client's message that the turn is about. */
export interface RequestContext extends RoomContext {
  readonly inbound: Inbound;
}

/** Says `RoomUpdated` to every active participant, with the state of this moment. [rooms 9.6] */
export function updateRoom(context: RoomContext): void {
  const { turn, room } = context;
  const field = fieldOf("RoomUpdated", { room: room.snapshot() });
  for (const key of room.active.keys()) turn.push(key, field);
  turn.happened("room.changed", () => roomFacts(room));
  tellChannel(context, { announce: false });
}

/** The room as programs that embed the server are told of it. */
export function roomFacts(room: RoomState): EventFacts["room.changed"] {
  return {
    roomId: room.id,
    channelId: room.channelId,
    participants: room.activeParticipants().map(({ userId }) => userId),
    called: room.pendingParticipants().map(({ userId }) => userId),
    projects: [...room.projects.keys()],
  };
}

/**
 * Tells the channel whose call this is who is in it, who keeps it for those who subscribe later; with
 * `announce` all who see the channel hear of it now. [rooms 9.8]
 */
export function tellChannel(
  { system, turn, room }: RoomContext,
  { announce, ended = false }: { readonly announce: boolean; readonly ended?: boolean },
): void {
  if (room.channelId === undefined) return;
  const channel = system.registry.channels.get(room.channelId);
  if (channel === undefined) return;
  turn.tellChannel(channel, {
    type: "channel.call_changed",
    channelId: room.channelId,
    roomId: room.id,
    active: room.activeParticipants().map(({ userId }) => userId),
    seated: [...room.participants.keys()],
    ended,
    announce,
  });
}

export function saveParticipant({ turn, room }: RoomContext, one: Participant): void {
  turn.put("room_participants", participantRow(room.id, one));
}

/** Drops followers with that peer on either side, of one project or of all. [rooms 11.4] */
export function dropFollowers(
  { turn, room }: RoomContext,
  matches: (key: PeerKey) => boolean,
  projectId?: number,
): void {
  room.followers = room.followers.filter((one) => {
    const gone = (projectId === undefined || one.projectId === projectId) &&
      (matches(one.leader) || matches(one.follower));
    if (gone) turn.remove("followers", followerKey(room.id, one));
    return !gone;
  });
}
