/** What actors know of each other: references to look up, and the messages that they take. */
import type { AppVersion } from "../lib/app_version.ts";
import type { DroppedReason } from "../lib/metrics.ts";
import type { Put } from "../db/store.ts";
import type { RowOf } from "../db/tables.ts";
import type { Init, MessageTypes } from "../proto/mod.ts";
import type { RpcError } from "../rpc/errors.ts";
import type { Outbox } from "../rpc/outbox.ts";
import type { PeerKey } from "../rpc/peer_id.ts";
import type { Route } from "../rpc/routes.ts";
import type { Handling } from "./handling.ts";
import type { ForwardedRequest } from "./forwarded_request.ts";
import type { NotesVersion } from "./notes_version.ts";

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
  /** It holds operations that only editors may send, where its route asks for that. */
  readonly writes: boolean;
  /** Where its times are told. [rooms 5.8] */
  readonly handling?: Handling | undefined;
}

/** One signed-in connection. */
export interface ConnectionRef {
  readonly key: PeerKey;
  readonly ownerId: number;
  readonly id: number;
  readonly userId: number;
  readonly admin: boolean;
  readonly version: AppVersion;
  /** Whether it counts as staff's: of an administrator who acts as a user it always does. [rooms 3.8] */
  readonly staff: boolean;
  /** Whether its clients are told of the plan that costs: staff's, or paid for. [rooms 4.5] */
  readonly pro: boolean;
  /** The access token that opened it; null for what else the server accepts. */
  readonly tokenId: number | null;
  /** The administrator who acts as the user. [rooms 3.8] */
  readonly impersonatorId: number | null;
  /** Network address of the client, or of the proxy before it, where it is known. */
  readonly clientAddress: string | null;
  /** Unix milliseconds. */
  readonly connectedAt: number;
  readonly outbox: Outbox;
  /** Requests of this connection that wait for another client. */
  readonly asking: Set<ForwardedRequest>;
  /** Reads of the database that its requests wait for. */
  reads: number;
  /** Who hears of its end at once, beside its user. [channels 11.3] */
  readonly watchers: Set<ConnectionWatcher>;
  /** Channels whose notes it had open when they ended for it, before its user had subscribed. */
  readonly closedNotes: Set<number>;
  /** The initial pushes are queued: the connection's own messages may be handled. [rooms 4.2] */
  opened(): void;
  /** Ends it: the socket is closed, the loss procedure runs. */
  drop(reason: DroppedReason): void;
  /** Ends it without a reason to tell: the server stops. */
  drain(): void;
}

