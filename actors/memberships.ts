/**
 * In which channel trees a user has a row, accepted or invited: a fact that the trees' actors
 * publish, so that nobody asks a thousand trees for one user's. Each tree writes its own id alone.
 */
const NONE: ReadonlySet<number> = new Set();

export class Memberships {
  readonly #roots = new Map<number, Set<number>>();

  /** Ids of the trees' roots. */
  rootsOf(userId: number): ReadonlySet<number> {
    return this.#roots.get(userId) ?? NONE;
  }

  add(userId: number, rootId: number): void {
    const roots = this.#roots.get(userId);
    if (roots === undefined) this.#roots.set(userId, new Set([rootId]));
    else roots.add(rootId);
  }

  remove(userId: number, rootId: number): void {
    const roots = this.#roots.get(userId);
    if (roots?.delete(rootId) && roots.size === 0) this.#roots.delete(userId);
  }
}
