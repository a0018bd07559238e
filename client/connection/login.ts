/** The credentials of a client: where they come from, and whether they are good. */
import { chainText, ConnectError } from "../errors.ts";
import { AuthenticationError, StoredLoginRefusedError, UnauthorizedError } from "../errors.ts";
import type { Credentials, CredentialStore } from "../credentials/store.ts";
import type { HttpClient } from "../http/http_client.ts";
import { serviceUrl } from "../http/base_urls.ts";
import type { SignInMethod } from "../sign_in/sign_in_method.ts";
import type { Generation } from "./backoff.ts";

/** What a {@link Login} is made with. */
export interface LoginOptions {
  readonly serverUrl: string;
  /** The store's key, if not the server's address. [transport 3.2.2] */
  readonly credentialsUrl?: string | undefined;
  readonly store?: CredentialStore | undefined;
  /** Asked where no good login is stored. */
  readonly method?: SignInMethod | undefined;
  /** Neither reads nor writes the store: the login is somebody else's. [transport 3.2.4] */
  readonly isImpersonating?: boolean | undefined;
  /** "auto" asks the server: one without account documents is of 2025. [transport 12.8] */
  readonly generation?: Generation | "auto" | undefined;
  readonly http: HttpClient;
  readonly warn: (text: string) => void;
}

/** What the server says of credentials. */
type Verdict = "valid" | "invalid" | "unknown to it";

