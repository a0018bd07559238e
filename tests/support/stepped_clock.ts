import { FakeClock } from "./fake_clock.ts";

/**
 * A clock for servers with real sockets: timers run when the test moves it, immediates by themselves.
 */
export class SteppedClock extends FakeClock {
  /** Runs `fn` in the next turn of the real event loop. */
  override setImmediate(fn: () => void): void {
    setImmediate(fn);
  }
}
