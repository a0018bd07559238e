import { Journal } from "../../../actors/journal.ts";
import { PresenceTable } from "../../../actors/presence.ts";
import { Registry } from "../../../actors/registry.ts";
import { noListeners, StoredEvents } from "../../../actors/stored_events.ts";
import { Supervisor } from "../../../actors/supervisor.ts";
import type { ActorSystem } from "../../../actors/system.ts";
import type { Log, LogProperties } from "../../../lib/log.ts";
import { createMetrics } from "../../../lib/metrics.ts";
import { protocolTimes } from "../../../lib/times.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeStore } from "./fake_store.ts";

/** A log whose warnings and errors a test reads. */
export class FakeLog implements Log {
  readonly lines: string[] = [];
  /** What was said at debug level, which is asked for here. */
  readonly details: LogProperties[] = [];
  tellsDebug = false;

  debug(_message: string, properties: LogProperties = {}): void {
    this.details.push(properties);
  }
  info(): void {}
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
  with(): Log {
    return this;
  }
}

/** What single actors and their parts share in a test; the whole is in world.ts. */
export class FakeSystem {
  readonly epoch = 1;
  readonly clock = new FakeClock();
  readonly times = protocolTimes;
  readonly db = new FakeStore();
  readonly log = new FakeLog();
  readonly metrics = createMetrics();
  readonly registry = new Registry();
  readonly presence = new PresenceTable();
  readonly supervisor = new Supervisor(this.clock);
  readonly journal = new Journal(this.db.store, this.clock, {
    refused: () => {},
    failed: () => {},
    away: () => {},
    back: () => {},
    committed: () => {},
  });
  readonly events = new StoredEvents(noListeners(), this.journal, this.clock);

  /** As actors take it. */
  get system(): ActorSystem {
    return this as unknown as ActorSystem;
  }
}
