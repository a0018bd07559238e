/** What a room consists of, without I/O and timers. [rooms 9] */
import { peerIdOf, type PeerKey } from "../../rpc/peer_id.ts";
import { type Init, type MessageTypes } from "../../proto/mod.ts";
import type { ProjectState } from "../project/mod.ts";
import { Role } from "../roles.ts";

/** A shared project is told on as the client named it: nobody looks whether there is one. [rooms 10.12] */
export type Location =
  | { readonly kind: "shared"; readonly projectId: bigint }
  | { readonly kind: "unshared" }
  | { readonly kind: "external" };

/** A row of the room: pending while `key` is undefined, active with it. [rooms 9.2] */
export interface Participant {
  readonly userId: number;
  key: PeerKey | undefined;
  location: Location;
  /** As the caller named it. */
  initialProjectId: bigint | undefined;
  callingUserId: number;
  callingKey: PeerKey | undefined;
  index: number | undefined;
  role: number | undefined;
  readonly ordinal: number;
}

export interface Follower {
  readonly projectId: number;
  readonly leader: PeerKey;
  readonly follower: PeerKey;
  readonly ordinal: number;
}

export class RoomState {
  readonly id: number;
  readonly liveKitRoom: string;
  readonly channelId: number | undefined;
  /** Every row, pending ones included, by user. */
  readonly participants = new Map<number, Participant>();
  /** Users who had a row since the room was made or read, and have none any more. */
  readonly departed = new Set<number>();
  /** Users who have been called into it since then. */
  readonly rung = new Set<number>();
  /** Active rows by answering connection. */
  readonly active = new Map<PeerKey, Participant>();
  readonly projects = new Map<number, ProjectState>();
  followers: Follower[] = [];
  /** There is a row of it, or will be with the turn at work. */
  hasBegun = false;
  #lastOrdinal = 0;

  constructor(id: number, liveKitRoom: string, channelId: number | undefined) {
    this.id = id;
    this.liveKitRoom = liveKitRoom;
    this.channelId = channelId;
  }

  nextOrdinal(): number {
    return ++this.#lastOrdinal;
  }

  add(participant: Participant): void {
    this.participants.set(participant.userId, participant);
    this.departed.delete(participant.userId);
    if (participant.key === undefined && participant.callingUserId !== participant.userId) {
      this.rung.add(participant.userId);
    }
    if (participant.key !== undefined) this.active.set(participant.key, participant);
    this.#lastOrdinal = Math.max(this.#lastOrdinal, participant.ordinal);
  }

  delete(participant: Participant): void {
    this.participants.delete(participant.userId);
    this.departed.add(participant.userId);
    if (participant.key !== undefined) this.active.delete(participant.key);
  }

  /** Binds a row to a connection: answering a ring, or coming back. */
  bind(participant: Participant, key: PeerKey): void {
    if (participant.key !== undefined) this.active.delete(participant.key);
    participant.key = key;
    this.active.set(key, participant);
  }

  addFollower(follower: Follower): void {
    this.followers.push(follower);
    this.#lastOrdinal = Math.max(this.#lastOrdinal, follower.ordinal);
  }

  /** Smallest index that no row of the room uses. [rooms 9.3] */
  freeIndex(): number {
    const used = new Set([...this.participants.values()].map((one) => one.index));
    let index = 0;
    while (used.has(index)) index++;
    return index;
  }

  /** The role of an active participant. */
  roleOf(key: PeerKey): number | undefined {
    return this.active.get(key)?.role;
  }

  activeParticipants(): Participant[] {
    return [...this.active.values()].sort((a, b) => a.ordinal - b.ordinal);
  }

  pendingParticipants(): Participant[] {
    return [...this.participants.values()]
      .filter((one) => one.key === undefined)
      .sort((a, b) => a.ordinal - b.ordinal);
  }

  /** The full description that `RoomUpdated` and the answers carry. [rooms 9.5] */
  snapshot(): Init<MessageTypes["Room"]> {
    return {
      id: BigInt(this.id),
      livekitRoom: this.liveKitRoom,
      participants: this.activeParticipants().map((one) => ({
        userId: BigInt(one.userId),
        peerId: peerIdOf(one.key as PeerKey),
        participantIndex: one.index ?? 0,
        role: one.role ?? Role.Member,
        location: wireLocation(one.location),
        projects: this.#projectsOf(one.key as PeerKey),
      })),
      pendingParticipants: this.pendingParticipants().map((one) => ({
        userId: BigInt(one.userId),
        callingUserId: BigInt(one.callingUserId),
        initialProjectId: one.initialProjectId,
      })),
      followers: this.followers.map((one) => ({
        leaderId: peerIdOf(one.leader),
        followerId: peerIdOf(one.follower),
        projectId: BigInt(one.projectId),
      })),
    };
  }

  #projectsOf(key: PeerKey): Init<MessageTypes["ParticipantProject"]>[] {
    const projects: Init<MessageTypes["ParticipantProject"]>[] = [];
    for (const project of this.projects.values()) {
      if (project.hostKey === key) projects.push(participantProject(project));
    }
    return projects;
  }
}

/** A shared project as participants see it: root names of visible worktrees only. */
export function participantProject(
  project: ProjectState,
): Init<MessageTypes["ParticipantProject"]> {
  return {
    id: BigInt(project.id),
    worktreeRootNames: project.sortedWorktrees()
      .filter((worktree) => worktree.visible)
      .map((worktree) => worktree.rootName),
  };
}

function wireLocation(location: Location): Init<MessageTypes["ParticipantLocation"]> {
  switch (location.kind) {
    case "shared":
      return { sharedProject: { id: location.projectId } };
    case "unshared":
      return { unsharedProject: {} };
    case "external":
      return { external: {} };
  }
}
