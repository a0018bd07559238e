import type { Store } from "../../db/store.ts";

/** A store whose commits a test can hold up, as a database does that is busy. */
export class HeldStore implements AsyncDisposable {
  /** Give this to the server. */
  readonly store: Store;
  /** Commits that wait. */
  waiting = 0;
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(store: Store) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        if (name === "commit") return this.#commit.bind(this, target);
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** From now on commits wait, until the result is disposed of. */
  hold(): Disposable {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate;
    return {
      [Symbol.dispose]: () => {
        this.#gate = undefined;
        gate.resolve();
      },
    };
  }

  /** Closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }

  #commit(store: Store, groups: Parameters<Store["commit"]>[0]): ReturnType<Store["commit"]> {
    if (this.#gate === undefined) return store.commit(groups);
    this.waiting++;
    return this.#gate.promise.then(() => {
      this.waiting--;
      return store.commit(groups);
    });
  }
}
