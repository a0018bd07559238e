/**
 * A host of agent threads: it keeps each event until the server has numbered it, sends again what may
 * have been lost, and does each command once. [agents R2] [agents R7]
 */
import { type Clock, systemClock } from "../lib/clock.ts";
import type { MessageTypes } from "../proto/mod.ts";
import { type AgentEventInit, completeEvent, type OutgoingAgentEvent } from "./agent_events.ts";
import { foldWaiting, type Waiting, waiting } from "./agent_folding.ts";
import type { AgentLink } from "./agent_link.ts";
import { type AgentOutbox, MemoryOutbox } from "./agent_outbox.ts";
import { Condition } from "./condition.ts";
import { ConnectionClosedError } from "./errors.ts";

/** What an {@link AgentHost} is made with. */
export interface AgentHostOptions {
  /** UUID of the installation, the same after a restart. */
  readonly hostId: string;
  /** What people know it by. */
  readonly name: string;
  readonly outbox?: AgentOutbox;
  /**
   * Carries out a command of another device; what it throws is told to that device. It is called once
   * for each command, as far as the outbox remembers.
   */
  readonly onCommand?: (command: MessageTypes["AgentCommand"]) => void | Promise<void>;
  /** The server will never take an event: it is lost, and this is why. */
  readonly onRefused?: (event: OutgoingAgentEvent, reason: string) => void;
  /** Bytes of events that may wait for the server; 100 MB if not given. [agents 4e] */
  readonly room?: number;
  /** So many events were given up, since no more may wait; an event tells the devices. */
  readonly onLost?: (count: number) => void;
  readonly clock?: Clock;
}

/** Events and, about, bytes of one request. */
const BATCH_EVENTS = 1_000;
const BATCH_BYTES = 1 << 20;
/** Milliseconds before a request that was refused is sent again, at first and at most. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 2_000;
/** Bytes of events that may wait, and the part of it that is left when they were too many. */
const ROOM = 100_000_000;
const AFTER_FOLDING = 3 / 4;
/** Commands that are known again in one run. */
const COMMANDS = 10_000;

export class AgentHost {
  readonly #options: AgentHostOptions;
  readonly #outbox: AgentOutbox;
  readonly #clock: Clock;
  readonly #threads = new Set<string>();
  readonly #numbered = new Condition();
  readonly #done: Set<string>;
  readonly #doing = new Map<string, Promise<void>>();
  #queue: Waiting[];
  #head = 0;
  /** Events behind the head that are on their way. */
  #inFlight = 0;
  #waitingBytes: number;
  #link: AgentLink | undefined;
  #release: (() => void) | undefined;
  #isSending = false;

  constructor(options: AgentHostOptions) {
    this.#options = options;
    this.#outbox = options.outbox ?? new MemoryOutbox();
    this.#clock = options.clock ?? systemClock;
    const { events, commandIds } = this.#outbox.load();
    this.#queue = events.map(waiting);
    this.#waitingBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { threadId } of events) this.#threads.add(threadId);
    this.#done = new Set(commandIds);
  }

  /** Events that the server has not numbered. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Threads that the host runs, so that their commands come here. */
  run(threadId: string): void {
    if (this.#threads.has(threadId)) return;
    this.#threads.add(threadId);
    // Another host may have had it until now. Should the connection end, the next one tells it.
    if (this.#link !== undefined) this.#register(this.#link).catch(() => {});
  }

  /**
   * Takes a connection into use, in place of the one before, and sends what waits.
   *
   * @throws {RequestError} {ConnectionClosedError} the host could not be registered
   */
  async attach(link: AgentLink): Promise<void> {
    this.detach();
    this.#link = link;
    this.#release = link.onRequest("AgentCommand", async (command) => {
      await this.#carryOut(command);
      return {};
    });
    await this.#register(link);
    this.#send();
  }

  /** The connection is not to be used any more. What is published waits. */
  detach(): void {
    this.#link = undefined;
    this.#release?.();
    this.#release = undefined;
  }