/** An actor that connections have joined as such, not as their users. */
export interface ConnectionWatcher {
  connectionLost(key: PeerKey): void;
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

/**
 * What somebody outside of the actors hears of an order: what came of it, or why nothing did.
 * `gate`: the journal's group that it tells of, 0 for none.
 */
export type Answer<T> = (result: T | RpcError, gate: number) => void;

/** A room as operators see it. */
export interface RoomReport {
  readonly id: number;
  readonly channelId: number | undefined;
  readonly participants: readonly {
    readonly userId: number;
    /** Undefined while the user is being rung. */
    readonly key: PeerKey | undefined;
    readonly role: number | undefined;
  }[];
  readonly projects: readonly ProjectReport[];
}

/** A shared project as operators see it; no content of it. */
export interface ProjectReport {
  readonly id: number;
  readonly hostUserId: number;
  readonly worktrees: readonly string[];
  readonly guestUserIds: readonly number[];
}

/** What `SetRoomParticipantRole` asks for. */
export interface RoleChange {
  readonly connection: ConnectionRef;
  readonly requestId: number;
  readonly userId: number;
  readonly role: number;
}

/** What a channel tree takes from other actors. */
export type ChannelMessage =
  /** Make the root; `counter` keeps its id from being given again. */
  | {
    readonly type: "channel.create";
    readonly connection: ConnectionRef;
    readonly requestId: number;
    readonly name: string;
    readonly counter: Put;
  }
  /** May the user join the call? Nothing changes yet. [channels 7.12] */
  | { readonly type: "channel.join_asked"; readonly join: ChannelJoin }
  /** The user is out of every other room: let the user in. */
  | { readonly type: "channel.join"; readonly join: ChannelJoin }
  /** The join has been answered: now tell the user of the membership that it made. */
  | { readonly type: "channel.admitted"; readonly join: ChannelJoin }
  /** Who is in a channel's room, and who is in it or rung into it. [rooms 9.8] */
  | {
    readonly type: "channel.call_changed";
    readonly channelId: number;
    readonly roomId: number;
    readonly active: readonly number[];
    readonly seated: readonly number[];
    /** The room ends. */
    readonly ended: boolean;
    /** Those who see the channel are to be told. */
    readonly announce: boolean;
  }
  /** A participant is to get a role that the contributor agreement may stand against. [rooms 10.11] */
  | {
    readonly type: "channel.role_asked";
    readonly channelId: number;
    readonly room: RoomRef;
    readonly change: RoleChange;
  }
  /** A user subscribes: what does the user see of this tree? Answers `undefined` when out of order. */
  | {
    readonly type: "channel.describe";
    readonly userId: number;
    readonly answer: (part: TreePart | undefined, gate: number) => void;
  }
  /** Somebody is here for the first time: a guest from now on, unless there is a row already. */
  | { readonly type: "channel.welcome"; readonly userId: number }
  /** May the user read what belongs to that channel? `false` also when out of order. */
  | {
    readonly type: "channel.reader_asked";
    readonly channelId: number;
    readonly userId: number;
    readonly answer: (may: boolean, gate: number) => void;
  }
  /** The newest message of a channel's chat is another one now, 0 when there is none. */
  | {
    readonly type: "channel.latest_message";
    readonly channelId: number;
    readonly messageId: number;
    /** Only if it is still that one, since something else may have come in between. */
    readonly insteadOf?: number;
    /** Tell all who see the channel, but for these connections. [channels 10.7] */
    readonly tellAllBut?: ReadonlySet<PeerKey>;
  }
  /** An account is gone, with its memberships and messages; told to every tree. */
  | { readonly type: "channel.account_removed"; readonly userId: number }
  /** There are notes, and that is their latest operation. [channels 8.8] */
  | {
    readonly type: "channel.notes_changed";
    readonly channelId: number;
    readonly latest: NotesVersion | undefined;
    /** Who sees the channel is to be told, but for these, who have the notes open. */
    readonly announceExcept?: ReadonlySet<PeerKey>;
  }
  /** A user comes back to notes. [channels 8.6] Answers `undefined` when out of order. */
  | {
    readonly type: "channel.notes_asked";
    readonly channelId: number;
    readonly userId: number;
    readonly answer: (standing: NotesStanding | undefined) => void;
  }
  /** An operator asks what there is. */
  | { readonly type: "channel.report"; readonly answer: Answer<TreeReport> }
  /** An operator changes something; nobody's role is asked. */
  | {
    readonly type: "channel.administer";
    readonly order: ChannelOrder;
    readonly answer: Answer<TreeReport>;
  };

/** How a user stands to notes: there are none, they are not the user's to read, or they are. */
export type NotesStanding = "no channel" | "no notes" | "no role" | "reader";

/** What the notes of a channel take from other actors. */
export type NotesMessage =
  /** A client comes back to them on a new connection. [channels 8.6] */
  | {
    readonly type: "notes.rejoin";
    readonly connection: ConnectionRef;
    readonly known: MessageTypes["ChannelBufferVersion"];
    /** Connections that seemed to live, and on which nobody answers. */
    readonly silent?: ReadonlySet<PeerKey>;
    /** Hears `undefined` when the client has no part in them any more. */
    readonly answer: (
      rejoined: Init<MessageTypes["RejoinedChannelBuffer"]> | undefined,
      gate: number,
    ) => void;
  }
  /**
   * The answer with these collaborators has been said, once all notes of the request had answered: a
   * later list may have been said before it. [channels 8.3.6]
   */
  | {
    readonly type: "notes.rejoin_told";
    readonly key: PeerKey;
    readonly collaborators: readonly Init<MessageTypes["Collaborator"]>[];
  }
  /** The grace of a lost connection is over. [channels 8.7] */
  | { readonly type: "notes.leave"; readonly key: PeerKey }
  /** Remove who has not come back after a restart. [channels 8.7] */
  | { readonly type: "notes.clean_up" }
  | { readonly type: "notes.account_removed"; readonly userId: number }
  /** They do not see the channel any more. */
  | { readonly type: "notes.expel"; readonly userIds: readonly number[] }
  /** The channel is gone, and the tree has removed the rows. */
  | { readonly type: "notes.channel_deleted" };

/** What a channel's chat takes from other actors: the tree has looked at the sender's role. */
export type ChatMessage =
  & (
    | { readonly type: "chat.join" }
    | { readonly type: "chat.leave" }
    /** The newest messages before that one. */
    | { readonly type: "chat.page"; readonly beforeId: number }
    | {
      readonly type: "chat.send";
      readonly draft: ChatDraft;
      /** As sent: nobody looks whether there is such a message. */
      readonly replyTo: bigint | undefined;
    }
    | { readonly type: "chat.edit"; readonly messageId: number; readonly draft: ChatDraft }
    | {
      readonly type: "chat.remove";
      readonly messageId: number;
      /** An admin may also remove what others have sent. */
      readonly byAdmin: boolean;
    }
  )
  & { readonly connection: ConnectionRef; readonly requestId: number };

/** What somebody wants to say. [channels 10.7] */
export interface ChatDraft {
  readonly body: string;
  /** 32 hexadecimal digits. */
  readonly nonce: string;
  /** As sent. */
  readonly mentions: readonly MessageTypes["ChatMention"][];
}

/** What operators may have done to a tree. */
export type ChannelOrder =
  /** Makes the root; `counter` keeps its id from being given again. */
  | {
    readonly kind: "make root";
    readonly name: string;
    readonly ownerId: number;
    readonly counter: Put;
  }
  /** The new channel's id is in `made`. */
  | {
    readonly kind: "make";
    readonly parentId: number;
    readonly name: string;
    readonly made: (channelId: number) => void;
  }
  /** All that is named, or nothing where something of it is refused. */
  | {
    readonly kind: "change";
    readonly channelId: number;
    readonly name: string | undefined;
    readonly visibility: number | undefined;
    readonly to: number | undefined;
  }
  | { readonly kind: "remove"; readonly channelId: number }
  /** Makes a member, accepts the user's invitation, or changes the role. */
  | { readonly kind: "set member"; readonly userId: number; readonly role: number }
  | { readonly kind: "remove member"; readonly userId: number };

/** A tree as operators see it. */
export interface TreeReport {
  readonly rootId: number;
  readonly channels: readonly {
    readonly id: number;
    readonly parentId: number | undefined;
    readonly name: string;
    readonly visibility: number;
    readonly createdAt: number;
    readonly participantUserIds: readonly number[];
  }[];
  readonly members: readonly {
    readonly userId: number;
    readonly role: number;
    readonly accepted: boolean;
  }[];
}

/** One tree as one user sees it. [channels 6.4] */
export interface TreePart {
  readonly membership?: Init<MessageTypes["ChannelMembership"]>;
  /** The root, when the user is invited to it. */
  readonly invitation?: Init<MessageTypes["Channel"]>;
  /** What the user sees below the root, in the order of `path`. */
  readonly below: readonly {
    readonly path: string;
    readonly channel: Init<MessageTypes["Channel"]>;
  }[];
  readonly root?: Init<MessageTypes["Channel"]>;
  readonly participants: readonly Init<MessageTypes["ChannelParticipants"]>[];
  /** Of the channels that the user sees and that have messages. */
  readonly latestMessages: readonly Init<MessageTypes["ChannelMessageId"]>[];
  /** Of the channels that the user sees and that have notes. [channels 8.8] */
  readonly latestNotes: readonly Init<MessageTypes["ChannelBufferVersion"]>[];
}

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

/** A channel's reference: the actor of the tree that it is in. */
export interface ChannelRef {
  readonly rootId: number;
  tell(message: ChannelMessage, gate: number): void;
  /** A message that names that channel of the tree. */
  receive(channelId: number, inbound: Inbound): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

/** The chat of one channel. */
export interface ChatRef extends ConnectionWatcher {
  readonly channelId: number;
  tell(message: ChatMessage, gate: number): void;
  /** Users do not see the channel any more: they are in its chat no longer. */
  expel(userIds: readonly number[]): void;
  /** The channel is gone, if `gate`, its tree's change, is stored. */
  end(gate: number): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

/** The notes of one channel. */
export interface NotesRef {
  readonly channelId: number;
  tell(message: NotesMessage, gate: number): void;
  /** A client's message that the channel's tree has let through, behind its change `gate`. */
  receive(inbound: Inbound, gate: number): void;
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
    handling: Handling | undefined,
  ): void;
}
