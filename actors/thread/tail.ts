/** The newest events of a thread in memory: what subscribers who keep up are sent. */
import type { ThreadEvent } from "../refs/mod.ts";

/** Stored events that are kept at most, and the bytes of their payloads. */
const MOST_EVENTS = 4_096;
const MOST_BYTES = 512 << 10;

export class Tail {
  /** One behind the other, without holes; those that are not stored yet at the end. */
  #events: ThreadEvent[] = [];
  #head = 0;
  #bytes = 0;
  /** Last event that is stored. */
  storedSeq = 0;

  /** Starts over behind what is stored. */
  reset(storedSeq: number): void {
    this.#events = [];
    this.#head = 0;
    this.#bytes = 0;
    this.storedSeq = storedSeq;
  }

  add(event: ThreadEvent): void {
    this.#events.push(event);
    this.#bytes += event.payload.length;
  }

  /** Everything up to there is stored; old events beyond the limits go. */
  advance(storedSeq: number): void {
    if (storedSeq <= this.storedSeq) return;
    this.storedSeq = storedSeq;
    while (
      this.#events.length - this.#head > MOST_EVENTS || this.#bytes > MOST_BYTES
    ) {
      const first = this.#events[this.#head];
      if (first === undefined || first.seq > storedSeq) break;
      this.#drop(first);
    }
    this.#compact();
  }

  /** Events before that one are not kept any more. */
  cut(firstSeq: number): void {
    for (let first; (first = this.#events[this.#head]) !== undefined;) {
      if (first.seq >= firstSeq) break;
      this.#drop(first);
    }
    this.#compact();
  }

  /** Stored events behind `after`; undefined when some of them are not here. */
  stored(after: number, limit: number): readonly ThreadEvent[] | undefined {
    if (after >= this.storedSeq) return [];
    const first = this.#events[this.#head];
    if (first === undefined || first.seq > after + 1) return undefined;
    const from = this.#head + (after + 1 - first.seq);
    const to = this.#head + (this.storedSeq + 1 - first.seq);
    return this.#events.slice(from, Math.min(to, from + limit));
  }

  #drop(first: ThreadEvent): void {
    this.#head++;
    this.#bytes -= first.payload.length;
  }

  #compact(): void {
    if (this.#head < 1_024 && this.#head < this.#events.length) return;
    this.#events.splice(0, this.#head);
    this.#head = 0;
  }
}
