/** Looks after outboxes whose peers read slowly, and after streams that wait for their socket. */
import type { Clock } from "../lib/clock.ts";
import type { Outbox, PressureMonitor } from "../rpc/outbox.ts";

/** Milliseconds between two looks at slow peers. */
const INTERVAL = 250;

export class Pressure implements PressureMonitor {
  readonly #clock: Clock;
  readonly #stuckAfter: number;
  readonly #watched = new Set<Outbox>();
  /** Outboxes that will be pumped: each asks again at every stream that is put behind its first. */
  readonly #planned = new Set<Outbox>();
  #ticking = false;
  /** Milliseconds that this process stood still: a long write, a suspended machine. */
  #stood = 0;

  /** @param stuckAfter milliseconds without progress after which a full outbox is evicted */
  constructor(clock: Clock, stuckAfter: number) {
    this.#clock = clock;
    this.#stuckAfter = stuckAfter;
  }

  /** Peers that are being watched, for metrics. */
  get slowPeers(): number {
    return this.#watched.size;
  }

  watch(outbox: Outbox): void {
    this.#watched.add(outbox);
    this.#tick();
  }

  pumpLater(outbox: Outbox, ms: number): void {
    if (this.#planned.has(outbox)) return;
    this.#planned.add(outbox);
    const pump = () => {
      this.#planned.delete(outbox);
      outbox.pump();
    };
    if (ms === 0) this.#clock.setImmediate(pump);
    else this.#clock.setTimeout(pump, ms);
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    const due = this.#clock.now() + INTERVAL;
    this.#clock.setTimeout(() => {
      this.#ticking = false;
      const late = this.#clock.now() - due;
      // Nobody could take anything meanwhile.
      if (late > INTERVAL) this.#stood += late;
      const now = this.#clock.now() - this.#stood;
      for (const outbox of [...this.#watched]) {
        if (!outbox.watch(now, this.#stuckAfter)) this.#watched.delete(outbox);
      }
      if (this.#watched.size > 0) this.#tick();
    }, INTERVAL);
  }
}
