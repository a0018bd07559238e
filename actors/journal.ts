/**
 * The journal: actors queue row writes, the journal stores them in groups, and what tells of them
 * is spoken after that. [design 1.3]
 */
import type { Clock } from "../lib/clock.ts";
import type { Durability, Outbox } from "../rpc/outbox.ts";
import {
  type RefusedGroup,
  type Store,
  StoreAwayError,
  type Write,
  type WriteGroup,
} from "../db/store.ts";

/** Rows stored in one transaction before other work gets its turn. */
const ROWS_PER_COMMIT = 256;

/** Milliseconds before a transaction is tried again, at first and at most; half of it is by chance. */
const FIRST_RETRY = 50;
const LAST_RETRY = 2_000;

interface QueuedGroup extends WriteGroup {
  readonly number: number;
  /** It writes nothing, and is stored when all of these are. */
  readonly standsFor?: readonly number[];
}

export interface JournalEvents {
  /** The database refused one actor's group, or one that the actor had heard of, and kept the others. */
  refused(actor: string, error: Error): void;
  /** The database takes nothing any more; nothing further is spoken. */
  failed(error: Error): void;
  /** The database cannot be reached; what is not stored waits, and is tried again. */
  away(error: Error): void;
  /** It has come back after so many milliseconds; nothing was lost. */
  back(milliseconds: number): void;
  /** One transaction was stored. */
  committed(rows: number, milliseconds: number): void;
}

export class Journal implements Durability {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: JournalEvents;
  readonly #recovery: number;
  readonly #random: () => number;
  readonly #waiting = new Set<Outbox>();
  readonly #refused = new Set<number>();
  /** Actors that build on groups which are not stored yet. */
  readonly #hearers: { readonly group: number; readonly actor: string }[] = [];
  #queue: QueuedGroup[] = [];
  #last = 0;
  #durable = 0;
  #scheduled = false;
  #failure: Error | undefined;
  /** Since when the database is away, and how often it was tried again. */
  #away: { readonly since: number; readonly error: Error; tries: number } | undefined;
  /** Who wants to know of a group that is not stored yet. */
  #listeners: { readonly group: number; readonly hear: (stored: boolean) => void }[] = [];
  #settled: { upTo: number; resolve: () => void; reject: (error: Error) => void }[] = [];

  /**
   * @param recovery milliseconds for which a database that is away is waited for
   * @param random from 0 to 1
   */
  constructor(
    store: Store,
    clock: Clock,
    events: JournalEvents,
    recovery = 60_000,
    random: () => number = Math.random,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
    this.#recovery = recovery;
    this.#random = random;
  }

  get durable(): number {
    return this.#durable;
  }

