/**
 * Who is connected, with what, and who wants to hear of channels: facts that user actors publish for
 * everybody to read. The row of a user is written by that user's actor alone. [rooms 7]
 */
import type { PeerKey } from "../rpc/peer_id.ts";

interface Row {
  readonly connections: Set<PeerKey>;
  subscribed: boolean;
}

const NONE: readonly PeerKey[] = [];

export class ConnectionPool {
  readonly #rows = new Map<number, Row>();

  /** A connection whose `Hello` is queued. */
  add(userId: number, key: PeerKey): void {
    const row = this.#rows.get(userId);
    if (row === undefined) {
      this.#rows.set(userId, { connections: new Set([key]), subscribed: false });
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

  isSubscribed(userId: number): boolean {
    return this.#rows.get(userId)?.subscribed ?? false;
  }

  connectionsOf(userId: number): Iterable<PeerKey> {
    return this.#rows.get(userId)?.connections ?? NONE;
  }
}
