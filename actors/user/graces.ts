/** Lost connections of one user whose places are kept for a while. [rooms 14] */
import type { TimerId } from "../../lib/clock.ts";
import { keyOwner, type PeerKey } from "../../rpc/peer_id.ts";
import type { ActorSystem } from "../system.ts";

export class Graces {
  readonly #system: ActorSystem;
  readonly #over: (key: PeerKey) => void;
  readonly #timers = new Map<PeerKey, TimerId>();

  /** @param over hears of each grace that has run out */
  constructor(system: ActorSystem, over: (key: PeerKey) => void) {
    this.#system = system;
    this.#over = over;
  }

  /** How many run. */
  get size(): number {
    return this.#timers.size;
  }

  start(key: PeerKey): void {
    const { clock, times, epoch } = this.#system;
    // State stays as it is for the next epoch when the server itself is going down. [rooms 14.3]
    if (this.#system.draining || keyOwner(key) !== epoch) return;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(key);
      if (!this.#system.draining) this.#over(key);
    }, times.reconnectGrace);
    this.#timers.set(key, timer);
  }

  /**
   * A room or notes that start over still have the user in on that connection: should it be gone,
   * somebody must leave them in time.
   */
  watch(key: PeerKey): void {
    const isGone = !this.#system.registry.connections.has(key);
    if (isGone && !this.#timers.has(key)) this.start(key);
  }

  /** Ends all before their time and returns whose they were. */
  stop(): PeerKey[] {
    const keys = [...this.#timers.keys()];
    for (const timer of this.#timers.values()) this.#system.clock.clearTimeout(timer);
    this.#timers.clear();
    return keys;
  }
}
