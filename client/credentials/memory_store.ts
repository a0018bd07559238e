import type { Credentials, CredentialStore } from "./store.ts";

/** Logins that end with the program. */
export class MemoryStore implements CredentialStore {
  readonly #logins = new Map<string, Credentials>();

  /** As {@link CredentialStore.read}. */
  read(key: string): Promise<Credentials | undefined> {
    return Promise.resolve(this.#logins.get(key));
  }

  /** As {@link CredentialStore.write}. */
  write(key: string, credentials: Credentials): Promise<void> {
    this.#logins.set(key, credentials);
    return Promise.resolve();
  }

  /** As {@link CredentialStore.delete}. */
  delete(key: string): Promise<void> {
    this.#logins.delete(key);
    return Promise.resolve();
  }
}
