/** Names of connections. [rooms 1.2] */

/** `PeerId` of the wire, as plain numbers. */
export interface PeerId {
  /** Epoch of the server that the connection belongs to. */
  readonly ownerId: number;
  /** Number of the connection within it, from 0. */
  readonly id: number;
}

/**
 * A peer id as one number: owner in the high part, id in the low 32 bits. Exact for epochs below
 * 2^21; a peer id from the wire beyond that belongs to no server and maps to {@link NO_PEER}.
 */
export type PeerKey = number;

/** Key of no connection. */
export const NO_PEER: PeerKey = -1;

const LOW = 2 ** 32;
const OWNER_LIMIT = 2 ** 21;

export function peerKey(ownerId: number, id: number): PeerKey {
  return ownerId < OWNER_LIMIT && ownerId >= 0 ? ownerId * LOW + id : NO_PEER;
}

export function keyOwner(key: PeerKey): number {
  return Math.floor(key / LOW);
}

export function keyId(key: PeerKey): number {
  return key % LOW;
}

export function peerIdOf(key: PeerKey): PeerId {
  return { ownerId: keyOwner(key), id: keyId(key) };
}

/** `1:5`, as in the addresses of connections. */
export function peerText(key: PeerKey): string {
  return `${keyOwner(key)}:${keyId(key)}`;
}
