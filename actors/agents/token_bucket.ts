/** A limit on how often something happens in the long run, with room for bursts. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  #tokens: number;
  #at = 0;

  /** @param perSecond in the long run; twice as many may come at once */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#capacity = Math.max(2 * perSecond, 1_000);
    this.#tokens = this.#capacity;
  }

  /** Takes so many, or none and tells so. @param now milliseconds */
  take(count: number, now: number): boolean {
    if (this.#at > 0) {
      const gained = Math.max(0, now - this.#at) * this.#perSecond / 1000;
      this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
    }
    this.#at = now;
    if (count > this.#tokens) return false;
    this.#tokens -= count;
    return true;
  }
}