  /** The error after which nothing is stored any more, if there was one. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether the database is out of reach at the moment: what is written now waits. */
  get away(): boolean {
    return this.#away !== undefined;
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

  /**
   * What tells of two groups waits for both, and is not spoken when either was refused.
   *
   * @returns the number of a group that stands for them
   */
  both(one: number, other: number): number {
    if (one === other || this.refused(one)) return one;
    if (this.refused(other)) return other;
    if (Math.min(one, other) <= this.#durable) return Math.max(one, other);
    const number = ++this.#last;
    this.#queue.push({ actor: "", writes: [], number, standsFor: [one, other] });
    return number;
  }

  /** An actor builds on another one's group from now on: what it writes is refused with it. */
  heard(group: number, actor: string): void {
    this.#hearers.push({ group, actor });
  }

  /**
   * Tells whether a group came to be stored: at once where that is known already, else behind what is
   * said of it. Never tells when the journal has failed.
   */
  afterCommit(group: number, hear: (stored: boolean) => void): void {
    if (group <= this.#durable) hear(!this.refused(group));
    else this.#listeners.push({ group, hear });
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

  /** Waits no longer for a database that is away: what is not stored was never spoken of. */
  giveUp(): void {
    if (this.#away !== undefined && this.#failure === undefined) this.#fail(this.#away.error);
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
    this.#commit(groups, rows);
  }

  #commit(groups: readonly QueuedGroup[], rows: number): void {
    const begun = performance.now();
    const written = this.#written(groups);
    const stored = (refused: readonly RefusedGroup[]) => {
      const errors = refused.map(({ index, error }) => [written[index]!, error] as const);
      this.#stored(groups, errors, rows, performance.now() - begun);
    };
    let result: readonly RefusedGroup[] | Promise<readonly RefusedGroup[]>;
    try {
      result = this.#store.commit(written);
    } catch (error) {
      this.#failed(error as Error, groups, rows);
      return;
    }
    if (result instanceof Promise) {
      result.then(stored, (error) => this.#failed(error, groups, rows));
    } else stored(result);
  }

  /** Those that write, and on which earlier ones they build. */
  #written(groups: readonly QueuedGroup[]): readonly QueuedGroup[] {
    const written = groups.filter(({ standsFor }) => standsFor === undefined);
    if (this.#hearers.length === 0) return written;
    const places = new Map<number, readonly number[]>();
    written.forEach(({ number }, index) => places.set(number, [index]));
    for (const { number, standsFor } of groups) {
      if (standsFor === undefined) continue;
      places.set(number, standsFor.flatMap((one) => places.get(one) ?? []));
    }
    const heard = Map.groupBy(this.#hearers, ({ actor }) => actor);
    return written.map((group, index) => {
      const buildsOn = (heard.get(group.actor) ?? [])
        .flatMap((hearer) => places.get(hearer.group) ?? [])
        .filter((place) => place < index);
      return buildsOn.length === 0 ? group : { ...group, buildsOn };
    });
  }

  /** The same groups again, also where they may have been stored: that comes to the same. */
  #failed(error: Error, groups: readonly QueuedGroup[], rows: number): void {
    if (this.#failure !== undefined) return;
    const now = this.#clock.now();
    const away = this.#away ?? { since: now, error, tries: 0 };
    if (!(error instanceof StoreAwayError) || now - away.since >= this.#recovery) {
      this.#fail(error);
      return;
    }
    if (this.#away === undefined) {
      this.#away = away;
      this.#events.away(error);
    }
    const pause = Math.min(FIRST_RETRY * 2 ** away.tries++, LAST_RETRY);
    this.#clock.setTimeout(() => {
      if (this.#failure === undefined) this.#commit(groups, rows);
    }, pause * (0.5 + this.#random() / 2));
  }

  #stored(
    groups: readonly QueuedGroup[],
    refused: readonly (readonly [group: QueuedGroup, error: Error])[],
    rows: number,
    milliseconds: number,
  ): void {
    // It has been said that nothing is stored any more.
    if (this.#failure !== undefined) return;
    const away = this.#away;
    this.#away = undefined;
    if (away !== undefined) this.#events.back(this.#clock.now() - away.since);
    const crashed = new Map<string, Error>();
    for (const [group, error] of refused) {
      this.#refused.add(group.number);
      if (crashed.has(group.actor)) continue;
      crashed.set(group.actor, error);
      this.#refuseQueued(group.actor);
    }
    for (const group of groups) this.#decide(group);
    // Those who heard of a refused group, and in turn those who heard of what they wrote.
    for (let found = true; found;) {
      found = false;
      this.#decideNext();
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
    this.#tellListeners();
    const settled = this.#settled.filter((one) => one.upTo <= this.#durable);
    this.#settled = this.#settled.filter((one) => one.upTo > this.#durable);
    for (const one of settled) one.resolve();
  }

  /** What stands for a refused group is refused. */
  #decide({ number, standsFor = [] }: QueuedGroup): void {
    if (standsFor.some((one) => this.#refused.has(one))) this.#refused.add(number);
  }

  /** What writes nothing, and all before it is stored or refused, waits for no further transaction. */
  #decideNext(): void {
    for (let next = this.#queue[0]; next?.standsFor !== undefined; next = this.#queue[0]) {
      this.#decide(next);
      this.#queue.shift();
    }
  }

  #tellListeners(): void {
    if (this.#listeners.length === 0) return;
    const told = this.#listeners.filter(({ group }) => group <= this.#durable);
    this.#listeners = this.#listeners.filter(({ group }) => group > this.#durable);
    for (const { group, hear } of told) hear(!this.refused(group));
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
