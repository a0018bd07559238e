const MAX_VALUE = 0xffff_ffff;

/** The Lamport clock of one replica. [channels 9.2] */
export class LamportClock {
  #value = 1;

  /** The value that the next {@link tick} returns. */
  get value(): number {
    return this.#value;
  }

  /**
   * Takes the present value and moves on by one.
   *
   * @throws {RangeError} the clock has passed what a timestamp of 32 bits can hold.
   */
  tick(): number {
    if (this.#value > MAX_VALUE) {
      throw new RangeError(
        `Cannot tick the clock: its value ${this.#value} exceeds ${MAX_VALUE}; reopen the document`,
      );
    }
    return this.#value++;
  }

  /** Moves past `value`, the timestamp of an operation that was applied. */
  observe(value: number): void {
    this.#value = Math.max(this.#value, value) + 1;
  }
}
