/** What a program that embeds the server hears of: facts, told when they are stored. [local 7] [seeds OB-01] */
import type { Lagged } from "../lib/event_streams.ts";

/** A connection; its name is that of `/api/admin/connections`, `<epoch>:<number>`. */
interface ConnectionFacts {
  readonly connection: string;
  readonly userId: number;
}

/** A project in its room. */
interface ProjectFacts {
  readonly projectId: number;
  readonly roomId: number;
  readonly hostUserId: number;
}

/** A room as it is after a change. */
interface RoomFacts {
  readonly roomId: number;
  /** The channel whose call it is. */
  readonly channelId: number | undefined;
  /** Users in the call. */
  readonly participants: readonly number[];
  /** Users who are being rung. */
  readonly called: readonly number[];
  readonly projects: readonly number[];
}

/** A channel as it is after a change. */
interface ChannelFacts {
  readonly channelId: number;
  readonly parentId: number | undefined;
  readonly name: string;
  readonly isPublic: boolean;
}

interface ChatFacts {
  readonly channelId: number;
  readonly messageId: number;
  /** Who did it. */
  readonly userId: number;
}

/** A thread of an agent, by its owner and its id. */
interface ThreadFacts {
  readonly userId: number;
  readonly threadId: string;
}

/** A thread as it is after a change. */
interface ThreadState extends ThreadFacts {
  readonly title: string;
  /** `AgentThreadStatus` of the protocol. */
  readonly status: number;
  readonly isArchived: boolean;
  /** The host that runs it; empty for none. */
  readonly hostId: string;
}

/** What is told with each kind of event. */
export interface EventFacts {
  /** Somebody has signed in and been told what there is. */
  "connection.opened": ConnectionFacts & { readonly version: string };
  /** `reason` is a label of `parley_dropped_connections_total`, `left` or `server_stopping`. */
  "connection.closed": ConnectionFacts & { readonly reason: string };
  "room.created": RoomFacts;
  /** Somebody came, left, was called, moved or got another role; a project came or went. */
  "room.changed": RoomFacts;
  "room.ended": { readonly roomId: number; readonly channelId: number | undefined };
  "project.shared": ProjectFacts & { readonly worktrees: readonly string[] };
  /** Its list of folders, or its host's connection, is another one. */
  "project.changed": ProjectFacts & { readonly worktrees: readonly string[] };
  "project.joined": ProjectFacts & { readonly userId: number };
  "project.left": ProjectFacts & { readonly userId: number };
  "project.unshared": ProjectFacts;
  "channel.created": ChannelFacts;
  /** It has another name, place, order or visibility. */
  "channel.changed": ChannelFacts;
  "channel.deleted": { readonly channelId: number };
  /** Somebody was invited to a root, has come in or has another role. */
  "channel.member_changed": {
    readonly channelId: number;
    readonly userId: number;
    /** `ChannelRole` of the protocol. */
    readonly role: number;
    /** False for who is invited. */
    readonly isMember: boolean;
  };
  "channel.member_removed": { readonly channelId: number; readonly userId: number };
  /** Others are in the channel's call. */
  "channel.call_changed": {
    readonly channelId: number;
    readonly roomId: number;
    readonly participants: readonly number[];
  };
  "channel.message_sent": ChatFacts;
  "channel.message_edited": ChatFacts;
  "channel.message_removed": ChatFacts;
  /** Somebody has written into the notes. */
  "channel.notes_changed": { readonly channelId: number };
  /** A host of agents has signed in over a connection, with whose end it goes. */
  "agent.host_registered": ConnectionFacts & { readonly hostId: string; readonly name: string };
  "agent.thread_created": ThreadState;
  "agent.thread_updated": ThreadState;
  "agent.thread_deleted": ThreadFacts;
  /** The thread has these events more; devices that subscribe get them now. */
  "agent.events_stored": ThreadFacts & { readonly firstSeq: number; readonly lastSeq: number };
  /** A device's command waits for its host, was taken by it, or will never be. */
  "agent.command": ThreadFacts & {
    readonly commandId: string;
    readonly state: "waiting" | "taken" | "failed";
    /** Why it failed; else empty. */
    readonly reason: string;
  };
}

/** Kinds of events, without `lagged`, which everybody hears. */
export type EventKind = keyof EventFacts;

/** One event of a kind. */
export type EventOf<Kind extends EventKind> =
  & {
    readonly kind: Kind;
    /** When it happened, in Unix milliseconds. */
    readonly at: number;
  }
  & EventFacts[Kind];

/** Any event, as the server tells it. */
export type StoredEvent = { [Kind in EventKind]: EventOf<Kind> }[EventKind];

/** What a listener gets: an event, or how many are missing. */
export type ServerEvent = StoredEvent | Lagged;

const all: Readonly<Record<EventKind, true>> = {
  "connection.opened": true,
  "connection.closed": true,
  "room.created": true,
  "room.changed": true,
  "room.ended": true,
  "project.shared": true,
  "project.changed": true,
  "project.joined": true,
  "project.left": true,
  "project.unshared": true,
  "channel.created": true,
  "channel.changed": true,
  "channel.deleted": true,
  "channel.member_changed": true,
  "channel.member_removed": true,
  "channel.call_changed": true,
  "channel.message_sent": true,
  "channel.message_edited": true,
  "channel.message_removed": true,
  "channel.notes_changed": true,
  "agent.host_registered": true,
  "agent.thread_created": true,
  "agent.thread_updated": true,
  "agent.thread_deleted": true,
  "agent.events_stored": true,
  "agent.command": true,
};

/** All kinds of events. */
export const eventKinds = Object.keys(all) as readonly EventKind[];
