/** Which groups of a transaction the database refused, and what is said of them. */
import type { RefusedGroup, WriteGroup } from "./store.ts";

/** The refused groups of one transaction. */
export class Refusals {
  readonly #groups: readonly WriteGroup[];
  readonly #actors = new Map<string, Error>();
  readonly #errors = new Map<number, Error>();

  constructor(groups: readonly WriteGroup[]) {
    this.#groups = groups;
  }

  /** The database refused the group at that place. */
  refuse(index: number, cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `Cannot store what ${
      this.#groups[index]!.actor
    } wrote: ${reason}; it was rolled back`;
    this.#add(index, new Error(text, { cause }));
  }

  /** Whether the group at that place falls with an earlier one; it is refused then. */
  falls(index: number): boolean {
    const { actor, buildsOn = [] } = this.#groups[index]!;
    const error = this.#actors.get(actor) ??
      buildsOn.map((earlier) => this.#errors.get(earlier)).find((error) => error !== undefined);
    if (error !== undefined) this.#add(index, error);
    return error !== undefined;
  }

  /** In the order of the transaction. */
  get all(): RefusedGroup[] {
    return [...this.#errors].sort(([a], [b]) => a - b).map(([index, error]) => ({ index, error }));
  }

  #add(index: number, error: Error): void {
    this.#errors.set(index, error);
    this.#actors.set(this.#groups[index]!.actor, error);
  }
}
