import { compareLamport } from "./lamport.ts";
import type { Operation } from "./operation.ts";

/**
 * Operations that arrived before one that they build on. Of each replica only the oldest can
 * become ready, whatever the others need. [channels 9.7]
 */
export class WaitingSet implements Iterable<Operation> {
  /** Per replica from newest to oldest, so that the oldest is taken off cheaply; never empty. */
  readonly #byReplica = new Map<number, Operation[]>();
  #size = 0;

  /** Operations waiting. */
  get size(): number {
    return this.#size;
  }

  /** Adds `operation`; false if it waits already. */
  add(operation: Operation): boolean {
    const waiting = this.#byReplica.get(operation.replicaId) ?? [];
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (waiting[middle]!.timestamp > operation.timestamp) low = middle + 1;
      else high = middle;
    }
    if (waiting[low]?.timestamp === operation.timestamp) return false;
    waiting.splice(low, 0, operation);
    this.#byReplica.set(operation.replicaId, waiting);
    this.#size++;
    return true;
  }

  /** Whether an operation of the same replica waits that is older than `operation`. */
  blocks(operation: Operation): boolean {
    const oldest = this.#byReplica.get(operation.replicaId)?.at(-1);
    return oldest !== undefined && oldest.timestamp < operation.timestamp;
  }

  /** Takes out the first operation, by timestamp, that `isReady` accepts and nothing blocks. */
  take(isReady: (operation: Operation) => boolean): Operation | undefined {
    let first: Operation | undefined;
    for (const waiting of this.#byReplica.values()) {
      const oldest = waiting.at(-1)!;
      if (first !== undefined && compareLamport(first, oldest) < 0) continue;
      if (isReady(oldest)) first = oldest;
    }
    if (first !== undefined) this.#pop(first.replicaId);
    return first;
  }

  /** Takes out all operations that `which` picks; those of one replica from the oldest on. */
  drop(which: (operation: Operation) => boolean): Operation[] {
    const dropped: Operation[] = [];
    for (const [replicaId, waiting] of this.#byReplica) {
      const kept: Operation[] = [];
      for (const operation of waiting.toReversed()) {
        (which(operation) ? dropped : kept).push(operation);
      }
      if (kept.length === waiting.length) continue;
      if (kept.length === 0) this.#byReplica.delete(replicaId);
      else this.#byReplica.set(replicaId, kept.reverse());
    }
    this.#size -= dropped.length;
    return dropped;
  }

  /** The operations, in no particular order. */
  *[Symbol.iterator](): Iterator<Operation> {
    for (const waiting of this.#byReplica.values()) yield* waiting;
  }

  #pop(replicaId: number): void {
    const waiting = this.#byReplica.get(replicaId)!;
    waiting.pop();
    this.#size--;
    if (waiting.length === 0) this.#byReplica.delete(replicaId);
  }
}
