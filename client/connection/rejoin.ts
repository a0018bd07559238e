/**
 * What is open on a connection and has to be opened anew on the next: rooms with their projects,
 * notes, subscriptions. [transport 12.11]
 */
import type { Clock, TimerId } from "../../lib/clock.ts";
import { chainText } from "../errors.ts";

/** How long to wait for the next connection before something open is given up, in milliseconds. */
const REJOIN_PATIENCE = 30_000;
/** How often something open is asked for over new connections before it is given up. */
const REJOIN_TRIES = 3;

/** Something that a client has open and takes back over each new connection. */
export interface Rejoinable {
  /** Milliseconds without success after which it is given up; `Infinity` never. */
  readonly patience?: number;
  /** Failures after which it is given up, counted from each loss; `Infinity` never. */
  readonly tries?: number;
  /** The connection is gone: what is sent now goes nowhere, so wait. Called once for each loss. */
  suspend?(reason: string): void;
  /**
   * A new connection is there. What is asked in the first turn comes before every message of that
   * connection. A failure is tried again, at once, as long as tries are left and it is connected.
   */
  rejoin(): Promise<void>;
  /** It is given up: close it here. It is taken from the list before. */
  abandon(reason: string): void;
}

/** One entry, from its loss to its return. */
class Entry {
  readonly rejoinable: Rejoinable;
  isOpen: boolean;
  failures = 0;
  timer: TimerId | undefined;

  constructor(rejoinable: Rejoinable, isOpen: boolean) {
    this.rejoinable = rejoinable;
    this.isOpen = isOpen;
  }
}

/** The list of what is open at one client. */
export class Rejoining {
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  readonly #entries = new Map<Rejoinable, Entry>();
  readonly #waiters: (() => void)[] = [];
  /** Counts the connections; what belongs to an earlier one is stale. */
  #generation = 0;
  #isConnected = false;

  constructor(clock: Clock, warn: (text: string) => void) {
    this.#clock = clock;
    this.#warn = warn;
  }

  /**
   * Adds what is open now.
   *
   * @returns takes it away: it was closed.
   */
  add(rejoinable: Rejoinable): () => void {
    const entry = new Entry(rejoinable, this.#isConnected);
    this.#entries.set(rejoinable, entry);
    if (!entry.isOpen) this.#suspend(entry, "not connected");
    return () => this.#remove(entry);
  }

  /** Resolves once nothing waits to be taken back: it is open again, or given up. */
  settled(): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** There is a connection. */
  connected(): void {
    this.#isConnected = true;
    const generation = ++this.#generation;
    for (const entry of [...this.#entries.values()]) {
      if (!entry.isOpen) void this.#rejoin(entry, generation);
    }
  }

  /** The connection is gone. */
  lost(reason: string): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#generation++;
    for (const entry of [...this.#entries.values()]) {
      if (!entry.isOpen) continue;
      entry.isOpen = false;
      this.#suspend(entry, reason);
    }
  }

  /** There will be no further connection: everything is given up. */
  end(reason: string): void {
    this.lost(reason);
    for (const entry of [...this.#entries.values()]) this.#abandon(entry, reason);
  }

  get #isSettled(): boolean {
    for (const { isOpen } of this.#entries.values()) if (!isOpen) return false;
    return true;
  }

  #suspend(entry: Entry, reason: string): void {
    const { patience = REJOIN_PATIENCE } = entry.rejoinable;
    entry.failures = 0;
    if (patience !== Infinity && entry.timer === undefined) {
      entry.timer = this.#clock.setTimeout(
        () => this.#abandon(entry, `not back within ${patience / 1000} s: ${reason}`),
        patience,
      );
    }
    this.#guarded(() => entry.rejoinable.suspend?.(reason));
  }

  async #rejoin(entry: Entry, generation: number): Promise<void> {
    const { tries = REJOIN_TRIES } = entry.rejoinable;
    const isStale = () =>
      generation !== this.#generation || this.#entries.get(entry.rejoinable) !== entry;
    while (true) {
      try {
        await entry.rejoinable.rejoin();
        if (isStale()) return;
        entry.isOpen = true;
        this.#clearTimer(entry);
        return this.#changed();
      } catch (error) {
        if (isStale()) return;
        const text = chainText(error);
        this.#warn(`Cannot rejoin: ${text}`);
        if (++entry.failures >= tries) return this.#abandon(entry, text);
      }
    }
  }

  #abandon(entry: Entry, reason: string): void {
    if (this.#entries.get(entry.rejoinable) !== entry) return;
    this.#remove(entry);
    this.#guarded(() => entry.rejoinable.abandon(reason));
  }

  #remove(entry: Entry): void {
    if (this.#entries.get(entry.rejoinable) === entry) this.#entries.delete(entry.rejoinable);
    this.#clearTimer(entry);
    this.#changed();
  }

  #clearTimer(entry: Entry): void {
    if (entry.timer !== undefined) this.#clock.clearTimeout(entry.timer);
    entry.timer = undefined;
  }

  #changed(): void {
    if (this.#isSettled) { for (const resolve of this.#waiters.splice(0)) resolve(); }
  }

  #guarded(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#warn(`Failed to handle a lost connection: ${chainText(error)}`);
    }
  }
}
