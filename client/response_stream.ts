/** The answers of one request as they come, for one reader. [transport 2.5] */

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** Keeps answers until they are read. */
export class ResponseStream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #cancel: () => void;
  readonly #items: T[] = [];
  readonly #readers: Waiting<T>[] = [];
  #isEnded = false;
  #error: { readonly error: unknown } | undefined;

  /** @param cancel called when the reader wants no more. */
  constructor(cancel: () => void) {
    this.#cancel = cancel;
  }

  /** Adds an answer. */
  push(value: T): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#items.push(value);
    else reader.resolve({ done: false, value });
  }

  /** There are no more answers. */
  end(): void {
    this.#isEnded = true;
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
  }

  /** There are no more answers, and this is why; told once, behind the answers before. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#error = { error };
    else reader.reject(error);
    this.end();
  }

  /** The next answer, once it is there. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) {
      return Promise.resolve({ done: false, value: this.#items.shift() as T });
    }
    if (this.#error !== undefined) {
      const { error } = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Ends the reading early; further answers are ignored. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#cancel();
    this.#items.length = 0;
    this.#error = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The stream itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}
