/**
 * Events of agent threads as a device gets them: each once, in order, whatever becomes of its
 * connections. [agents R3] [agents R4]
 */
import { type Clock, systemClock, type TimerId } from "../lib/clock.ts";
import type { MessageTypes } from "../proto/mod.ts";
import { weightOf } from "./agent_events.ts";
import type { AgentLink } from "./agent_link.ts";
import { listenForEvents } from "./agent_notifications.ts";
import { Condition } from "./condition.ts";
import { RequestError } from "./errors.ts";

type AgentEvent = MessageTypes["AgentEvent"];

/** Events that the server does not keep any more. */
export interface AgentGap {
  readonly threadId: string;
  readonly afterSeq: bigint;
  readonly upToSeq: bigint;
}

/** What an {@link AgentSubscription} is made with. */
export interface AgentSubscriptionOptions {
  /**
   * UUID of the device, the same after a restart. Subscriptions with one id are to different threads;
   * what is to hear of the same thread twice needs two.
   */
  readonly subscriberId: string;
  /** One thread; without it all of the user's. */
  readonly threadId?: string;
  /** Where the device is in each thread; it knows nothing of the others. */
  readonly cursors?: Iterable<readonly [threadId: string, afterSeq: bigint]>;
  /** Nothing older, of threads without a cursor. Unix milliseconds. */
  readonly since?: bigint;
  /** Events in one answer. */
  readonly limit?: number;
  readonly onGap?: (gap: AgentGap) => void;
  readonly clock?: Clock;
}

/** The server is told how far the device has read behind so many events, or milliseconds. */
const ACK_EVERY = 256;
const ACK_WITHIN = 1_000;
/** Events, and about bytes, that wait to be read before the server is asked for no more. */
const MOST_EVENTS = 4_096;
const MOST_BYTES = 4 << 20;
/** Milliseconds before a request that was refused is sent again, at first and at most. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;

/**
 * Iterate over it for the events; {@link attach} brings it a connection, and another one after a loss.
 * An event counts as read when the next is asked for. Who reads slowly is sent no more than he can
 * take: what he has not got waits at the server.
 */
export class AgentSubscription implements AsyncIterableIterator<AgentEvent> {
  readonly #options: AgentSubscriptionOptions;
  /** Received, and read. */
  readonly #received: Map<string, bigint>;
  readonly #read: Map<string, bigint>;
  readonly #unacknowledged = new Set<string>();
  #sinceAck = 0;
  #ackTimer: TimerId | undefined;
  readonly #clock: Clock;
  #queue: AgentEvent[] = [];
  #head = 0;
  #queuedBytes = 0;
  readonly #room = new Condition();
  #given: AgentEvent | undefined;
  /** Who asked before there was an event, the first one first. */
  readonly #waiters: ((result: IteratorResult<AgentEvent>) => void)[] = [];
  #link: AgentLink | undefined;
  #release: (() => void) | undefined;
  /** What comes while the server is asked is in its answer too. */
  #isAsking = false;
  #isOver = false;

  constructor(options: AgentSubscriptionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#received = new Map(options.cursors);
    this.#read = new Map(options.cursors);
  }

  /** How far the device has read, by thread: what to begin with after a restart. */
  get cursors(): ReadonlyMap<string, bigint> {
    return this.#read;
  }

