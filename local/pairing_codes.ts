/** The short codes that let a device in. [local 3] [local 3a] */
import { timingSafeEqual } from "node:crypto";
import type { Clock, TimerId } from "../lib/clock.ts";
import type { Pairing, PairingCode, Redemption } from "./port.ts";

/** No 0 O 1 I L U: 30 characters, 6.5e11 codes. */
const ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 8;
/** Milliseconds after which an unused code is replaced. */
const ROTATION = 10 * 60_000;
/** Wrong codes from one address in a minute, and in all, until it is locked. */
const TRIES_A_MINUTE = 5;
const MINUTE = 60_000;
const TRIES_UNTIL_LOCKED = 20;
/** Addresses that are remembered; beyond, those with the fewest wrong tries are forgotten. */
const MOST_ADDRESSES = 10_000;

interface Tries {
  total: number;
  /** Unix milliseconds of the last minute's. */
  recent: number[];
}

/** What somebody typed, without what people add to make it readable. */
function normalizeCode(text: string): string {
  return text.toUpperCase().replaceAll(/[\s\-–—.]/g, "");
}

/** A new code, as people read it. */
export function makeCode(): string {
  let code = "";
  while (code.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      // Beyond the last whole multiple some characters would come more often.
      if (byte < 256 - 256 % ALPHABET.length && code.length < LENGTH) {
        code += ALPHABET[byte % ALPHABET.length];
      }
    }
  }
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/** The code of a server for any device, and those that it was asked for by name. */
export class PairingCodes implements Omit<Pairing, "needsCode" | "fingerprint"> {
  readonly #clock: Clock;
  readonly #changed: (code: PairingCode) => void;
  #code!: PairingCode;
  #timer: TimerId | undefined;
  /** By login. */
  readonly #named = new Map<string, PairingCode>();
  readonly #tries = new Map<string, Tries>();

  /** @param changed hears each code for any device but the first */
  constructor(clock: Clock, changed: (code: PairingCode) => void = () => {}) {
    this.#clock = clock;
    this.#changed = changed;
    this.#code = this.#rotate();
  }

  /** The code for any device. */
  get current(): PairingCode {
    return this.#code;
  }

  /** A code for one more device of an account; the account's earlier one is void. */
  forLogin(login: string): PairingCode {
    const code = { text: makeCode(), expires: this.#clock.now() + ROTATION };
    this.#named.set(login, code);
    return code;
  }

  /** As {@link Pairing.redeem}. */
  redeem(
    typed: string,
    address: string,
    isUsable: (login: string | undefined) => boolean = () => true,
  ): Redemption {
    const tries = this.#triesOf(address);
    if (tries.total >= TRIES_UNTIL_LOCKED) return { kind: "locked" };
    if (tries.recent.length >= TRIES_A_MINUTE) return { kind: "wait" };
    const found = this.#find(normalizeCode(typed));
    if (found === undefined) {
      tries.total++;
      tries.recent.push(this.#clock.now());
      this.#tries.set(address, tries);
      this.#forget();
      return { kind: "wrong" };
    }
    this.#tries.delete(address);
    if (!isUsable(found.login)) return { kind: "right", login: found.login };
    if (found.login !== undefined) this.#named.delete(found.login);
    else this.#replace();
    return { kind: "right", login: found.login };
  }

  /** Lets locked addresses try again. */
  unlock(): void {
    this.#tries.clear();
  }

  /** No timer is left. */
  end(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
  }

  /** Compares with all codes, so that the time tells nothing. */
  #find(typed: string): { readonly login: string | undefined } | undefined {
    let found: { readonly login: string | undefined } | undefined;
    const now = this.#clock.now();
    if (equal(typed, this.#code.text)) found = { login: undefined };
    for (const [login, code] of this.#named) {
      if (equal(typed, code.text) && now < code.expires) found = { login };
    }
    return found;
  }

  #rotate(): PairingCode {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#replace(), ROTATION);
    return { text: makeCode(), expires: this.#clock.now() + ROTATION };
  }

  #replace(): void {
    this.#code = this.#rotate();
    this.#changed(this.#code);
  }

  #triesOf(address: string): Tries {
    const tries = this.#tries.get(address) ?? { total: 0, recent: [] };
    const since = this.#clock.now() - MINUTE;
    tries.recent = tries.recent.filter((at) => at > since);
    return tries;
  }

  #forget(): void {
    if (this.#tries.size <= MOST_ADDRESSES) return;
    const fewest = [...this.#tries].sort(([, a], [, b]) => a.total - b.total);
    for (const [address] of fewest.slice(0, MOST_ADDRESSES / 10)) this.#tries.delete(address);
  }
}

function equal(typed: string, code: string): boolean {
  const wanted = new TextEncoder().encode(normalizeCode(code));
  const given = new Uint8Array(wanted.length);
  const bytes = new TextEncoder().encode(typed);
  given.set(bytes.subarray(0, wanted.length));
  return timingSafeEqual(given, wanted) && bytes.length === wanted.length;
}
