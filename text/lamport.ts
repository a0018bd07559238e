/**
 * Names one operation, or the edit that inserted or deleted a piece of text: the value of its
 * author's clock (u32, 1 or more) and the author (u16). Operations are of this shape themselves.
 * [channels 9.2]
 */
export interface Lamport {
  readonly replicaId: number;
  readonly timestamp: number;
}

/** Replica that the base text counts as an insertion of. [channels 9.4] */
export const BASE: Lamport = { replicaId: 0, timestamp: 1 };

const REPLICAS = 0x1_0000;

/**
 * The timestamp as one number (48 bits, so exact), of the same order as the timestamp: by value,
 * then by replica. [channels 9.2]
 */
export function lamportKey(lamport: Lamport): number {
  return lamport.timestamp * REPLICAS + lamport.replicaId;
}

/** Orders by value, then by replica: the order in which stored operations replay. [channels 9.2] */
export function compareLamport(a: Lamport, b: Lamport): number {
  return a.timestamp - b.timestamp || a.replicaId - b.replicaId;
}
