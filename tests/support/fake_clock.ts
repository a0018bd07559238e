import type { Clock, TimerId } from "../../lib/clock.ts";

interface Timer {
  readonly due: number;
  /** Breaks ties: of two timers due together, the one set first runs first. */
  readonly order: number;
  readonly fn: () => void;
}

/** More callbacks than this in one call is a loop that would never let time pass. */
const MAX_CALLBACKS = 1_000_000;

/**
 * A clock that stands still until a test moves it. Nothing runs by itself: timers run inside
 * `advance`, immediates inside `advance` or `runImmediates`, always in the same order.
 *
 * A callback that throws ends the call with its error; what is still due stays due.
 */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Map<number, Timer>();
  #immediates: (() => void)[] = [];

  /** @param start The first `now()`, in milliseconds since the Unix epoch. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  /** Milliseconds since the Unix epoch, as the test set them. */
  now(): number {
    return this.#now;
  }

  /** Sets a timer `ms` from now; without a number, or with a negative one, it is due at once. */
  setTimeout(fn: () => void, ms: number): TimerId {
    const order = ++this.#order;
    this.#timers.set(order, { due: this.#now + (ms > 0 ? ms : 0), order, fn });
    return order;
  }

  /** Takes a timer back; unknown and spent ones are ignored. */
  clearTimeout(id: TimerId): void {
    this.#timers.delete(id as number);
  }

  /** Runs `fn` in the next `advance` or `runImmediates`, before any timer. */
  setImmediate(fn: () => void): void {
    this.#immediates.push(fn);
  }

  /** How many timers are set. A test that ends with some has leaked them. */
  get timers(): number {
    return this.#timers.size;
  }

  /** How many immediates wait. */
  get immediates(): number {
    return this.#immediates.length;
  }

  /** When the next timer is due; `undefined` when none is set. */
  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /** Runs the immediates, also those which they add, until none is left. Returns how many. */
  runImmediates(): number {
    let ran = 0;
    for (let fn = this.#immediates.shift(); fn; fn = this.#immediates.shift()) {
      if (++ran > MAX_CALLBACKS) throw new Error("Immediates add immediates without end");
      fn();
    }
    return ran;
  }

  /**
   * Lets `ms` milliseconds pass: all timers due by then run in order, each at its own time, with the
   * immediates before and after each of them.
   */
  advance(ms: number): void {
    this.#refusePast(ms);
    const end = this.#now + ms;
    this.runImmediates();
    for (let ran = 0; this.#step(end);) {
      if (++ran > MAX_CALLBACKS) throw new Error("Timers of 0 ms set timers of 0 ms without end");
      this.runImmediates();
    }
    this.#now = end;
  }

  /**
   * As `advance`, and between the callbacks the promises which they settled run on, through one turn
   * of the real event loop. For code that awaits something between two timers.
   */
  async advanceAsync(ms: number): Promise<void> {
    this.#refusePast(ms);
    const end = this.#now + ms;
    await this.#settle();
    while (this.#step(end)) await this.#settle();
    this.#now = end;
  }

  /** Immediates one by one, each behind what the promises settled before it have to do. */
  async #settle(): Promise<void> {
    const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
    await turn();
    let ran = 0;
    for (let fn = this.#immediates.shift(); fn; fn = this.#immediates.shift()) {
      if (++ran > MAX_CALLBACKS) throw new Error("Immediates add immediates without end");
      fn();
      await turn();
    }
  }

  /** Runs the next timer due by `end`; false when there is none. */
  #step(end: number): boolean {
    const timer = this.#next();
    if (!timer || timer.due > end) return false;
    this.#timers.delete(timer.order);
    this.#now = timer.due;
    timer.fn();
    return true;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    // Insertion order is the order of setting, so the first of those due together is the right one.
    for (const timer of this.#timers.values()) {
      if (!next || timer.due < next.due) next = timer;
    }
    return next;
  }

  #refusePast(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`Cannot advance the clock by ${ms} ms`);
  }
}
