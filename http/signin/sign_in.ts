/** Who somebody in a browser is, and what the server keeps for that. */
import type { Passwords } from "../../db/passwords.ts";
import { maxLoginLength } from "../../db/login.ts";
import type { Store, User } from "../../db/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { SignInConfig } from "../../lib/config.ts";
import type { Log } from "../../lib/log.ts";
import { GitHubProvider } from "./github.ts";
import { OidcProvider } from "./oidc.ts";
import type { Provider } from "./provider.ts";
import { RateLimit } from "./rate_limit.ts";
import { Sessions } from "./sessions.ts";

/** Attempts from one address: twenty at once, then ten a minute. */
const BY_ADDRESS = { most: 20, interval: 6_000 };
/** Wrong passwords for one account: ten at once, then one a minute. */
const BY_ACCOUNT = { most: 10, interval: 60_000 };

export interface SignInOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly passwords: Passwords;
  readonly config: SignInConfig;
}

/** What became of a login and a password. */
export type PasswordVerdict =
  | { readonly kind: "right"; readonly user: User }
  | { readonly kind: "wrong" }
  /** The right password of an account that an administrator has disabled. */
  | { readonly kind: "disabled" }
  /** Too many attempts. */
  | { readonly kind: "wait" };

export class SignIn {
  readonly sessions: Sessions;
  /** Where else people may prove who they are. */
  readonly providers: readonly Provider[];
  readonly passwords: Passwords;
  readonly #store: Store;
  readonly #log: Log;
  readonly #addresses: RateLimit;
  readonly #accounts: RateLimit;

  constructor({ store, clock, log, passwords, config }: SignInOptions) {
    this.providers = [
      ...(config.gitHub ? [new GitHubProvider(config.gitHub)] : []),
      ...(config.oidc ? [new OidcProvider(config.oidc)] : []),
    ];
    this.#store = store;
    this.#log = log;
    this.passwords = passwords;
    this.sessions = new Sessions(store, clock);
    this.#addresses = new RateLimit(clock, BY_ADDRESS);
    this.#accounts = new RateLimit(clock, BY_ACCOUNT);
  }

  provider(id: string): Provider | undefined {
    return this.providers.find((provider) => provider.id === id);
  }

  /** Counts an attempt from an address; false when there were too many. */
  mayTry(address: string): boolean {
    return this.#addresses.take(address);
  }

  /**
   * Checks a login and a password. What it says and how long it takes tell nothing of which logins
   * there are, or which of them have a password.
   *
   * @throws {PasswordsBusyError} and when the database does not answer
   */
  async byPassword(login: string, password: string, address: string): Promise<PasswordVerdict> {
    if (!this.mayTry(address)) return { kind: "wait" };
    if (login.length > maxLoginLength) return { kind: "wrong" };
    const account = login.toLowerCase();
    if (!this.#accounts.isOpen(account)) return { kind: "wait" };
    const user = await this.#store.userByLogin(login);
    const stored = user && await this.#store.signIn.passwordHash(user.id);
    const verdict = await this.passwords.check(stored, password);
    if (user === undefined || verdict === "wrong") {
      this.#accounts.take(account);
      // Not the text of an unknown login: people type their password there.
      if (user !== undefined) {
        this.#log.warn("Wrong password for {login} from {address}", { login: user.login, address });
      }
      return { kind: "wrong" };
    }
    this.#accounts.reset(account);
    if (user.disabledAt !== null) return { kind: "disabled" };
    if (verdict === "renew") {
      await this.#store.signIn.setPasswordHash(user.id, await this.passwords.hash(password));
    }
    this.#log.info("{login} signed in by password from {address}", { login: user.login, address });
    return { kind: "right", user };
  }
}
