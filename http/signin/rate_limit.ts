/** How often something may be tried. */
import type { Clock } from "../../lib/clock.ts";

/** Keys that are remembered; the one that was not used for longest goes first. */
const MOST_KEYS = 10_000;

interface Bucket {
  tokens: number;
  /** Unix milliseconds of `tokens`. */
  at: number;
}

/** A number of attempts for each key, which come back one by one. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #interval: number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param interval milliseconds until one attempt comes back */
  constructor(clock: Clock, { most, interval }: { most: number; interval: number }) {
    this.#clock = clock;
    this.#most = most;
    this.#interval = interval;
  }

  /** Whether an attempt is left. */
  isOpen(key: string): boolean {
    return this.#filled(key).tokens >= 1;
  }

  /** Takes an attempt; false when none is left. */
  take(key: string): boolean {
    const bucket = this.#filled(key);
    const open = bucket.tokens >= 1;
    if (open) bucket.tokens--;
    this.#keep(key, bucket);
    return open;
  }

  /** Takes an attempt even where none is left: those that ran side by side are paid for later. */
  charge(key: string): void {
    const bucket = this.#filled(key);
    bucket.tokens--;
    this.#keep(key, bucket);
  }

  /** Gives all attempts back: it was the right person. */
  reset(key: string): void {
    this.#buckets.delete(key);
  }

  #keep(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MOST_KEYS) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
  }

  #filled(key: string): Bucket {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return { tokens: this.#most, at: now };
    const back = Math.max(0, now - bucket.at) / this.#interval;
    bucket.tokens = Math.min(this.#most, bucket.tokens + back);
    bucket.at = now;
    return bucket;
  }
}
