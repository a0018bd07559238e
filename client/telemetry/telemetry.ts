/**
 * What a program may tell about its own working: events, errors, times. Nothing is collected unless a
 * program switches it on. [transport 7.4.1] [transport 3.1]
 */
import { type Clock, systemClock, type TimerId } from "../../lib/clock.ts";
import { chainText } from "../errors.ts";

/** So many events are sent together at the latest. [transport 7.4.1] */
export const BATCH = 50;
/** The longest that an event waits, in milliseconds. [transport 7.4.1] */
export const LONGEST_WAIT = 300_000;

/** Values of an event; never texts of users, tokens or paths. */
export type TelemetryProperties = Readonly<Record<string, string | number | boolean>>;

/** Something that happened. */
export interface TelemetryEvent {
  /** What it is: `Client Connected`. */
  readonly type: string;
  readonly properties: TelemetryProperties;
  /** Unix milliseconds. */
  readonly time: number;
  readonly isSignedIn: boolean;
}

/** Whose events they are, as far as the account document says it. */
export interface TelemetryAccount {
  readonly metricsId: string;
  readonly isStaff: boolean;
}

/** Takes events. What it throws is told to the log, and the events are dropped. */
export type TelemetrySink = (
  events: readonly TelemetryEvent[],
  account: TelemetryAccount | undefined,
) => void | Promise<void>;

/** What a {@link Telemetry} is made with. */
export interface TelemetryOptions {
  readonly sink: TelemetrySink;
  /** Whether it is on from the beginning; {@link Telemetry.isOn} changes it. */
  readonly isOn: boolean;
  readonly clock?: Clock | undefined;
  readonly warn?: ((text: string) => void) | undefined;
}

/** Collects events and hands them on in batches. */
export class Telemetry {
  readonly #sink: TelemetrySink;
  readonly #clock: Clock;
  readonly #warn: (text: string) => void;
  #isOn: boolean;
  #account: TelemetryAccount | undefined;
  #isSignedIn = false;
  #queue: TelemetryEvent[] = [];
  #timer: TimerId | undefined;
  /** One batch after the other. */
  #sending: Promise<void> = Promise.resolve();

  constructor({ sink, isOn, clock = systemClock, warn = () => {} }: TelemetryOptions) {
    this.#sink = sink;
    this.#isOn = isOn;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Whether events are collected. Switched off, what waits is dropped. */
  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    if (!isOn) this.#take();
  }

  /** Something happened. */
  event(type: string, properties: TelemetryProperties = {}): void {
    if (!this.#isOn) return;
    const [time, isSignedIn] = [this.#clock.now(), this.#isSignedIn];
    this.#queue.push({ type, properties, time, isSignedIn });
    if (this.#queue.length >= BATCH) void this.flush();
    else this.#timer ??= this.#clock.setTimeout(() => void this.flush(), LONGEST_WAIT);
  }

  /** Something failed: the error's class, not its message, which may name people and files. */
  error(type: string, error: unknown, properties: TelemetryProperties = {}): void {
    this.event(type, { ...properties, error: error instanceof Error ? error.name : typeof error });
  }

  /** Begins to measure; the function that it returns ends that. */
  timing(type: string): (properties?: TelemetryProperties) => void {
    const begin = this.#clock.now();
    return (properties = {}) =>
      this.event(type, { ...properties, milliseconds: this.#clock.now() - begin });
  }

  /** Who is signed in; undefined clears it, and what waits under that name goes out first. */
  signedIn(account: TelemetryAccount | undefined): void {
    const { metricsId } = account ?? {};
    if (this.#account !== undefined && metricsId !== this.#account.metricsId) void this.flush();
    this.#account = account;
    this.#isSignedIn = account !== undefined;
  }

  /** Hands on what waits. Resolves when the sink is done with it. */
  flush(): Promise<void> {
    const [events, account] = [this.#take(), this.#account];
    if (events.length > 0) {
      this.#sending = this.#sending.then(async () => {
        try {
          await this.#sink(events, account);
        } catch (error) {
          this.#warn(`Cannot send ${events.length} events of telemetry: ${chainText(error)}`);
        }
      });
    }
    return this.#sending;
  }

  #take(): TelemetryEvent[] {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#queue.splice(0);
  }
}
