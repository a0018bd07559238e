/** How long a client waits between attempts to connect again. [transport 3.5] */

/** Generation of the editor whose rules a client follows. */
export type Generation = "2025" | "2026";

/** The first delay after a loss, in milliseconds. */
export const INITIAL_DELAY = 500;
/** No delay of 2025 is longer, in milliseconds. */
const MAX_DELAY_2025 = 10_000;
/** No delay of 2026 is longer, before its random part, in milliseconds. */
const MAX_DELAY_2026 = 30_000;

/** Numbers of at least 0 and less than 1, evenly spread. */
export type Random = () => number;

/** A wait, and the delay that the next wait is made from; milliseconds. */
export interface Delay {
  readonly wait: number;
  readonly next: number;
}

/**
 * What to wait after a failed attempt.
 *
 * 2025 waits the delay itself, and then multiplies it by 0.5 to 2.5, within 0.5 and 10 s. 2026 waits
 * the delay and up to as much again, and doubles it, up to 30 s. [transport 3.5.2] [transport 3.5.3]
 */
export function delayAfter(delay: number, generation: Generation, random: Random): Delay {
  if (generation === "2026") {
    return {
      wait: delay + Math.floor(random() * delay),
      next: Math.min(delay * 2, MAX_DELAY_2026),
    };
  }
  const factor = 0.5 + random() * 2;
  return {
    wait: delay,
    next: Math.min(Math.max(delay * factor, INITIAL_DELAY), MAX_DELAY_2025),
  };
}
