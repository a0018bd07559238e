import type { Store } from "../../db/store.ts";
import { StoreUnavailableError } from "../../db/store.ts";

/** A store that a test can take away, and give back. */
export interface FailingStore {
  readonly store: Store;
  /** Whether everything that is asked of it fails. */
  away: boolean;
}

/** Wraps a store so that each of its methods can fail as if the database were out of reach. */
export function failingStore(store: Store): FailingStore {
  const wrapped: FailingStore = {
    away: false,
    store: new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (!wrapped.away || name === "close") return value.apply(target, args);
          const error = new StoreUnavailableError("The database is away, by a test's wish");
          if (name === "commit") throw error;
          return Promise.reject(error);
        };
      },
    }),
  };
  return wrapped;
}