  /** Events that were received and not read. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /**
   * Takes a connection into use, in place of the one before: first what was missed, then what happens.
   *
   * @throws {RequestError} {ConnectionClosedError} it could not subscribe
   * @throws {Error} another subscription of the device hears of that thread over this connection
   */
  async attach(link: AgentLink): Promise<void> {
    this.detach();
    const { subscriberId, threadId } = this.#options;
    this.#release = listenForEvents(link, {
      subscriberId,
      threadId,
      take: (message) => {
        if (this.#isAsking) return;
        this.#takeGaps(message.gaps);
        for (const event of message.events) if (!this.#take(event, false)) return;
        // Whoever asks for a page is told nothing until it has the last one.
        if (this.#isFull) this.#askAgain(link);
      },
    });
    this.#link = link;
    await this.#ask(link);
  }

  /** The connection is not to be used any more. */
  detach(): void {
    if (this.#ackTimer !== undefined) this.#clock.clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#link = undefined;
    this.#release?.();
    this.#release = undefined;
    this.#room.changed();
  }

  /** Ends the subscription at the server and the iteration here. */
  async end(): Promise<void> {
    const { subscriberId, threadId } = this.#options;
    const link = this.#link;
    this.detach();
    this.#isOver = true;
    for (const waiter of this.#waiters.splice(0)) waiter({ done: true, value: undefined });
    await link?.request("UnsubscribeFromAgentEvents", {
      subscriberId,
      ...(threadId !== undefined && { threadId }),
    });
  }

  next(): Promise<IteratorResult<AgentEvent>> {
    this.#countAsRead();
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    const event = this.#queue[this.#head];
    if (event === undefined) {
      this.#acknowledgeSoon();
      return new Promise((resolve) => this.#waiters.push(resolve));
    }
    if (++this.#head > 1_024 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#queuedBytes -= weightOf(event);
    if (!this.#isFull) this.#room.changed();
    this.#given = event;
    return Promise.resolve({ done: false, value: event });
  }

  return(): Promise<IteratorResult<AgentEvent>> {
    this.#countAsRead();
    this.#acknowledge();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get #isFull(): boolean {
    return this.waiting >= MOST_EVENTS || this.#queuedBytes >= MOST_BYTES;
  }

  /** Page after page, as there is room, until the server says that the rest comes by itself. */
  async #ask(link: AgentLink): Promise<void> {
    const { subscriberId, threadId, since, limit = 0 } = this.#options;
    this.#isAsking = true;
    for (let hasMore = true; hasMore;) {
      const answer = await link.request("SubscribeToAgentEvents", {
        subscriberId,
        ...(threadId !== undefined && { threadId }),
        ...(since !== undefined && { sinceTimestamp: since }),
        limit: this.#isFull ? 1 : limit,
        cursors: cursorsOf(this.#received, threadId),
      });
      if (link !== this.#link) return;
      this.#takeGaps(answer.gaps);
      for (const event of answer.events) this.#take(event, true);
      ({ hasMore } = answer);
      if (hasMore) await this.#room.until(() => !this.#isFull || link !== this.#link);
      if (link !== this.#link) return;
    }
    this.#isAsking = false;
  }

  /** Asks over the same connection, until it is answered or the connection is not used any more. */
  async #askAgain(link: AgentLink): Promise<void> {
    for (let pause = FIRST_PAUSE; link === this.#link; pause = Math.min(2 * pause, LAST_PAUSE)) {
      try {
        return await this.#ask(link);
      } catch (error) {
        // The end of the connection is somebody else's to see.
        if (!(error instanceof RequestError)) return;
      }
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, pause));
    }
  }

  #takeGaps(gaps: readonly AgentGap[]): void {
    for (const gap of gaps) {
      this.#options.onGap?.(gap);
      if (gap.upToSeq > (this.#received.get(gap.threadId) ?? 0n)) {
        this.#received.set(gap.threadId, gap.upToSeq);
      }
    }
  }

  /** False when there is a hole before it, and the server has been asked about that. */
  #take(event: AgentEvent, isAnswer: boolean): boolean {
    const { threadId, seq, firstSeq = seq } = event;
    const after = this.#received.get(threadId) ?? 0n;
    if (seq <= after) return true;
    // An answer has holes only where the server has put chunks together.
    if (!isAnswer && firstSeq !== after + 1n) {
      if (this.#link !== undefined) this.#askAgain(this.#link);
      return false;
    }
    this.#received.set(threadId, seq);
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#queue.push(event);
      this.#queuedBytes += weightOf(event);
    } else {
      // Who waits has asked behind the one before.
      this.#countAsRead();
      this.#given = event;
      waiter({ done: false, value: event });
    }
    return true;
  }

  #countAsRead(): void {
    const event = this.#given;
    if (event === undefined) return;
    this.#given = undefined;
    this.#read.set(event.threadId, event.seq);
    this.#unacknowledged.add(event.threadId);
    if (++this.#sinceAck >= ACK_EVERY) this.#acknowledge();
  }

  #acknowledgeSoon(): void {
    if (this.#ackTimer !== undefined || this.#link === undefined) return;
    if (this.#unacknowledged.size === 0) return;
    this.#ackTimer = this.#clock.setTimeout(() => {
      this.#ackTimer = undefined;
      this.#acknowledge();
    }, ACK_WITHIN);
  }

  #acknowledge(): void {
    if (this.#link === undefined || this.#isAsking || this.#unacknowledged.size === 0) return;
    const cursors = [...this.#unacknowledged].map((threadId) => ({
      threadId,
      afterSeq: this.#read.get(threadId) ?? 0n,
    }));
    this.#unacknowledged.clear();
    this.#sinceAck = 0;
    this.#link.send("AckAgentEvents", { subscriberId: this.#options.subscriberId, cursors });
  }
}

function cursorsOf(
  received: ReadonlyMap<string, bigint>,
  threadId: string | undefined,
): { threadId: string; afterSeq: bigint }[] {
  return [...received].filter(([id]) => threadId === undefined || id === threadId)
    .map(([id, afterSeq]) => ({ threadId: id, afterSeq }));
}
