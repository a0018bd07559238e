/** How {@link waitUntil} waits. */
export interface WaitUntilOptions {
  /** After this long without success it fails; {@link PATIENCE} unless told otherwise. */
  readonly timeoutMs?: number;
  /** What was waited for, in the message of the failure; a function is asked at that moment. */
  readonly describe?: string | (() => string);
}

/** Milliseconds: no measure of anything, only the end of a test that would never come to one. */
const PATIENCE = 60_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 25;

/**
 * Waits for something observable, the only way that a test may wait: asks `condition` again and again
 * until it gives something true, and returns that. A condition that throws is not met yet; its last
 * error is the cause of the failure.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitUntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  const { timeoutMs = PATIENCE, describe = "the condition" } = options;
  const start = performance.now();
  let pause = FIRST_PAUSE_MS;
  while (true) {
    let cause: unknown;
    try {
      const result = await condition();
      if (result) return result as Exclude<T, false | null | undefined | 0 | "">;
    } catch (error) {
      cause = error;
    }
    if (performance.now() - start >= timeoutMs) {
      const what = typeof describe === "string" ? describe : describe();
      throw new Error(
        `Waited ${timeoutMs} ms for ${what}`,
        cause === undefined ? undefined : { cause },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
  }
}
