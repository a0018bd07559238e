/** What a tree of channels takes. */
import type { Put } from "../../db/store.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { NotesVersion } from "../notes_version.ts";
import type { ConnectionRef, Inbound } from "./connection.ts";
import type { Answer, ChannelOrder, TreeReport } from "./operators.ts";
import type { RoleChange, RoomRef } from "./room.ts";
import type { ChannelJoin } from "./user.ts";

/** A channel's reference: the actor of the tree that it is in. */
export interface ChannelRef {
  readonly rootId: number;
  tell(message: ChannelMessage, gate: number): void;
  /** A message that names that channel of the tree. */
  receive(channelId: number, inbound: Inbound): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
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
