/** How far notes have come, and how far a user has seen them. [channels 8.8] */
import type { RowOf } from "../db/tables.ts";
import type { Init, MessageTypes } from "../proto/mod.ts";

/** One operation of an epoch. */
export interface NotesVersion {
  readonly epoch: number;
  /** Value of its Lamport timestamp, u32. */
  readonly timestamp: number;
  readonly replicaId: number;
}

/** By epoch, then by the order of operations; nothing is older than everything. [channels 8.9] */
export function isNewer(one: NotesVersion, than: NotesVersion | undefined): boolean {
  if (than === undefined) return true;
  return (one.epoch - than.epoch || one.timestamp - than.timestamp ||
    one.replicaId - than.replicaId) > 0;
}

/** A single entry, or none while there has been no operation. */
export function wireNotesVersion(
  channelId: number,
  version: NotesVersion | undefined,
): Init<MessageTypes["ChannelBufferVersion"]> {
  if (version === undefined) return { channelId: BigInt(channelId) };
  const { epoch, replicaId, timestamp } = version;
  return {
    channelId: BigInt(channelId),
    epoch: BigInt(epoch),
    version: [{ replicaId, timestamp }],
  };
}

/** The latest operation that a stored row of notes names. */
export function latestOf(row: RowOf<"buffers">): NotesVersion | undefined {
  const { latest_epoch: epoch, latest_timestamp: timestamp, latest_replica_id: replicaId } = row;
  if (epoch === null || timestamp === null || replicaId === null) return undefined;
  return { epoch, timestamp, replicaId };
}
