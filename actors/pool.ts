/**
 * Who is connected, with what, and who hears of channels: facts that actors publish for everybody to
 * read. The row of a user is written by that user's actor; each tree adds its own id alone. [rooms 7]
 */
import type { PeerKey } from "../rpc/peer_id.ts";

interface Row {
  readonly connections: Set<PeerKey>;
  /** Wants to hear of all channels. */
  subscribed: boolean;
  /** Trees that he has come into, or whose roles he was told, since his first connection. */
  readonly roots: Set<number>;
}

const NONE: readonly PeerKey[] = [];

export class ConnectionPool {
  readonly #rows = new Map<number, Row>();

  /** A connection whose `Hello` is queued. */
  add(userId: number, key: PeerKey): void {
    const row = this.#rows.get(userId);
    if (row === undefined) {
      this.#rows.set(userId, {
        connections: new Set([key]),
        subscribed: false,
        roots: new Set(),
      });
    } else row.connections.add(key);
  }

  /** With the last connection the subscription goes. [rooms 7] */
  remove(userId: number, key: PeerKey): void {
    const row = this.#rows.get(userId);
    if (row === undefined) return;
    row.connections.delete(key);
    if (row.connections.size === 0) this.#rows.delete(userId);
  }

  /** The user hears of channels on all connections, as long as there are any. [channels 5.10] */
  subscribe(userId: number): void {
    const row = this.#rows.get(userId);
    if (row !== undefined) row.subscribed = true;
  }

  /** The user hears of one tree, also without having asked for any: he has got a role in it. */
  subscribeTo(rootId: number, userId: number): void {
    this.#rows.get(userId)?.roots.add(rootId);
  }

  isSubscribed(userId: number, rootId: number): boolean {
    const row = this.#rows.get(userId);
    return row !== undefined && (row.subscribed || row.roots.has(rootId));
  }

  connectionsOf(userId: number): Iterable<PeerKey> {
    return this.#rows.get(userId)?.connections ?? NONE;
  }
}
