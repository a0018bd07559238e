/** Names one running timer of a clock; opaque. */
export type TimerId = number | object;

/** Time as the program sees it; a fake one stands in for it in tests and in the simulation. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `fn` once, `ms` milliseconds from now. The shape is XState's, so that charts take it too. */
  setTimeout(fn: () => void, ms: number): TimerId;
  clearTimeout(id: TimerId): void;
  /** Runs `fn` after everything that is ready now, before time passes. */
  setImmediate(fn: () => void): void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (id) => clearTimeout(id as number),
  setImmediate: nextTurn(),
};

/** The platform's `setImmediate`; where there is none, as in browsers, a message to ourselves. */
function nextTurn(): (fn: () => void) => void {
  if (typeof setImmediate === "function") return (fn) => void setImmediate(fn);
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (fn) => {
    waiting.push(fn);
    port2.postMessage(undefined);
  };
}
