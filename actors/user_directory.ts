/** Accounts by id, kept in memory once read: `GetUsers` is asked for every snapshot. [projects 6.7] */
import type { Store, User } from "../db/store.ts";

/** Accounts kept; the oldest read go first. */
const CAPACITY = 100_000;

export class UserDirectory {
  readonly #store: Store;
  readonly #users = new Map<number, User>();

  constructor(store: Store) {
    this.#store = store;
  }

  remember(user: User): void {
    this.#users.delete(user.id);
    this.#users.set(user.id, user);
    if (this.#users.size > CAPACITY) {
      for (const oldest of this.#users.keys()) {
        this.#users.delete(oldest);
        break;
      }
    }
  }

  forget(id: number): void {
    this.#users.delete(id);
  }

  /** Those of `ids` that exist; at once when all of them are in memory. [channels 2.3] */
  find(ids: readonly number[]): User[] | Promise<User[]> {
    const found: User[] = [];
    const missing: number[] = [];
    for (const id of new Set(ids)) {
      const user = this.#users.get(id);
      if (user === undefined) missing.push(id);
      else found.push(user);
    }
    if (missing.length === 0) return found;
    return this.#store.users(missing).then((users) => {
      for (const user of users) this.remember(user);
      return [...found, ...users];
    });
  }
}
