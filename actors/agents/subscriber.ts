/**
 * A device that hears of threads, over one connection. It draws events from where it is in each
 * thread, as its connection takes them: what it has not been sent waits in the database, not here.
 * [agents R3, R4, R5]
 */
import { agentLimits } from "../../lib/agent_policy.ts";
import { messageInfo } from "../../proto/mod.ts";
import { payloadField } from "../../rpc/frame.ts";
import type { ConnectionRef, ThreadEvent, ThreadRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";
import { EventKind } from "../thread/mod.ts";
import { chunkBytes, notification, wireEvents } from "./notification.ts";

const TAG = messageInfo("AgentEventNotification").tag as number;

/** Bytes that may wait for the connection before more is drawn. */
const MARK = 256 << 10;
/** Events drawn at a time, and the bytes of one notification. */
const PAGE = 512;
const NOTIFICATION_BYTES = 64 << 10;
/** Milliseconds between two looks at a connection that does not take more. */
const POLL = 5;

/** Where a device is in a thread. */
interface Position {
  after: number;
  /** The last that was sent was a chunk: the next may wait. */
  inChunks: boolean;
  /** When chunks were sent last, and since when some wait. */
  sentAt: number;
  waitingSince: number | undefined;
}

export class Subscriber {
  readonly id: string;
  readonly connection: ConnectionRef;
  /** When its sign of life was written down last. */
  seenAt = 0;
  readonly acknowledged = new Map<string, number>();
  readonly #system: ActorSystem;
  readonly #positions = new Map<string, Position>();
  /** It hears of threads that begin from now on, too. */
  #hearsAll = false;
  /** What it asks about and is told nothing of meanwhile: threads, "" for all; by the last request. */
  readonly #asked = new Map<string, number>();
  #requests = 0;
  /** Threads that have more than was sent. */
  readonly #behind = new Map<string, ThreadRef>();
  #isOver = false;
  #isReading = false;
  #isPlanned = false;

  constructor(system: ActorSystem, id: string, connection: ConnectionRef) {
    this.#system = system;
    this.id = id;
    this.connection = connection;
  }

  /** Events that it has not been sent. */
  get lag(): number {
    let lag = 0;
    for (const [id, thread] of this.#behind) {
      lag += Math.max(0, thread.storedSeq - (this.#positions.get(id)?.after ?? 0));
    }
    return lag;
  }

  hears(threadId: string): boolean {
    return this.#positions.has(threadId);
  }

  /** Whether it hears of every thread, whichever it has asked for by themselves. */
  get hearsAll(): boolean {
    return this.#hearsAll;
  }

  /**
   * It asks what it missed, of one thread or of all, and hears nothing of that until it goes live.
   *
   * @returns whether that is still what it asked for last
   */
  ask(threadId?: string): () => boolean {
    if (threadId === undefined) this.#hearNothing();
    else this.#behind.delete(threadId);
    const what = threadId ?? "";
    const request = ++this.#requests;
    this.#asked.set(what, request);
    return () => this.#asked.get(what) === request;
  }

  /** Its last question is answered: it hears what happens behind these events. */
  goLive(threadId: string | undefined, reached: Iterable<readonly [string, number]>): void {
    this.#asked.delete(threadId ?? "");
    if (threadId === undefined) this.#hearsAll = true;
    for (const [id, after] of reached) if (!this.#asked.has(id)) this.#follow(id, after);
  }

  /** It wants to hear no more of that thread by itself; one who hears of all goes on as before. */
  unfollow(threadId: string): void {
    this.#asked.delete(threadId);
    if (this.#hearsAll) return;
    this.#positions.delete(threadId);
    this.#behind.delete(threadId);
  }

  /** The thread has stored more. */
  advanced(thread: ThreadRef): void {
    if (this.#isOver || this.#asked.has(thread.id)) return;
    if (!this.#positions.has(thread.id)) {
      if (!this.#hearsAll) return;
      this.#follow(thread.id, 0);
    }
    this.#behind.set(thread.id, thread);
    if (!this.#isReading) this.#draw();
  }

  end(): void {
    this.#isOver = true;
    this.#hearNothing();
  }

  #hearNothing(): void {
    this.#hearsAll = false;
    this.#asked.clear();
    this.#positions.clear();
    this.#behind.clear();
  }

  #follow(threadId: string, after: number): void {
    this.#positions.set(threadId, {
      after,
      inChunks: false,
      sentAt: 0,
      waitingSince: undefined,
    });
  }

  /** Sends what there is, as far as the connection takes it. */
  #draw(): void {
    const { outbox } = this.connection;
    for (const [id, thread] of [...this.#behind]) {
      if (this.#isOver || this.#isReading) return;
      if (outbox.waitingBytes > MARK) return this.#plan(POLL);
      const position = this.#positions.get(id);
      if (position === undefined || position.after >= thread.storedSeq) {
        this.#behind.delete(id);
        continue;
      }
      const events = thread.stored(position.after, PAGE);
      if (events === undefined) return void this.#read(thread, position);
      this.#send(thread, position, events);
    }
    if (this.#behind.size > 0 && !this.#isPlanned) this.#plan(0);
  }

  /** A page from the database, for one who is behind; others' turns come in between. */
  async #read(thread: ThreadRef, position: Position): Promise<void> {
    this.#isReading = true;
    // The other threads come first the next time.
    this.#behind.delete(thread.id);
    this.#behind.set(thread.id, thread);
    const { after } = position;
    try {
      const rows = await this.#system.store.agents.events(thread.number, after, PAGE);
      const current = this.#positions.get(thread.id) === position && position.after === after &&
        !this.#asked.has(thread.id);
      if (this.#isOver || !current) return;
      const events = rows.map(({ seq, event_id, timestamp, kind, payload }) => ({
        seq,
        eventId: event_id,
        timestamp,
        kind,
        payload,
      }));
      if (events[0]?.seq !== after + 1) this.#tellGap(thread, after);
      if (events.length > 0) this.#send(thread, position, events);
      else position.after = Math.max(after, thread.storedSeq);
    } catch (error) {
      this.#system.log.error("Events cannot be read: {error}", { error });
      this.connection.drop("store_unavailable");
    } finally {
      this.#isReading = false;
      if (!this.#isOver) this.#plan(0);
    }
  }

  /** Events that were cut, not merely folded. [agents R8] */
  #tellGap(thread: ThreadRef, after: number): void {
    if (thread.firstSeq <= after + 1) return;
    const gap = {
      threadId: thread.id,
      afterSeq: BigInt(after),
      upToSeq: BigInt(thread.firstSeq - 1),
    };
    const field = fieldOf("AgentEventNotification", { subscriberId: this.id, gaps: [gap] });
    this.connection.outbox.push(field, -1, 0);
  }

  #send(thread: ThreadRef, position: Position, events: readonly ThreadEvent[]): void {
    const { batching } = this.#system.agents;
    const last = events.at(-1) as ThreadEvent;
    // Behind a page there is more at once: nothing waits.
    const count = batching && last.seq >= thread.storedSeq
      ? this.#due(position, events)
      : events.length;
    if (count === 0) return;
    const due = count === events.length ? events : events.slice(0, count);
    this.#push(wireEvents(thread, due, batching));
    const sent = due.at(-1) as ThreadEvent;
    this.#system.metrics.agentEventsDelivered.inc(due.length);
    position.after = sent.seq;
    position.inChunks = sent.kind === EventKind.MessageChunk;
    if (position.inChunks) position.sentAt = this.#system.clock.now();
    if (count === events.length) position.waitingSince = undefined;
  }

  #push(events: readonly Uint8Array[]): void {
    let part: Uint8Array[] = [];
    let bytes = 0;
    const flush = () => {
      if (part.length === 0) return;
      this.connection.outbox.push(payloadField(TAG, notification(this.id, part)), -1, 0);
      part = [];
      bytes = 0;
    };
    for (const event of events) {
      if (bytes + event.length > NOTIFICATION_BYTES) flush();
      part.push(event);
      bytes += event.length;
    }
    flush();
  }

  /** How many of the events go now: chunks at the end may wait for more of them. [agents R5] */
  #due(position: Position, events: readonly ThreadEvent[]): number {
    let urgent = events.length;
    while (urgent > 0 && events[urgent - 1]!.kind === EventKind.MessageChunk) urgent--;
    if (urgent === events.length) return urgent;
    const { clock } = this.#system;
    const { chunkPause, chunkPatience } = agentLimits;
    const now = clock.now();
    if (urgent > 0 || !position.inChunks) return events.length;
    const since = position.waitingSince ??= now;
    const isIdle = this.connection.outbox.waitingBytes === 0;
    const isDue = isIdle && now - position.sentAt >= chunkPause;
    if (isDue || now - since >= chunkPatience || chunkBytes(events) >= agentLimits.chunkBytes) {
      return events.length;
    }
    const pause = isIdle ? position.sentAt + chunkPause - now : POLL;
    this.#plan(Math.max(1, Math.min(pause, since + chunkPatience - now)));
    return 0;
  }

  #plan(ms: number): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const draw = () => {
      this.#isPlanned = false;
      if (!this.#isOver && !this.#isReading) this.#draw();
    };
    if (ms === 0) this.#system.clock.setImmediate(draw);
    else this.#system.clock.setTimeout(draw, ms);
  }
}
