/** Functions that want to hear of something. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Adds one. @returns takes it away. */
  add(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells all of them, in the order in which they were added. */
  tell(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}
