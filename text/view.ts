import type { Lamport } from "./lamport.ts";
import type { Operation } from "./operation.ts";
import type { VersionVector } from "./version_vector.ts";

/**
 * What of a document the author of an operation could see, for a document that covers his version.
 * Says the same as the version, but keeps only the replicas that he was behind of: few as a
 * rule, which makes the question cheap enough to be asked of every fragment. [channels 9.6]
 */
export class View {
  /** The author, and the replicas of which the document has applied more than he had. */
  readonly behind: number[];
  /** Per replica of {@link behind} the largest value that the author had seen. */
  readonly seen: number[];

  /**
   * @param operation what the author made, not yet applied.
   * @param applied what the document has applied; covers the operation's version.
   */
  constructor({ replicaId: author, version }: Operation, applied: VersionVector) {
    // What the operation itself inserts is not in view while it gets applied.
    this.behind = [author];
    this.seen = [version.get(author)];
    for (const [replicaId, value] of applied.values) {
      const seen = version.get(replicaId);
      if (seen < value && replicaId !== author) {
        this.behind.push(replicaId);
        this.seen.push(seen);
      }
    }
  }

  /** Whether the author had seen `lamport`, which the document has applied. */
  observes(lamport: Lamport): boolean {
    const at = this.behind.indexOf(lamport.replicaId);
    return at === -1 || lamport.timestamp <= this.seen[at]!;
  }
}
