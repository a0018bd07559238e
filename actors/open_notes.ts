/**
 * Which notes a connection has open: a fact that the notes' actors publish, so that a loss is told to
 * those whom it concerns. Each writes its own channel alone. [channels 8.7]
 */
import type { PeerKey } from "../rpc/peer_id.ts";

const NONE: ReadonlySet<number> = new Set();

export class OpenNotes {
  readonly #channels = new Map<PeerKey, Set<number>>();

  /** Ids of the channels. */
  of(key: PeerKey): ReadonlySet<number> {
    return this.#channels.get(key) ?? NONE;
  }

  add(key: PeerKey, channelId: number): void {
    const channels = this.#channels.get(key);
    if (channels === undefined) this.#channels.set(key, new Set([channelId]));
    else channels.add(channelId);
  }

  remove(key: PeerKey, channelId: number): void {
    const channels = this.#channels.get(key);
    if (channels?.delete(channelId) && channels.size === 0) this.#channels.delete(key);
  }
}
