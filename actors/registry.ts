/**
 * Where actors are found: by kind and number, or by an address like `/rooms/3`. What a lookup gives
 * may be local or, later, stand for an actor on another node. [design 1]
 */
import type { PeerKey } from "../rpc/peer_id.ts";
import { peerKey } from "../rpc/peer_id.ts";
import type {
  AgentDeskRef,
  ChannelRef,
  ChatRef,
  ConnectionRef,
  NotesRef,
  ProjectRef,
  RoomRef,
  ThreadRef,
  UserRef,
} from "./refs/mod.ts";

/** Anything that has an address. */
export type ActorRef =
  | ConnectionRef
  | UserRef
  | RoomRef
  | ProjectRef
  | ChannelRef
  | ChatRef
  | NotesRef
  | AgentDeskRef
  | ThreadRef;

/** What a thread is found by: another user's thread of the same id is another thread. [agents 1] */
export function threadKey(userId: number, threadId: string): string {
  return `${userId}/${threadId}`;
}

export class Registry {
  readonly connections = new Map<PeerKey, ConnectionRef>();
  readonly users = new Map<number, UserRef>();
  readonly rooms = new Map<number, RoomRef>();
  readonly projects = new Map<number, ProjectRef>();
  /** Every channel's id leads to the actor of its tree. */
  readonly channels = new Map<number, ChannelRef>();
  /** By channel; those that somebody needs now. */
  readonly chats = new Map<number, ChatRef>();
  /** By channel; there while somebody needs them. */
  readonly notes = new Map<number, NotesRef>();
  /** By user. */
  readonly desks = new Map<number, AgentDeskRef>();
  /** By {@link threadKey}. */
  readonly threads = new Map<string, ThreadRef>();

  /** The actor at an address, or undefined. */
  lookup(address: string): ActorRef | undefined {
    const [, kind, name = "", part] = address.split("/");
    if (kind === "threads") return this.threads.get(`${name}/${part}`);
    if (kind === "users" && part === "agents") return this.desks.get(Number(name));
    if (kind === "connections") {
      const [owner, id] = name.split(":").map(Number);
      return this.connections.get(peerKey(owner ?? -1, id ?? -1));
    }
    if (kind === "users") return this.users.get(Number(name));
    if (kind === "rooms") return this.rooms.get(Number(name));
    if (kind === "projects") return this.projects.get(Number(name));
    if (kind === "channels" && part === "chat") return this.chats.get(Number(name));
    if (kind === "channels" && part === "notes") return this.notes.get(Number(name));
    if (kind === "channels") return this.channels.get(Number(name));
    return undefined;
  }

  /** Live actors per kind, for metrics. */
  counts(): { connections: number; users: number; rooms: number; projects: number } {
    return {
      connections: this.connections.size,
      users: this.users.size,
      rooms: this.rooms.size,
      projects: this.projects.size,
    };
  }
}
