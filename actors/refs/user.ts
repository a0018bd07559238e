/** What a user's actor takes. */
import type { RowOf } from "../../db/tables.ts";
import type { RpcError } from "../../rpc/errors.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { NotesVersion } from "../notes_version.ts";
import type { ConnectionRef, Inbound } from "./connection.ts";
import type { RoomRef } from "./room.ts";

export interface UserRef {
  readonly id: number;
  /** `gate`: the journal's group that the message tells of, 0 for none. */
  tell(message: UserMessage, gate: number): void;
  receive(inbound: Inbound): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
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
  /** The plan is another one now: clients of 2025 are told. [rooms 4.5] */
  | { readonly type: "user.plan_changed"; readonly pro: boolean }
  /** Clients of 2025 are to ask for tokens of models anew. [transport 6.2g] */
  | { readonly type: "user.refresh_model_tokens" }
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
  | {
    readonly type: "user.seated";
    readonly roomId: number;
    readonly active: boolean;
    /** From a room that starts over: whose seat it is, should that connection be gone. */
    readonly key?: PeerKey | undefined;
  }
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
  }
  /** A notification of this user is deleted, by whom it told of. */
  | { readonly type: "user.notification_deleted"; readonly row: RowOf<"notifications"> }
  /** The user has seen the messages of that channel up to this one. [channels 10.7] */
  | {
    readonly type: "user.message_observed";
    readonly channelId: number;
    readonly messageId: number;
  }
  /** The user has answered what the notification of that kind and entity asks, if there is one. */
  | {
    readonly type: "user.notification_answered";
    readonly kind: NotificationKind;
    readonly entityId: number;
    readonly response: boolean;
  }
  /** The user has seen the notes of a channel up to that operation. [channels 8.9] */
  | {
    readonly type: "user.notes_observed";
    readonly channelId: number;
    readonly version: NotesVersion;
  }
  /** Notes that start over still list the user on that connection, should it be gone. */
  | { readonly type: "user.notes_open"; readonly key: PeerKey }
  /** The user wants to join the channel whose room was named to `JoinRoom`. [rooms 10.5] */
  | { readonly type: "user.join_channel"; readonly join: ChannelJoin }
  /** The channel is open to the user; its call, if there is one, is in that room. */
  | {
    readonly type: "user.join_allowed";
    readonly join: ChannelJoin;
    readonly roomId: number | undefined;
  }
  /** The user is out of the room that was in the way. */
  | { readonly type: "user.evicted"; readonly join: ChannelJoin }
  /** The channel's room is there, and `admitted` says that the join has made a member. */
  | {
    readonly type: "user.join_prepared";
    readonly join: ChannelJoin;
    readonly room: RoomRef;
    readonly role: number;
    readonly admitted: boolean;
  }
  /** The room ended before the user was in it. */
  | { readonly type: "user.join_again"; readonly join: ChannelJoin }
  /** The user is in, or with `error` is not. */
  | { readonly type: "user.join_ended"; readonly join: ChannelJoin; readonly error?: RpcError };

/** A user's way into a channel's call, from the request to its answer. [channels 7.12] */
export interface ChannelJoin {
  readonly channelId: number;
  readonly connection: ConnectionRef;
  readonly requestId: number;
}

/** How a user stands to another one. [channels 3.2] */
export interface Contact {
  readonly accepted: boolean;
  /** This user asked the other one. */
  readonly asked: boolean;
  readonly shouldNotify: boolean;
}

/** [channels 4.1] */
export type NotificationKind =
  | "ContactRequest"
  | "ContactRequestAccepted"
  | "ChannelInvitation"
  | "ChannelMessageMention";
