/** The file of logins that development builds keep: readable by its owner only. [transport 3.2.3] */
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Credentials, CredentialStore } from "../credentials/store.ts";

/** A JSON object from the server's address to `[id, bytes of the token]`. */
type Logins = Record<string, [id: string, token: number[]]>;

/** Keeps logins in a file as they are. For development: see {@link FileStore} for others. */
export class DevelopmentStore implements CredentialStore {
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  /** @param path the file `development_credentials` of a folder for settings; it need not be there */
  constructor(path: string) {
    this.#path = path;
  }

  /** As {@link CredentialStore.read}. */
  async read(key: string): Promise<Credentials | undefined> {
    const login = (await this.#load())[key];
    if (login === undefined) return undefined;
    const [id, token] = login;
    return { userId: BigInt(id), token: new TextDecoder().decode(new Uint8Array(token)) };
  }

  /** As {@link CredentialStore.write}. */
  write(key: string, { userId, token }: Credentials): Promise<void> {
    return this.#change((logins) => {
      logins[key] = [String(userId), [...new TextEncoder().encode(token)]];
    });
  }

  /** As {@link CredentialStore.delete}. */
  delete(key: string): Promise<void> {
    return this.#change((logins) => void delete logins[key]);
  }

  /** One change after the other, each from the file as it is. */
  #change(change: (logins: Logins) => void): Promise<void> {
    const next = this.#last.then(async () => {
      const logins = await this.#load();
      change(logins);
      await replaceFile(this.#path, new TextEncoder().encode(JSON.stringify(logins)));
    });
    this.#last = next.catch(() => {});
    return next;
  }

  async #load(): Promise<Logins> {
    const bytes = await readIfThere(this.#path);
    if (bytes === undefined) return {};
    try {
      const logins: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (typeof logins === "object" && logins !== null) return logins as Logins;
    } catch {
      // Told below, with what can be done.
    }
    throw new Error(`Cannot read the logins in ${this.#path}: it is no JSON object; delete it`);
  }
}

/** The content of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts a file in place at once, or leaves the old one; only its owner may read it. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${crypto.randomUUID()}`;
  await writeFile(fresh, bytes, { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, path);
}
