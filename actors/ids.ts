/** Ids that are never used again, also not after a restart. [projects 13.3] */
import type { Put, Store } from "../db/store.ts";

export type Counter = "room" | "project" | "notification" | "channel" | "message" | "agent_thread";

export class Ids {
  readonly #last: Map<string, number>;

  private constructor(last: Map<string, number>) {
    this.#last = last;
  }

  static async load(store: Store): Promise<Ids> {
    const rows = await store.load("counters");
    return new Ids(new Map(rows.map((row) => [row.name, row.value])));
  }

  /** The id given out last, 0 for none. */
  last(counter: Counter): number {
    return this.#last.get(counter) ?? 0;
  }

  /** The next id, and the write that keeps it from being given again. */
  next(counter: Counter): { id: number; write: Put } {
    const id = this.last(counter) + 1;
    this.#last.set(counter, id);
    return { id, write: { op: "put", table: "counters", row: { name: counter, value: id } } };
  }
}
