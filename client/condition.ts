/** Waiting for something about a state that changes. */

interface Waiter {
  readonly test: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Promises that a state's owner settles by saying that it changed. */
export class Condition {
  #waiters: Waiter[] = [];
  #failure: Error | undefined;

  /** Resolves once `test` is true: at once, or after some {@link changed}. */
  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ test, resolve, reject }));
  }

  /** The state changed: whoever has what he waits for goes on. */
  changed(): void {
    const waiters = this.#waiters;
    if (waiters.length === 0) return;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.test()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  /** The state changes no more: whoever waits, or comes to wait, fails. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
