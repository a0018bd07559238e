/** The server of a simulation: real actors on one database, over several runs. */
import { Actors } from "../../actors/start.ts";
import type { Connection } from "../../actors/connection/mod.ts";
import { parseAppVersion } from "../../lib/app_version.ts";
import type { Log } from "../../lib/log.ts";
import { createMetrics } from "../../lib/metrics.ts";
import { protocolTimes } from "../../lib/times.ts";
import type { Store } from "../../db/store.ts";
import type { FakeClock } from "../support/fake_clock.ts";
import { Faults, faultyMedia, faultyStore, MortalClock } from "./faults.ts";
import type { Link, LinkWatch } from "./network.ts";

/** One connection as the simulation knows it. */
export interface Accepted {
  readonly link: Link;
  readonly connection: Connection;
  readonly watch: SimWatch;
}

/** Sees the messages of one connection. */
export interface SimWatch extends LinkWatch {
  /** Requests of the client without an end. */
  readonly unanswered: readonly string[];
}

/** Starts, ends and kills the server; clients connect to whichever run is up. */
export class SimServer {
  readonly store: Store;
  readonly faults = new Faults();
  /** Errors that the server logged. */
  readonly errors: string[] = [];
  /** Everything logged, for a trace. */
  trace: (text: string) => void = () => {};
  readonly #clock: FakeClock;
  #mortal: MortalClock | undefined;
  #actors: Actors | undefined;
  #accepted = new Set<Accepted>();
  /** Set while a run starts or ends. */
  #changing = false;

  constructor(store: Store, clock: FakeClock) {
    this.store = store;
    this.#clock = clock;
  }

  /** The run that is up. */
  get actors(): Actors | undefined {
    return this.#actors;
  }

  /** Connections of this run. */
  get accepted(): readonly Accepted[] {
    return [...this.#accepted];
  }

  async start(): Promise<void> {
    const mortal = new MortalClock(this.#clock, this.faults);
    this.#mortal = mortal;
    const actors = await Actors.start({
      store: faultyStore(this.store, mortal, this.faults),
      clock: mortal,
      times: protocolTimes,
      media: faultyMedia(this.faults),
      metrics: createMetrics(),
      log: this.#log(),
      avatarUrl: (userId) => `/avatars/${userId}.png`,
      failed: (error) => void this.errors.push(`the journal failed: ${error.message}`),
    });
    if (!mortal.isDead) this.#actors = actors;
  }

  /** Lets a client in; undefined while no run is up. */
  accept(
    link: Link,
    userId: number,
    version: string,
    watchOf: (connection: Connection) => SimWatch,
  ): Connection | undefined {
    if (this.#actors === undefined) return undefined;
    const appVersion = parseAppVersion(version);
    if (appVersion === undefined) throw new TypeError(`Cannot parse the version ${version}`);
    const connection = this.#actors.connect(link.server, {
      userId,
      admin: false,
      version: appVersion,
    });
    const watch = watchOf(connection);
    link.attach({
      receive: (message) => {
        this.faults.handling = true;
        try {
          connection.receive(message);
        } finally {
          this.faults.handling = false;
        }
      },
      socketClosed: () => connection.socketClosed(),
    }, watch);
    this.#accepted.add({ link, connection, watch });
    return connection;
  }

  /** Ends as on a signal, and starts anew after `pause` milliseconds. */
  restart(pause: number): void {
    if (this.#changing || this.#actors === undefined) return;
    this.#changing = true;
    const actors = this.#actors;
    this.#actors = undefined;
    actors.drain().then(() => {
      this.#mortal?.kill();
      this.#startLater(pause);
    });
  }

  /** Dies in the middle: `hurried` messages of each link are still taken, but nothing after that. */
  kill(pause: number, hurried: number): void {
    if (this.#changing || this.#actors === undefined) return;
    this.#changing = true;
    for (const { link } of this.#accepted) link.hurry(hurried);
    this.#mortal?.kill();
    this.#actors = undefined;
    for (const { link } of this.#accepted) link.serverDied();
    this.#startLater(pause);
  }

  #startLater(pause: number): void {
    this.#accepted = new Set();
    this.#clock.setTimeout(() => {
      this.start().then(() => {
        this.#changing = false;
      }, (error) => {
        this.errors.push(`the server did not start: ${error.stack ?? error}`);
      });
    }, pause);
  }

  #log(): Log {
    const tell = (level: string) => (message: string, properties: object = {}) => {
      const text = message.replaceAll(
        /\{(\w+)\}/g,
        (_, name) => String((properties as Record<string, unknown>)[name]),
      );
      this.trace(`server ${level}: ${text}`);
      // The second is what follows from a refused group, which is told by itself.
      const isMeant = text.includes("Injected") || text.includes("heard of a change");
      if (level === "error" && !isMeant) this.errors.push(text);
    };
    const log: Log = {
      tellsDebug: true,
      debug: tell("debug"),
      info: tell("info"),
      warn: tell("warn"),
      error: tell("error"),
      with: () => log,
    };
    return log;
  }
}
