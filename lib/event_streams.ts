/** What happens, told to whoever listens: to each in the order of its happening, without waiting for anybody. */

/** Stands where a listener was too slow and the oldest of what waited for it has been dropped. */
export interface Lagged {
  readonly kind: "lagged";
  /** How many events are missing here. */
  readonly missed: number;
}

/** What one listener wants. */
export interface StreamOptions<Kind extends string> {
  /** Without it: everything. */
  readonly kinds?: readonly Kind[];
  /** How many events may wait for the listener, from 1 to 1,000,000; 1,024 without it. */
  readonly queue?: number;
}

const QUEUE = 1_024;
const LONGEST_QUEUE = 1_000_000;

/** All listeners of one source. */
export class EventStreams<Event extends { readonly kind: string }> {
  readonly #open = new Set<EventStream<Event>>();
  readonly #kinds: ReadonlySet<string>;
  #isOver = false;

  /** @param kinds all that there are */
  constructor(kinds: Iterable<Event["kind"]>) {
    this.#kinds = new Set(kinds);
  }

  /** Whether anybody would hear of an event of that kind. */
  wants(kind: Event["kind"]): boolean {
    for (const stream of this.#open) {
      if (stream.wants(kind)) return true;
    }
    return false;
  }

  /** Tells everybody who wants to know. */
  tell(event: Event): void {
    for (const stream of this.#open) {
      if (stream.wants(event.kind)) stream.add(event);
    }
  }

  /**
   * A new listener, who hears of what happens from now on.
   *
   * @throws {RangeError} there is no such kind, or the queue's length is out of bounds
   */
  open({ kinds, queue = QUEUE }: StreamOptions<Event["kind"]> = {}): EventStream<Event> {
    const unknown = kinds?.find((kind) => !this.#kinds.has(kind));
    if (unknown !== undefined) throw new RangeError(`Cannot listen to "${unknown}": no such kind`);
    if (!Number.isInteger(queue) || queue < 1 || queue > LONGEST_QUEUE) {
      throw new RangeError(`Cannot let ${queue} events wait: from 1 to ${LONGEST_QUEUE} may`);
    }
    const stream = new EventStream<Event>(kinds && new Set(kinds), queue, () => {
      this.#open.delete(stream);
    });
    if (this.#isOver) stream.end();
    else this.#open.add(stream);
    return stream;
  }

  /** Nothing happens any more: listeners get what waits for them, and then their end. */
  end(): void {
    this.#isOver = true;
    for (const stream of [...this.#open]) stream.end();
  }
}

/** What one listener hears. Leaving the loop, or `await using`, ends it. */
export class EventStream<Event extends { readonly kind: string }>
  implements AsyncIterableIterator<Event | Lagged>, AsyncDisposable {
  readonly #kinds: ReadonlySet<string> | undefined;
  readonly #queue: number;
  readonly #closed: () => void;
  #waiting: Event[] = [];
  #missed = 0;
  #isOver = false;
  readonly #asking: ((result: IteratorResult<Event | Lagged>) => void)[] = [];

  /** @param kinds all without it */
  constructor(kinds: ReadonlySet<string> | undefined, queue: number, closed: () => void) {
    this.#kinds = kinds;
    this.#queue = queue;
    this.#closed = closed;
  }

  wants(kind: string): boolean {
    return this.#kinds === undefined || this.#kinds.has(kind);
  }

  /** Hands an event to the listener, or lets it wait; the oldest that waits makes room. */
  add(event: Event): void {
    const ask = this.#asking.shift();
    if (ask !== undefined) {
      ask({ value: event, done: false });
      return;
    }
    if (this.#waiting.length === this.#queue) {
      this.#waiting.shift();
      this.#missed++;
    }
    this.#waiting.push(event);
  }

  /** Nothing comes any more behind what waits. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#closed();
    for (const ask of this.#asking.splice(0)) ask({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<Event | Lagged>> {
    if (this.#missed > 0) {
      const value: Lagged = { kind: "lagged", missed: this.#missed };
      this.#missed = 0;
      return Promise.resolve({ value, done: false });
    }
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  /** Ends it at once; what waited is forgotten. */
  return(): Promise<IteratorResult<Event | Lagged>> {
    this.#waiting = [];
    this.#missed = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
