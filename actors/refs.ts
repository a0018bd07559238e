/** What actors know of each other: references to look up, and the messages that they take. */
import type { AppVersion } from "../lib/app_version.ts";
import type { DroppedReason } from "../lib/metrics.ts";
import type { Put } from "../db/store.ts";
import type { RowOf } from "../db/tables.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { PeerKey } from "../rpc/peer_id.ts";
import type { Route } from "../rpc/routes.ts";
import type { ForwardedRequest } from "./forwarded_request.ts";

/** A message from a client, on its way to the actor that handles it. */
export interface Inbound {
  readonly route: Route;
  readonly connection: ConnectionRef;
  /** Envelope id: what an answer responds to. */
  readonly requestId: number;
  /** The WebSocket message as it came, to be passed on. */
  readonly original: Uint8Array;
  /** The payload's plain bytes; valid until the turn ends. */
  readonly payload: Uint8Array;
  /** The peer that the payload's routing field names, `NO_PEER` without one. */
  readonly peer: PeerKey;
}

/** One signed-in connection. */
export interface ConnectionRef {
  readonly key: PeerKey;
  readonly ownerId: number;
  readonly id: number;
  readonly userId: number;
  readonly admin: boolean;
  readonly version: AppVersion;
  readonly outbox: Outbox;
  /** Requests of this connection that wait for another client. */
  readonly asking: Set<ForwardedRequest>;
  /** The initial pushes are queued: the connection's own messages may be handled. [rooms 4.2] */
  opened(): void;
  /** Ends it: the socket is closed, the loss procedure runs. */
  drop(reason: DroppedReason): void;
  /** Ends it without a reason to tell: the server stops. */
  drain(): void;
}

/** What a user actor takes from other actors. */
export type UserMessage =
  /** A connection of the user is there; its initial pushes are due. */
  | { readonly type: "user.connected"; readonly connection: ConnectionRef }
  /** It is gone. [rooms 14] */
  | { readonly type: "user.connection_lost"; readonly key: PeerKey }
  /** Tell the user's contacts how the user is doing. [rooms 8.2] */
  | { readonly type: "user.publish" }
  /** A contact published. */
  | {
    readonly type: "user.contact_published";
    readonly userId: number;
    readonly online: boolean;
    readonly busy: boolean;
  }
  /** Send this to every connection of the user. */
  | { readonly type: "user.push"; readonly field: Uint8Array }
  /** The user's request to leave a room has taken effect. */
  | {
    readonly type: "user.left";
    readonly connection: ConnectionRef;
    readonly requestId: number;
  }
  /** An account is gone, this user's own or another one's. */
  | { readonly type: "user.account_removed"; readonly userId: number }
  /** The user has a participant row in that room. */
  | { readonly type: "user.seated"; readonly roomId: number; readonly active: boolean }
  /** The row is gone. */
  | { readonly type: "user.unseated"; readonly roomId: number }
  /** Somebody in a room calls the user: may the room seat the user? [rooms 10.2] */
  | {
    readonly type: "user.call_asked";
    readonly roomId: number;
    readonly callerId: number;
    readonly ticket: number;
  }
  /** The row is there: ring. */
  | {
    readonly type: "user.ring";
    readonly roomId: number;
    readonly ticket: number;
    /** Who is answered when the room has ended before the ring. */
    readonly caller: ConnectionRef;
    readonly requestId: number;
    /** The `IncomingCall` payload's field. */
    readonly field: Uint8Array;
  }
  /** The other one of a pair changed how they stand; `field` tells this user's connections. */
  | {
    readonly type: "user.contact_changed";
    readonly otherId: number;
    readonly contact: Contact | undefined;
    readonly field: Uint8Array;
  }
  /** A notification for this user was made and stored. [channels 4.4] */
  | { readonly type: "user.notified"; readonly row: RowOf<"notifications"> }
  /** Delete the unread notification of that kind and entity, if there is one. */
  | {
    readonly type: "user.unnotify";
    readonly kind: NotificationKind;
    readonly entityId: number;
  };

/** How a user stands to another one. [channels 3.2] */
export interface Contact {
  readonly accepted: boolean;
  /** This user asked the other one. */
  readonly asked: boolean;
  readonly shouldNotify: boolean;
}

/** [channels 4.1] */
export type NotificationKind = "ContactRequest" | "ContactRequestAccepted";

/** What a room takes from other actors. */
export type RoomMessage =
  | {
    readonly type: "room.create";
    readonly connection: ConnectionRef;
    readonly requestId: number;
    /** Keeps the room's id from being given again: stored with the room, or not at all. */
    readonly counter: Put;
  }
  /** Without `request` nobody waits for an answer: the grace has run out. */
  | {
    readonly type: "room.leave";
    readonly key: PeerKey;
    readonly request?: { readonly connection: ConnectionRef; readonly requestId: number };
  }
  /** The user has no connection left and does not answer the ring any more. */
  | { readonly type: "room.callee_gone"; readonly userId: number }
  | { readonly type: "room.connection_lost"; readonly key: PeerKey }
  /** The account of a participant is gone: no grace, no way back. */
  | { readonly type: "room.user_removed"; readonly userId: number }
  /** The user answered `user.call_asked`. */
  | { readonly type: "room.call_allowed"; readonly ticket: number; readonly userId: number }
  | { readonly type: "room.call_refused"; readonly ticket: number; readonly reason: string }
  /** The ring was answered, or cannot be. */
  | { readonly type: "room.ring_ended"; readonly ticket: number; readonly displayed: boolean }
  /** Tell a new connection of a user who is being rung. [rooms 4.2] */
  | {
    readonly type: "room.announce_call";
    readonly userId: number;
    readonly connection: ConnectionRef;
  }
  /** Remove what was not rejoined after a restart. [rooms 15] */
  | { readonly type: "room.clean_up" }
  /** Rings of an earlier epoch whose callees have not come back. [rooms Q-21] */
  | { readonly type: "room.drop_absent_callees" };

export interface UserRef {
  readonly id: number;
  /** `gate`: the journal's group that the message tells of, 0 for none. */
  tell(message: UserMessage, gate: number): void;
  receive(inbound: Inbound): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

export interface RoomRef {
  readonly id: number;
  tell(message: RoomMessage, gate: number): void;
  receive(inbound: Inbound): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

/** A project's reference: its messages are processed in the turn of its room. */
export interface ProjectRef {
  readonly id: number;
  receive(inbound: Inbound): void;
  /** The hot path: takes the message apart without making an object of it. */
  updateBuffer(
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
  ): void;
}
