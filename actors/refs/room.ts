/** What a room takes. */
import type { Put } from "../../db/store.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { ConnectionRef, Inbound } from "./connection.ts";
import type { Answer, RoomReport } from "./operators.ts";
import type { ChannelJoin } from "./user.ts";

export interface RoomRef {
  readonly id: number;
  tell(message: RoomMessage, gate: number): void;
  receive(inbound: Inbound): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

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
  | { readonly type: "room.drop_absent_callees" }
  /** The user goes to a channel's call: out of this room, on whatever connection. [rooms 10.6] */
  | { readonly type: "room.evict"; readonly userId: number; readonly join: ChannelJoin }
  /** The channel lets the user in. `admitted`: the join has made a member, which is to be told. */
  | {
    readonly type: "room.join_channel";
    readonly join: ChannelJoin;
    readonly role: number;
    readonly admitted: boolean;
  }
  /** The channel has nothing against the role. [rooms 10.11] */
  | { readonly type: "room.role_allowed"; readonly change: RoleChange }
  /** The channel is gone, and nobody is in its room. */
  | { readonly type: "room.channel_deleted" }
  /** An operator asks what there is. */
  | { readonly type: "room.report"; readonly answer: Answer<RoomReport> }
  /** An operator closes the room: all leave it, and what they share ends. */
  | { readonly type: "room.close"; readonly answer: Answer<void> }
  /** An operator ends one of its projects. */
  | {
    readonly type: "room.end_project";
    readonly projectId: number;
    readonly answer: Answer<void>;
  };

/** What `SetRoomParticipantRole` asks for. */
export interface RoleChange {
  readonly connection: ConnectionRef;
  readonly requestId: number;
  readonly userId: number;
  readonly role: number;
}
