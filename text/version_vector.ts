import type { Lamport } from "./lamport.ts";

/**
 * What somebody has seen: per replica the largest timestamp value. A replica that is absent counts
 * as 0, that is, nothing. [channels 9.3]
 */
export class VersionVector {
  readonly #values: Map<number, number>;

  /**
   * The entries, replica → largest value, never 0. Public so that two vectors compare by content
   * in tests; it is a live view.
   */
  readonly values: ReadonlyMap<number, number>;

  /** Entries of value 0, which wire lists contain for lower replica ids, are left out. */
  constructor(entries: Iterable<readonly [replicaId: number, value: number]> = []) {
    this.#values = new Map();
    this.values = this.#values;
    for (const [replicaId, timestamp] of entries) this.observe({ replicaId, timestamp });
  }

  /** Largest value seen of `replicaId`, 0 for none. */
  get(replicaId: number): number {
    return this.#values.get(replicaId) ?? 0;
  }

  /** Whether `lamport` was seen. */
  observes(lamport: Lamport): boolean {
    return this.get(lamport.replicaId) >= lamport.timestamp;
  }

  /** Whether everything that `other` has seen was seen. */
  covers(other: VersionVector): boolean {
    for (const [replicaId, value] of other.#values) {
      if (this.get(replicaId) < value) return false;
    }
    return true;
  }

  /** Counts `lamport` as seen. */
  observe(lamport: Lamport): void {
    if (lamport.timestamp > this.get(lamport.replicaId)) {
      this.#values.set(lamport.replicaId, lamport.timestamp);
    }
  }

  /** Counts all that `other` has seen as seen. */
  join(other: VersionVector): void {
    for (const [replicaId, timestamp] of other.#values) this.observe({ replicaId, timestamp });
  }

  /** Largest value of any replica, 0 if nothing was seen. */
  max(): number {
    let max = 0;
    for (const value of this.#values.values()) if (value > max) max = value;
    return max;
  }

  /** An independent copy. */
  clone(): VersionVector {
    return new VersionVector(this.#values);
  }

  /** The entries by ascending replica, as wire lists have them. */
  entries(): [replicaId: number, value: number][] {
    return [...this.#values].sort(([a], [b]) => a - b);
  }
}
