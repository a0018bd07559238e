/** How many wrong secrets one address may send: those that people chose could be guessed. */
import type { Clock } from "../lib/clock.ts";
import type { Config } from "../lib/config.ts";
import { clientAddress } from "./client_address.ts";
import { plainText } from "./responses.ts";
import { RateLimit } from "./signin/rate_limit.ts";

/** Wrong secrets from one address: twenty at once, then ten a minute. */
const BY_ADDRESS = { most: 20, interval: 6_000 };

/** Somebody at an address who proves himself by a secret. */
export interface Guesser {
  /** Whether he may try one. */
  isOpen(): boolean;
  /** It was wrong. */
  missed(): void;
}

/** Counts wrong secrets; right ones cost nothing. */
export class GuessLimit {
  readonly #limit: RateLimit;
  readonly #trusted: Config["trustedProxies"];

  constructor(clock: Clock, trusted: Config["trustedProxies"]) {
    this.#limit = new RateLimit(clock, BY_ADDRESS);
    this.#trusted = trusted;
  }

  /** @param peer network address of who asks, or of the proxy before him */
  guesser(headers: Headers, peer: string): Guesser {
    const address = clientAddress(headers, peer, this.#trusted);
    return {
      isOpen: () => this.#limit.isOpen(address),
      missed: () => this.#limit.charge(address),
    };
  }
}

/** The answer to who has guessed too often. Never a 401, for which clients throw credentials away. */
export function tooManyGuesses(): Response {
  return plainText(429, "too many wrong credentials from this address, wait a minute", {
    "retry-after": "60",
  });
}
