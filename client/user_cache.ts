/** Names of users, fetched once. [rooms 18] */
import type { User } from "../proto/mod.ts";

/** Asks for users by their ids. */
export type FetchUsers = (userIds: readonly bigint[]) => Promise<readonly User[]>;

/** Users by id. Ids asked for in one turn go into one request. */
export class UserCache {
  readonly #fetch: FetchUsers;
  readonly #users = new Map<bigint, Promise<User | undefined>>();
  #batch: { readonly ids: bigint[]; readonly result: Promise<readonly User[]> } | undefined;

  constructor(fetch: FetchUsers) {
    this.#fetch = fetch;
  }

  /** The user; undefined if the server does not know him. */
  get(userId: bigint): Promise<User | undefined> {
    let user = this.#users.get(userId);
    if (user === undefined) {
      user = this.#load(userId);
      this.#users.set(userId, user);
      // What failed, or was not there, may be asked for again.
      const forget = () => void this.#users.delete(userId);
      user.then((found) => found ?? forget(), forget);
    }
    return user;
  }

  async #load(userId: bigint): Promise<User | undefined> {
    this.#batch ??= this.#startBatch();
    this.#batch.ids.push(userId);
    return (await this.#batch.result).find(({ id }) => id === userId);
  }

  #startBatch(): { ids: bigint[]; result: Promise<readonly User[]> } {
    const ids: bigint[] = [];
    const result = Promise.resolve().then(() => {
      this.#batch = undefined;
      return this.#fetch(ids);
    });
    return { ids, result };
  }
}
