/**
 * The journal: actors queue row writes, the journal stores them in groups, and what tells of them
 * is spoken after that. [design 1.3]
 */
import type { Clock } from "../lib/clock.ts";
import type { Durability, Outbox } from "../rpc/outbox.ts";
import type { RefusedGroup, Store, Write, WriteGroup } from "../db/store.ts";

/** Rows stored in one transaction before other work gets its turn. */
const ROWS_PER_COMMIT = 256;

interface QueuedGroup extends WriteGroup {
  readonly number: number;
}

export interface JournalEvents {
  /** The database refused one actor's group, or one that the actor had heard of, and kept the others. */
  refused(actor: string, error: Error): void;
  /** The database takes nothing any more; nothing further is spoken. */
  failed(error: Error): void;
  /** One transaction was stored. */
  committed(rows: number, milliseconds: number): void;
}

export class Journal implements Durability {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: JournalEvents;
  readonly #waiting = new Set<Outbox>();
  readonly #refused = new Set<number>();
  /** Actors that remember something of groups which are not stored yet. */
  readonly #hearers: { readonly group: number; readonly actor: string }[] = [];
  #queue: QueuedGroup[] = [];
  #last = 0;
  #durable = 0;
  #scheduled = false;
  #failure: Error | undefined;
  #settled: { upTo: number; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(store: Store, clock: Clock, events: JournalEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
  }

  get durable(): number {
    return this.#durable;
  }

  /** The error after which nothing is stored any more, if there was one. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  refused(group: number): boolean {
    return this.#refused.size > 0 && this.#refused.has(group);
  }

  wait(outbox: Outbox): void {
    this.#waiting.add(outbox);
  }

  /**
   * Queues what one actor wrote in one turn.
   *
   * @returns the number of the group: what tells of it waits until {@link durable} reaches it.
   */
  append(actor: string, writes: readonly Write[]): number {
    const number = ++this.#last;
    this.#queue.push({ actor, writes, number });
    this.#schedule();
    return number;
  }

  /** An actor remembers something of another one's group: it is refused with it. */
  heard(group: number, actor: string): void {
    this.#hearers.push({ group, actor });
  }

  /** True while something appended is not stored yet. */
  get busy(): boolean {
    return this.#durable < this.#last || this.#failure !== undefined;
  }

  /** Resolves when everything appended so far is stored. @throws the error that stopped the journal */
  settled(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#durable >= this.#last) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#settled.push({ upTo: this.#last, resolve, reject });
    });
  }

  /** Forgets the queued groups of an actor that has crashed; what tells of them is not spoken. */
  #refuseQueued(actor: string): void {
    this.#queue = this.#queue.filter((group) => {
      if (group.actor !== actor) return true;
      this.#refused.add(group.number);
      return false;
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#failure !== undefined) return;
    this.#scheduled = true;
    this.#clock.setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#queue.length === 0) {
      this.#scheduled = false;
      return;
    }
    let rows = 0;
    let count = 0;
    for (const group of this.#queue) {
      if (count > 0 && rows + group.writes.length > ROWS_PER_COMMIT) break;
      rows += group.writes.length;
      count++;
    }
    const groups = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    const begun = performance.now();
    const stored = (refused: readonly RefusedGroup[]) =>
      this.#stored(groups, refused, rows, performance.now() - begun);
    let result: readonly RefusedGroup[] | Promise<readonly RefusedGroup[]>;
    try {
      result = this.#store.commit(groups);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (result instanceof Promise) result.then(stored, (error) => this.#fail(error));
    else stored(result);
  }

  #stored(
    groups: readonly QueuedGroup[],
    refused: readonly RefusedGroup[],
    rows: number,
    milliseconds: number,
  ): void {
    const crashed = new Map<string, Error>();
    for (const { index, error } of refused) {
      const group = groups[index] as QueuedGroup;
      this.#refused.add(group.number);
      if (crashed.has(group.actor)) continue;
      crashed.set(group.actor, error);
      this.#refuseQueued(group.actor);
    }
    // Those who heard of a refused group, and in turn those who heard of what they wrote.
    for (let found = true; found;) {
      found = false;
      for (const { group, actor } of this.#hearers) {
        if (!this.#refused.has(group) || crashed.has(actor)) continue;
        crashed.set(actor, new Error("It had heard of a change that was refused"));
        this.#refuseQueued(actor);
        found = true;
      }
    }
    // A refused group may have been the last one queued: everything up to the next stays in order.
    const next = this.#queue[0];
    this.#durable = next === undefined ? this.#last : next.number - 1;
    if (this.#hearers.length > 0) this.#forgetHearers();
    this.#scheduled = false;
    if (this.#queue.length > 0) this.#schedule();
    this.#events.committed(rows, milliseconds);
    for (const [actor, error] of crashed) this.#events.refused(actor, error);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const outbox of waiting) outbox.pump();
    const settled = this.#settled.filter((one) => one.upTo <= this.#durable);
    this.#settled = this.#settled.filter((one) => one.upTo > this.#durable);
    for (const one of settled) one.resolve();
  }

  #forgetHearers(): void {
    const still = this.#hearers.filter(({ group }) => group > this.#durable);
    this.#hearers.splice(0, this.#hearers.length, ...still);
  }

  #fail(error: Error): void {
    this.#failure = error;
    const settled = this.#settled;
    this.#settled = [];
    for (const one of settled) one.reject(error);
    this.#events.failed(error);
  }
}