/** One client's login, in memory and in its store. [transport 3.3] [transport 3.4] */
export class Login {
  readonly #options: LoginOptions;
  #serverUrl: string;
  #credentials: Credentials | undefined;
  /** Whether this attempt took them from the store. [transport 3.3.5] */
  #isFromStore = false;
  #generation: Generation | undefined;

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#serverUrl = options.serverUrl;
    const { generation = "auto" } = options;
    this.#generation = generation === "auto" ? undefined : generation;
  }

  /** What is used now; undefined while nobody is signed in. */
  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** Whose rules hold; undefined until the server has told. */
  get generation(): Generation | undefined {
    return this.#generation;
  }

  /** Whether the store holds a login for this server. */
  async isStored(): Promise<boolean> {
    return await this.#store?.read(this.#key) !== undefined;
  }

  /**
   * Finds credentials and checks them.
   *
   * @param mayAsk whether a person is there to sign in
   * @throws {AuthenticationError}
   * @throws {StoredLoginRefusedError} a person would have to be asked, and may not be.
   */
  async authenticate(tryStore: boolean, signal: AbortSignal, mayAsk = true): Promise<void> {
    this.#isFromStore = false;
    try {
      if (await this.#isGood(this.#credentials, signal)) return;
      this.#credentials = undefined;
      if (tryStore && await this.#fromStore(signal)) return;
      await this.#fromMethod(signal, mayAsk);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof ConnectError) throw cause;
      throw new AuthenticationError(`Cannot sign in: ${chainText(cause)}`, { cause });
    }
  }

  /** The server took them in a handshake: 2025 keeps them now. [transport 3.3.4] */
  async accepted(): Promise<void> {
    if (this.#generation !== "2025" || this.#isFromStore) return;
    await this.#write();
  }

  /** What a refused handshake means for them: the error to go on with. [3.3.5] [3.4.5] */
  async refused(error: unknown): Promise<unknown> {
    if (this.#generation !== "2025" || !(error instanceof UnauthorizedError)) return error;
    this.#credentials = undefined;
    if (!this.#isFromStore) return error;
    await this.#delete();
    return new StoredLoginRefusedError(error.message, { cause: error });
  }

  /** Goes to another server; those in memory are tried there first. [transport 3.8.4] */
  move(serverUrl: string): void {
    this.#serverUrl = serverUrl;
    if ((this.#options.generation ?? "auto") === "auto") this.#generation = undefined;
  }

  /** Forgets them here and in the store. The server is not told. [transport 3.8.1] */
  async forget(): Promise<void> {
    this.#credentials = undefined;
    await this.#delete();
  }

  get #key(): string {
    return this.#options.credentialsUrl ?? this.#serverUrl;
  }

  get #store(): CredentialStore | undefined {
    return this.#options.isImpersonating ? undefined : this.#options.store;
  }

  async #fromStore(signal: AbortSignal): Promise<boolean> {
    const stored = await this.#store?.read(this.#key);
    if (stored === undefined) return false;
    if (!await this.#isGood(stored, signal)) {
      await this.#delete();
      return false;
    }
    signal.throwIfAborted();
    this.#credentials = stored;
    this.#isFromStore = true;
    return true;
  }

  async #fromMethod(signal: AbortSignal, mayAsk: boolean): Promise<void> {
    const { method, http } = this.#options;
    const serverUrl = this.#serverUrl;
    if (method === undefined) {
      throw new AuthenticationError(
        `Cannot sign in at ${serverUrl}: no login is stored, and there is no way to get one`,
      );
    }
    if (method.asksUser && !mayAsk) {
      const text = `The login at ${serverUrl} is refused, and nobody was asked for another`;
      this.#options.warn(text);
      throw new StoredLoginRefusedError(text);
    }
    const credentials = await method.signIn({ serverUrl, http, signal });
    signal.throwIfAborted();
    checkCredentials(credentials);
    this.#credentials = credentials;
    if (this.#generation === undefined) await this.#validate(credentials, signal);
    if (this.#generation === "2026") await this.#write();
  }

  async #isGood(credentials: Credentials | undefined, signal: AbortSignal): Promise<boolean> {
    if (credentials === undefined) return false;
    if (this.#generation === "2025") return true;
    return await this.#validate(credentials, signal) !== "invalid";
  }

  /** Only 401 says that a login is bad. [transport 3.4.2] */
  async #validate(credentials: Credentials, signal: AbortSignal): Promise<Verdict> {
    const url = serviceUrl(this.#serverUrl, "cloud", "/client/users/me");
    const response = await this.#options.http.request(url, {
      headers: { "content-type": "application/json", "authorization": authorization(credentials) },
      signal,
    });
    await response.body?.cancel();
    const { status, ok } = response;
    if (status === 404 && this.#generation === undefined) {
      this.#generation = "2025";
      return "unknown to it";
    }
    if (ok || status === 401) {
      this.#generation ??= "2026";
      return ok ? "valid" : "invalid";
    }
    throw new AuthenticationError(`Cannot check the login at ${url}: it answers ${status}`);
  }

  async #write(): Promise<void> {
    if (this.#credentials === undefined) return;
    await this.#guarded(
      "keep the login",
      (store) => store.write(this.#key, this.#credentials as Credentials),
    );
  }

  async #delete(): Promise<void> {
    await this.#guarded("delete the stored login", (store) => store.delete(this.#key));
  }

  /** A store that fails costs the next start its login, not this one. */
  async #guarded(what: string, use: (store: CredentialStore) => Promise<void>): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    try {
      await use(store);
    } catch (error) {
      this.#options.warn(`Cannot ${what}: ${chainText(error)}`);
    }
  }
}

/** The `Authorization` of a user: id, one space, token. [transport 3.2.1] */
export function authorization({ userId, token }: Credentials): string {
  return `${userId} ${token}`;
}

/** @throws {AuthenticationError} they cannot be a login. [transport 3.2.1] [transport 1.2.4] */
function checkCredentials({ userId, token }: Credentials): void {
  const id = Number(userId);
  if (!Number.isInteger(id) || id < 1 || id > 0x7fffffff) {
    throw new AuthenticationError(`Cannot sign in: the user id ${userId} is not 1 to 2147483647`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new AuthenticationError(
      "Cannot sign in: the token has characters that no header can hold",
    );
  }
}
