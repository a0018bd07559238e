/** What is asked about chat messages beside plain rows. */
import type { RowOf } from "./tables.ts";

export type MessageRow = RowOf<"channel_messages">;

/** Questions about chat messages. [channels 10] */
export interface MessageStore {
  /** The newest `limit` messages of a channel with id < `beforeId`, ascending. */
  page(channelId: number, beforeId: number | null, limit: number): Promise<MessageRow[]>;
  /** Those of the messages that exist, ascending. */
  byId(ids: readonly number[]): Promise<MessageRow[]>;
  /** What a user sent with that nonce; several only where it was sent to several channels at once. */
  byNonce(senderId: number, nonce: string): Promise<MessageRow[]>;
  /** The newest message of each channel that has any: of one tree, or of all. */
  newest(
    rootId?: number,
  ): Promise<readonly { readonly channelId: number; readonly messageId: number }[]>;
}