  /**
   * Tells of something; it is kept when this returns.
   *
   * @returns the event's id
   * @throws {RangeError} the event is too large, and nothing that may be cut
   */
  publish(event: AgentEventInit): string {
    const whole = completeEvent(event, this.#clock.now());
    this.#outbox.add(whole);
    this.#threads.add(whole.threadId);
    const one = waiting(whole);
    this.#queue.push(one);
    this.#waitingBytes += one.bytes;
    if (this.#waitingBytes > (this.#options.room ?? ROOM)) this.#fold();
    this.#send();
    return whole.eventId;
  }

  /** Resolves when the server has numbered everything. */
  async settled(): Promise<void> {
    await this.#numbered.until(() => this.waiting === 0);
  }

  /** Waits until fewer than `count` events are on their way: a host slows down, it drops nothing. */
  async room(count: number): Promise<void> {
    await this.#numbered.until(() => this.waiting < count);
  }

  async #register(link: AgentLink): Promise<void> {
    const { hostId, name } = this.#options;
    await link.request("RegisterAgentHost", { hostId, name, threadIds: [...this.#threads] });
  }

  /** What is on its way stays as it is. */
  #fold(): void {
    const from = this.#head + this.#inFlight;
    const before = this.#queue.slice(this.#head, from);
    const most = Math.floor((this.#options.room ?? ROOM) * AFTER_FOLDING);
    const { events, lost } = foldWaiting(this.#queue.slice(from), most, this.#clock.now());
    this.#queue = [...before, ...events];
    this.#head = 0;
    this.#waitingBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#outbox.replace(this.#queue.map(({ event }) => event));
    this.#numbered.changed();
    if (lost > 0) this.#options.onLost?.(lost);
  }

  /** One request after the other: that keeps the order whatever becomes of each. */
  #send(): void {
    if (this.#isSending || this.#link === undefined || this.waiting === 0) return;
    this.#isSending = true;
    // What is published in one go goes together.
    queueMicrotask(async () => {
      const link = this.#link;
      try {
        for (let tries = 0; link !== undefined && link === this.#link && this.waiting > 0;) {
          tries = await this.#sendBatch(link) ? 0 : tries + 1;
          if (tries > 0 && link === this.#link) await this.#pause(tries);
        }
      } finally {
        this.#isSending = false;
      }
      // Another connection may have come meanwhile.
      if (link !== this.#link) this.#send();
    });
  }

  /** False when the server wants it later. */
  async #sendBatch(link: AgentLink): Promise<boolean> {
    let bytes = 0;
    let end = this.#head;
    while (end < this.#queue.length && end - this.#head < BATCH_EVENTS) {
      bytes += this.#queue[end]!.bytes;
      if (bytes > BATCH_BYTES && end > this.#head) break;
      end++;
    }
    const batch = this.#queue.slice(this.#head, end).map(({ event }) => event);
    this.#inFlight = batch.length;
    let results: MessageTypes["AgentEventResult"][];
    try {
      ({ results } = await link.request("PublishAgentEvents", { events: batch }));
    } catch (error) {
      // Whatever it was: the events are here, and known again should the server have them.
      if (error instanceof ConnectionClosedError && link === this.#link) this.detach();
      return false;
    } finally {
      this.#inFlight = 0;
    }
    let count = results.findIndex(({ retry }) => retry);
    if (count < 0) count = batch.length;
    for (const [at, { error }] of results.slice(0, count).entries()) {
      if (error !== "") this.#options.onRefused?.(batch[at]!, error);
    }
    if (count > 0) this.#remove(count);
    return count === batch.length;
  }

  #remove(count: number): void {
    this.#outbox.remove(count);
    for (let at = 0; at < count; at++) this.#waitingBytes -= this.#queue[this.#head + at]!.bytes;
    this.#head += count;
    if (this.#head > 10_000 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#numbered.changed();
  }

  async #pause(tries: number): Promise<void> {
    const ms = Math.min(FIRST_PAUSE * 2 ** (tries - 1), LAST_PAUSE);
    await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, ms));
  }

  /** A command that comes again is answered as the first time. */
  async #carryOut(command: MessageTypes["AgentCommand"]): Promise<void> {
    const { commandId } = command;
    if (this.#done.has(commandId)) return;
    let doing = this.#doing.get(commandId);
    if (doing === undefined) {
      doing = this.#do(command).finally(() => this.#doing.delete(commandId));
      this.#doing.set(commandId, doing);
    }
    await doing;
  }

  async #do(command: MessageTypes["AgentCommand"]): Promise<void> {
    const { onCommand } = this.#options;
    if (onCommand === undefined) throw new Error("This host takes no commands");
    await onCommand(command);
    this.#outbox.noteCommand(command.commandId);
    this.#done.add(command.commandId);
    if (this.#done.size > COMMANDS) {
      const [oldest] = this.#done;
      this.#done.delete(oldest as string);
    }
  }
}
