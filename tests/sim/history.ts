/** How a value has changed over the ticks of a simulation. */
export class History<T> {
  readonly #changes: { readonly from: number; readonly value: T }[];

  constructor(first: T) {
    this.#changes = [{ from: -1, value: first }];
  }

  get now(): T {
    return (this.#changes.at(-1) as { value: T }).value;
  }

  /** Holds from `tick` on. */
  set(tick: number, value: T): void {
    this.#changes.push({ from: tick, value });
  }

  at(tick: number): T {
    return (this.#changes.findLast(({ from }) => from <= tick) as { value: T }).value;
  }

  /** Ticks of changes behind `from` up to `to`. */
  changesWithin(from: number, to: number): number[] {
    return this.#changes.map((one) => one.from).filter((tick) => tick > from && tick <= to);
  }

  /** Has it been so at `tick` or before? */
  ever(tick: number, isSo: (value: T) => boolean): boolean {
    return this.#changes.some((one) => one.from <= tick && isSo(one.value));
  }
}
