/** What a channel's notes take. */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { ConnectionRef, Inbound } from "./connection.ts";

/** The notes of one channel. */
export interface NotesRef {
  readonly channelId: number;
  tell(message: NotesMessage, gate: number): void;
  /** A client's message that the channel's tree has let through, behind its change `gate`. */
  receive(inbound: Inbound, gate: number): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

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
