/** Logins in an encrypted file. [transport 3.2.2] */
import { scrypt } from "node:crypto";
import { base64, fromBase64 } from "../base64.ts";
import type { Credentials, CredentialStore } from "../credentials/store.ts";
import { readIfThere, replaceFile } from "./development_store.ts";

/** Where the key of a {@link FileStore} comes from. */
export interface KeySource {
  /**
   * 32 bytes, the same whenever the same `salt` is given.
   *
   * @param salt 16 bytes that stand in the file
   */
  key(salt: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Cost of scrypt, as OWASP has it: 128 MiB and about half a second. */
const SCRYPT = { N: 1 << 17, r: 8, p: 1, maxmem: 256 << 20 };

/** A key from words that the user knows. */
export function passphraseKey(passphrase: string): KeySource {
  return {
    key: (salt) =>
      new Promise((resolve, reject) =>
        scrypt(
          passphrase.normalize("NFKC"),
          salt,
          32,
          SCRYPT,
          (error, key) => error ? reject(error) : resolve(new Uint8Array(key)),
        )
      ),
  };
}

/** What stands in the file. */
interface Sealed {
  readonly version: 1;
  readonly salt: string;
  readonly nonce: string;
  readonly content: string;
}

/** Keeps logins in a file that AES-GCM seals; it is read and written whole. */
export class FileStore implements CredentialStore {
  readonly #path: string;
  readonly #source: KeySource;
  #key: { readonly salt: string; readonly key: Promise<CryptoKey> } | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param path need not be there */
  constructor(path: string, source: KeySource) {
    this.#path = path;
    this.#source = source;
  }

  /**
   * As {@link CredentialStore.read}.
   *
   * @throws {Error} the key is another, or the file was changed; or what the key's source throws.
   */
  async read(key: string): Promise<Credentials | undefined> {
    const login = (await this.#load()).get(key);
    return login && { userId: BigInt(login[0]), token: login[1] };
  }

  /** As {@link CredentialStore.write}. */
  write(key: string, { userId, token }: Credentials): Promise<void> {
    return this.#change((logins) => void logins.set(key, [String(userId), token]));
  }

  /** As {@link CredentialStore.delete}. */
  delete(key: string): Promise<void> {
    return this.#change((logins) => void logins.delete(key));
  }

  #change(change: (logins: Map<string, [string, string]>) => void): Promise<void> {
    const next = this.#last.then(async () => {
      const logins = await this.#load();
      change(logins);
      await this.#save(logins);
    });
    this.#last = next.catch(() => {});
    return next;
  }

  async #load(): Promise<Map<string, [string, string]>> {
    const bytes = await readIfThere(this.#path);
    if (bytes === undefined) return new Map();
    const damaged = (cause: unknown) =>
      new Error(
        `Cannot open the logins in ${this.#path}: the passphrase or key is another, or the file ` +
          "is damaged; delete it to sign in anew",
        { cause },
      );
    let sealed: Sealed;
    try {
      sealed = JSON.parse(new TextDecoder().decode(bytes));
      fromBase64(sealed.salt);
    } catch (cause) {
      throw damaged(cause);
    }
    const { version, salt, nonce, content } = sealed;
    const key = await this.#cryptoKey(salt);
    try {
      if (version !== 1) throw new Error(`Version ${version} is not known`);
      const algorithm = { name: "AES-GCM", iv: fromBase64(nonce) };
      const plain = await crypto.subtle.decrypt(algorithm, key, fromBase64(content));
      return new Map(JSON.parse(new TextDecoder().decode(plain)));
    } catch (cause) {
      throw damaged(cause);
    }
  }

  async #save(logins: ReadonlyMap<string, [string, string]>): Promise<void> {
    const salt = this.#key?.salt ?? base64(crypto.getRandomValues(new Uint8Array(16)));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify([...logins]));
    const content = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv },
      await this.#cryptoKey(salt),
      plain,
    );
    const sealed: Sealed = {
      ...{ version: 1, salt, nonce: base64(iv), content: base64(new Uint8Array(content)) },
    };
    await replaceFile(this.#path, new TextEncoder().encode(JSON.stringify(sealed)));
  }

  #cryptoKey(salt: string): Promise<CryptoKey> {
    if (this.#key?.salt !== salt) {
      const key = this.#source.key(fromBase64(salt)).then((bytes) =>
        crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"])
      );
      const asked = this.#key = { salt, key };
      // Whoever was asked for it may have been in no mood to answer: he is asked again.
      key.catch(() => {
        if (this.#key === asked) this.#key = undefined;
      });
    }
    return this.#key.key;
  }
}
