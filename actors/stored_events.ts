/** Tells what happens to whoever listens, in one order, and nothing before it is stored. [local 7] */
import type { Clock } from "../lib/clock.ts";
import { EventStreams } from "../lib/event_streams.ts";
import { type EventFacts, type EventKind, eventKinds, type StoredEvent } from "./events.ts";
import type { Journal } from "./journal.ts";

/** The listeners of one server. */
export type Listeners = EventStreams<StoredEvent>;

/** Nobody yet. */
export function noListeners(): Listeners {
  return new EventStreams<StoredEvent>(eventKinds);
}

/** The actors' way to the listeners. */
export class StoredEvents {
  readonly #listeners: Listeners;
  readonly #journal: Pick<Journal, "durable" | "refused" | "afterCommit">;
  readonly #clock: Clock;
  /** In the order of their happening; the first is not stored yet. */
  readonly #waiting: { readonly event: StoredEvent; readonly gate: number }[] = [];

  constructor(
    listeners: Listeners,
    journal: Pick<Journal, "durable" | "refused" | "afterCommit">,
    clock: Clock,
  ) {
    this.#listeners = listeners;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** Whether anybody would hear of it: what nobody hears of is not made. */
  wants(kind: EventKind): boolean {
    return this.#listeners.wants(kind);
  }

  /**
   * Tells of what has happened, behind all that happened before it.
   *
   * @param gate the journal's group in which it is stored; never told when that is refused
   */
  tell<Kind extends EventKind>(kind: Kind, facts: EventFacts[Kind], gate: number): void {
    const event = { kind, at: this.#clock.now(), ...facts } as StoredEvent;
    this.#waiting.push({ event, gate });
    if (gate > this.#journal.durable) this.#journal.afterCommit(gate, () => this.#tellStored());
    else this.#tellStored();
  }

  #tellStored(): void {
    for (
      let first = this.#waiting[0];
      first !== undefined && first.gate <= this.#journal.durable;
      first = this.#waiting[0]
    ) {
      this.#waiting.shift();
      if (!this.#journal.refused(first.gate)) this.#listeners.tell(first.event);
    }
  }
}
