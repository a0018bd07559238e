/** A clock whose timers end with their owner. */
import type { Clock, TimerId } from "./clock.ts";

/** Passes everything on to another clock, and forgets at {@link end} what has not run yet. */
export class OwnedClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<TimerId>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimeout(fn: () => void, ms: number): TimerId {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      fn();
    }, ms);
    if (this.#ended) this.#clock.clearTimeout(timer);
    else this.#timers.add(timer);
    return timer;
  }

  clearTimeout(id: TimerId): void {
    this.#timers.delete(id);
    this.#clock.clearTimeout(id);
  }

  setImmediate(fn: () => void): void {
    this.#clock.setImmediate(fn);
  }

  /** Clears all timers; from now on none is set. */
  end(): void {
    this.#ended = true;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
  }
}
