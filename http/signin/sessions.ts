/** Browsers that are signed in, and proof that a form came from our own page. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { hashSecret } from "../../db/access_tokens.ts";
import type { Store, User } from "../../db/store.ts";
import type { Clock } from "../../lib/clock.ts";

/** How long a browser stays signed in, in milliseconds. */
const SESSION_LIFETIME = 30 * 24 * 3_600_000;

const COOKIE = "parley_session";

/** A browser, by its cookie; every browser that opens a page with a form gets one. */
export interface Browser {
  /** What the cookie holds; the database knows its hash, once somebody is signed in. */
  readonly id: string;
  readonly user: User | undefined;
  /** `Set-Cookie` for a browser that has no cookie yet. */
  readonly setCookie: Readonly<Record<string, string>>;
}

/** How the cookie is limited. */
export interface CookieScope {
  /** The server's own path, or empty. */
  readonly prefix: string;
  /** Whether browsers reach us by https. */
  readonly secure: boolean;
}

/** Sessions by cookie. The key that signs them is in the database: they outlive a restart. */
export class Sessions {
  readonly #store: Store;
  readonly #clock: Clock;
  #key: Promise<Uint8Array> | undefined;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Who asks. @throws when the database does not answer */
  async browser(request: Request, scope: CookieScope): Promise<Browser> {
    const id = await this.#cookieOf(request);
    if (id === undefined) return await this.#newBrowser(undefined, scope);
    const session = await this.#store.signIn.session(hashSecret(id));
    const open = session !== undefined && session.expiresAt > this.#clock.now();
    const user = open ? await this.#store.user(session.userId) : undefined;
    return { id, user: user?.disabledAt === null ? user : undefined, setCookie: {} };
  }

  /**
   * Signs a user in, under a cookie that nobody else can have known.
   *
   * @param label what the user will know the browser by
   */
  async signIn(
    before: Browser,
    user: User,
    scope: CookieScope,
    label: string,
  ): Promise<Browser> {
    await this.signOut(before);
    const browser = await this.#newBrowser(user, scope);
    await this.#store.signIn.createSession({
      hash: hashSecret(browser.id),
      userId: user.id,
      expiresAt: this.#clock.now() + SESSION_LIFETIME,
      label,
    });
    return browser;
  }

  /** Ends the session; the browser keeps a cookie that says nothing. */
  async signOut({ id }: Browser): Promise<void> {
    await this.#store.signIn.removeSession(hashSecret(id));
  }

  /** The field that a form of this browser must carry. */
  async csrfToken({ id }: Browser): Promise<string> {
    return await this.#sign("form", id);
  }

  /** Whether a form came from a page of ours in this very browser. */
  async isOwnForm(browser: Browser, given: string): Promise<boolean> {
    return equal(given, await this.csrfToken(browser));
  }

  /** A text that nobody else can have made, for a cookie of some other purpose. */
  async seal(purpose: string, text: string): Promise<string> {
    const body = new TextEncoder().encode(text).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
    return `${body}.${await this.#sign(purpose, body)}`;
  }

  /** What was sealed for that purpose; undefined for anything else. */
  async unseal(purpose: string, sealed: string): Promise<string | undefined> {
    const [, body, signature] = /^([\w-]+)\.([\w-]{43})$/.exec(sealed) ?? [];
    if (!body || !signature || !equal(signature, await this.#sign(purpose, body))) return undefined;
    return new TextDecoder().decode(Uint8Array.fromBase64(body, { alphabet: "base64url" }));
  }

  async #newBrowser(user: User | undefined, scope: CookieScope): Promise<Browser> {
    const id = randomBytes(32).toString("base64url");
    const attributes = [
      `${COOKIE}=${id}.${await this.#sign("cookie", id)}`,
      `Path=${scope.prefix === "" ? "/" : scope.prefix}`,
      `Max-Age=${SESSION_LIFETIME / 1000}`,
      "HttpOnly",
      "SameSite=Lax",
      ...(scope.secure ? ["Secure"] : []),
    ];
    return { id, user, setCookie: { "set-cookie": attributes.join("; ") } };
  }

  async #cookieOf(request: Request): Promise<string | undefined> {
    const header = request.headers.get("cookie") ?? "";
    for (const part of header.split(/;\s*/)) {
      const [, id, signature] = /^parley_session=([\w-]{43})\.([\w-]{43})$/.exec(part) ?? [];
      if (id && signature && equal(signature, await this.#sign("cookie", id))) return id;
    }
    return undefined;
  }

  async #sign(purpose: string, id: string): Promise<string> {
    return createHmac("sha256", await this.#signingKey()).update(`${purpose}:${id}`)
      .digest("base64url");
  }

  #signingKey(): Promise<Uint8Array> {
    if (this.#key === undefined) {
      const key = this.#store.signIn.secret("browser_sessions", randomBytes(32));
      this.#key = key;
      // The database may have been away; the next one asks again.
      key.catch(() => this.#key = undefined);
    }
    return this.#key;
  }
}

function equal(a: string, b: string): boolean {
  const [x, y] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
