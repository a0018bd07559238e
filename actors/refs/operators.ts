/** What operators see of rooms and trees, and may have done to them. */
import type { Put } from "../../db/store.ts";
import type { RpcError } from "../../rpc/errors.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";

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
  /** Several of one tree: all of them, or none. `orders` gives them out in their turn. */
  | {
    readonly kind: "together";
    readonly orders: (carryOut: (order: ChannelOrder) => void) => void;
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
