import type { RefusedGroup, Store, WriteGroup } from "../../../db/store.ts";

/** A database that notes what it was given and refuses what a test tells it to. */
export class FakeStore {
  /** The transactions so far: addresses of their groups' actors. */
  readonly commits: string[][] = [];
  /** Rows of each transaction. */
  readonly rows: number[] = [];
  /** Actors whose next group is refused, with all behind it in its transaction. */
  readonly refusing = new Set<string>();
  /** The next transaction fails with it. */
  failure: Error | undefined;
  /** While true, transactions are answered with promises that {@link answer} resolves. */
  remote = false;
  readonly #waiting: (() => void)[] = [];

  /** As the port that the journal takes. */
  get store(): Store {
    return this as unknown as Store;
  }

  commit(
    groups: readonly WriteGroup[],
  ): readonly RefusedGroup[] | Promise<readonly RefusedGroup[]> {
    if (!this.remote) return this.#commit(groups);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#commit(groups));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Answers the transaction that has waited longest. */
  async answer(): Promise<void> {
    this.#waiting.shift()?.();
    await Promise.resolve();
    await Promise.resolve();
  }

  #commit(groups: readonly WriteGroup[]): readonly RefusedGroup[] {
    if (this.failure !== undefined) throw this.failure;
    this.commits.push(groups.map(({ actor }) => actor));
    this.rows.push(groups.reduce((sum, { writes }) => sum + writes.length, 0));
    const refused: RefusedGroup[] = [];
    const failed = new Set<string>();
    for (const [index, { actor, buildsOn = [] }] of groups.entries()) {
      if (this.refusing.delete(actor)) failed.add(actor);
      if (buildsOn.some((earlier) => refused.some(({ index }) => index === earlier))) {
        failed.add(actor);
      }
      if (failed.has(actor)) refused.push({ index, error: new Error(`Refused ${actor}`) });
    }
    return refused;
  }
}
