/** Logins in a browser's storage, for pages of one origin. [transport 3.2.2] */
import type { Credentials, CredentialStore } from "./store.ts";

const PREFIX = "parley login ";

/**
 * Keeps logins in `localStorage`, or in `sessionStorage` for one tab. Every script of the origin can
 * read them: use it only for pages that run no others' scripts.
 */
export class WebStore implements CredentialStore {
  readonly #storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;

  constructor(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#storage = storage;
  }

  /** As {@link CredentialStore.read}; what is unreadable counts as not there. */
  read(key: string): Promise<Credentials | undefined> {
    const [, id, token] = /^(\d+) (\S+)$/.exec(this.#storage.getItem(PREFIX + key) ?? "") ?? [];
    if (id === undefined || token === undefined) return Promise.resolve(undefined);
    return Promise.resolve({ userId: BigInt(id), token });
  }

  /** As {@link CredentialStore.write}. */
  write(key: string, { userId, token }: Credentials): Promise<void> {
    this.#storage.setItem(PREFIX + key, `${userId} ${token}`);
    return Promise.resolve();
  }

  /** As {@link CredentialStore.delete}. */
  delete(key: string): Promise<void> {
    this.#storage.removeItem(PREFIX + key);
    return Promise.resolve();
  }
}
