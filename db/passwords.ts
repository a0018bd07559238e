/** Passwords: what is stored of them, and how one is checked. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** Cost of a hash: `2^log` rounds over `8 · block` bytes, `parallel` times. */
export interface PasswordCost {
  readonly log: number;
  readonly block: number;
  readonly parallel: number;
}

/** 32 MiB and about a tenth of a second: what OWASP recommends for scrypt. */
const COST: PasswordCost = { log: 15, block: 8, parallel: 3 };
/** Stored costs beyond this are not believed: the row would stop the server. */
const MOST_LOG = 20;
const HASH_BYTES = 32;
/** Hashes computed at once; each takes its memory, and a thread of the pool. */
const AT_ONCE = 2;
/** Hashes that may wait; more are refused, so that a flood does not pile up. */
const MOST_WAITING = 64;

/** Shortest and longest password, in characters. */
const passwordLength = { least: 10, most: 200 } as const;

/** A password that is not good enough; the message says why. */
export class WeakPasswordError extends Error {
  override readonly name = "WeakPasswordError";
}

/** Too many passwords are being checked. */
export class PasswordsBusyError extends Error {
  override readonly name = "PasswordsBusyError";
  constructor() {
    super("Cannot check the password: too many people are signing in, try again in a moment");
  }
}

/** @throws {WeakPasswordError} unless the text can be the password of that account. */
export function checkPassword(password: string, login: string): void {
  const { length } = [...password];
  if (length < passwordLength.least) {
    throw new WeakPasswordError(
      `Password is too short: it needs ${passwordLength.least} characters or more`,
    );
  }
  if (length > passwordLength.most) {
    throw new WeakPasswordError(
      `Password is too long: it may have ${passwordLength.most} characters at most`,
    );
  }
  if (password.toLowerCase().includes(login.toLowerCase()) && length < login.length + 8) {
    throw new WeakPasswordError("Password is hardly more than the login: choose another");
  }
  if (new Set(password).size < 4) {
    throw new WeakPasswordError("Password repeats few characters: choose another");
  }
}

/** Hashes and checks passwords, a few at a time. */
export class Passwords {
  readonly #cost: PasswordCost;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param cost of new hashes; for tests */
  constructor(cost: PasswordCost = COST) {
    this.#cost = cost;
  }

  /** The form that is stored: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`. @throws {PasswordsBusyError} */
  async hash(password: string): Promise<string> {
    const { log, block, parallel } = this.#cost;
    const salt = randomBytes(16);
    const hash = await this.#derive(password, salt, this.#cost);
    return `$scrypt$ln=${log},r=${block},p=${parallel}$${base64(salt)}$${base64(hash)}`;
  }

  /**
   * Checks a password. Without a stored one it takes as long and is never right, so that the time
   * does not tell which logins there are.
   *
   * @returns `renew` for a right one whose hash should be made again with today's cost
   * @throws {PasswordsBusyError}
   */
  async check(stored: string | undefined, password: string): Promise<"right" | "renew" | "wrong"> {
    const parsed = stored === undefined ? undefined : parse(stored);
    const { cost, salt, hash } = parsed ??
      { cost: this.#cost, salt: new Uint8Array(16), hash: new Uint8Array(HASH_BYTES) };
    const derived = await this.#derive(password, salt, cost);
    if (parsed === undefined || !timingSafeEqual(derived, hash)) return "wrong";
    const { log, block, parallel } = this.#cost;
    const asToday = cost.log === log && cost.block === block && cost.parallel === parallel;
    return asToday ? "right" : "renew";
  }

  async #derive(password: string, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) throw new PasswordsBusyError();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await derive(password, salt, cost);
    } finally {
      // The place goes on to who waits, so that nobody can slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function derive(password: string, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const [N, r, p] = [2 ** cost.log, cost.block, cost.parallel];
  // The same password typed on another system may be composed differently.
  const text = new TextEncoder().encode(password.normalize("NFKC"));
  scrypt(text, salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) => {
    if (error) reject(error);
    else resolve(new Uint8Array(key));
  });
  return promise;
}

interface Stored {
  readonly cost: PasswordCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

function parse(text: string): Stored | undefined {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/.exec(text);
  if (match === null) return undefined;
  const [log, block, parallel] = match.slice(1, 4).map(Number) as [number, number, number];
  if (log < 1 || log > MOST_LOG || block < 1 || block > 32 || parallel < 1 || parallel > 16) {
    return undefined;
  }
  const bytes = (part: string) => Uint8Array.fromBase64(part, { alphabet: "base64url" });
  const hash = bytes(match[5]!);
  if (hash.length !== HASH_BYTES) return undefined;
  return { cost: { log, block, parallel }, salt: bytes(match[4]!), hash };
}

function base64(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
}
