import { compareLamport } from "./lamport.ts";
import type { Operation } from "./operation.ts";
import type { VersionVector } from "./version_vector.ts";

/** The operations that were applied to a document. */
export class History {
  /** Per replica in ascending order, which is the order in which they get applied. */
  readonly #byReplica = new Map<number, Operation[]>();

  /** Adds an operation newer than all of its replica so far. */
  push(operation: Operation): void {
    const operations = this.#byReplica.get(operation.replicaId);
    if (operations === undefined) this.#byReplica.set(operation.replicaId, [operation]);
    else operations.push(operation);
  }

  /** Those that `version` does not observe, by timestamp. */
  since(version: VersionVector): Operation[] {
    const missing: Operation[] = [];
    for (const [replicaId, operations] of this.#byReplica) {
      let low = 0;
      let high = operations.length;
      const seen = version.get(replicaId);
      while (low < high) {
        const middle = (low + high) >> 1;
        if (operations[middle]!.timestamp > seen) high = middle;
        else low = middle + 1;
      }
      for (; low < operations.length; low++) missing.push(operations[low]!);
    }
    return missing.sort(compareLamport);
  }
}
