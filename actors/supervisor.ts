/** Restart policy: a crashed actor is replaced at most so often, then refused. [design 1.6] [style A2] */
import type { Clock } from "../lib/clock.ts";

export interface RestartIntensity {
  /** Restarts allowed within the window. */
  readonly restarts: number;
  /** Milliseconds. */
  readonly window: number;
}

const DEFAULT: RestartIntensity = { restarts: 3, window: 60_000 };

export class Supervisor {
  readonly #clock: Clock;
  readonly #intensity: RestartIntensity;
  readonly #crashes = new Map<string, number[]>();

  constructor(clock: Clock, intensity: RestartIntensity = DEFAULT) {
    this.#clock = clock;
    this.#intensity = intensity;
  }

  /** Notes a crash of the actor at that address; true if it may be replaced once more. */
  mayRestart(address: string): boolean {
    const now = this.#clock.now();
    const recent = (this.#crashes.get(address) ?? [])
      .filter((at) => now - at < this.#intensity.window);
    recent.push(now);
    this.#crashes.set(address, recent);
    return recent.length <= this.#intensity.restarts;
  }

  /** The actor ended as it should: its history is over. */
  forget(address: string): void {
    this.#crashes.delete(address);
  }
}
