/** Subscriptions of devices: what they missed, page by page, and then what happens. [agents R3, R4] */
import {
  decode,
  encode,
  fieldNumber,
  type Init,
  messageInfo,
  type MessageTypes,
} from "../../proto/mod.ts";
import type { RowOf } from "../../db/tables.ts";
import { payloadField } from "../../rpc/frame.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { concatBytes, lengthDelimited } from "../../rpc/fields.ts";
import { errorField } from "../../rpc/outbox.ts";
import type { ConnectionRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { AgentDesk, DeskContext } from "./desk.ts";
import { wireEvent } from "./notification.ts";
import { isUuid } from "./reading.ts";
import type { Subscriber } from "./subscriber.ts";

type Request = MessageTypes["SubscribeToAgentEvents"];

const RESPONSE = messageInfo("SubscribeToAgentEventsResponse").tag as number;
const EVENTS = fieldNumber("SubscribeToAgentEventsResponse", "events");

/** Of one answer: events and, about, their bytes. */
const MOST_EVENTS = 1_000;
const MOST_BYTES = 1 << 20;
/** Cursors in one message. */
const MOST_CURSORS = 10_000;
/** A sign of life is written down at most so often, milliseconds. */
const SEEN_EVERY = 60 * 60_000;

export function subscribe(context: DeskContext): void {
  const { system, turn, inbound, desk } = context;
  const request = decode("SubscribeToAgentEvents", inbound.payload);
  const { subscriberId, threadId = "", cursors } = request;
  requireUuid("subscriber id", subscriberId);
  if (threadId !== "") requireUuid("thread id", threadId);
  requireCursors(cursors);
  const { connection, requestId } = inbound;
  const subscriber = desk.takeOver(subscriberId, connection);
  const isCurrent = subscriber.ask(request.threadId);
  const key = { user_id: desk.userId, subscriber_id: subscriberId };
  subscriber.seenAt = system.clock.now();
  // All threads are those too that it wanted before.
  if (threadId === "") turn.remove("agent_subscriptions", key);
  turn.put("agent_subscriptions", { ...key, thread_id: threadId, seen_at: subscriber.seenAt });
  turn.then((gate) =>
    system.journal.afterCommit(gate, (stored) => {
      const page = new Page(system, desk, subscriber, request);
      const done = stored
        ? page.answer(requestId, isCurrent)
        : Promise.reject(RpcError.internal("the subscription could not be stored, try again"));
      done.catch((error) => tellFailure(system, connection, requestId, error));
    })
  );
}

function tellFailure(
  system: ActorSystem,
  connection: ConnectionRef,
  requestId: number,
  error: unknown,
): void {
  if (!(error instanceof RpcError)) {
    system.log.error("A subscription is not answered: {error}", { error });
  }
  const text = error instanceof RpcError ? error.message : "the database is away, try again soon";
  connection.outbox.push(errorField(ErrorCode.Internal, text), requestId, 0);
}

/** One answer: the events behind the cursors, as many as go into it. */
class Page {
  readonly #system: ActorSystem;
  readonly #desk: AgentDesk;
  readonly #subscriber: Subscriber;
  readonly #request: Request;
  readonly #events: Uint8Array[] = [];
  readonly #gaps: Init<MessageTypes["AgentGap"]>[] = [];
  /** Where the device is in each thread that the page is through with. */
  readonly #reached = new Map<string, number>();
  #left: number;
  #bytes = 0;
  #hasMore = false;

  constructor(system: ActorSystem, desk: AgentDesk, subscriber: Subscriber, request: Request) {
    this.#system = system;
    this.#desk = desk;
    this.#subscriber = subscriber;
    this.#request = request;
    this.#left = Math.min(request.limit || MOST_EVENTS, MOST_EVENTS);
  }

  async answer(requestId: number, isCurrent: () => boolean): Promise<void> {
    const cursors = await this.#cursors();
    for (const row of await this.#threads(cursors)) {
      if (this.#left <= 0 || this.#bytes >= MOST_BYTES) {
        if (row.last_seq > await this.#startOf(row, cursors)) this.#hasMore = true;
      }
      if (this.#hasMore) break;
      await this.#add(row, await this.#startOf(row, cursors));
    }
    const body = concatBytes([
      ...this.#events.map((event) => lengthDelimited(EVENTS, event)),
      encode("SubscribeToAgentEventsResponse", { hasMore: this.#hasMore, gaps: this.#gaps }),
    ]);
    const { connection } = this.#subscriber;
    connection.outbox.push(payloadField(RESPONSE, body), requestId, 0);
    if (!this.#hasMore && isCurrent()) this.#goLive();
  }

  /** What the device names, and what it has acknowledged before. */
  async #cursors(): Promise<Map<string, number>> {
    const key = { user_id: this.#desk.userId, subscriber_id: this.#subscriber.id };
    const rows = await this.#system.store.load("agent_cursors", key);
    const cursors = new Map(rows.map((row) => [row.thread_id, row.after_seq]));
    for (const { threadId, afterSeq } of this.#request.cursors) {
      cursors.set(threadId, Number(afterSeq));
    }
    return cursors;
  }

  async #threads(cursors: ReadonlyMap<string, number>): Promise<RowOf<"agent_threads">[]> {
    const { threadId } = this.#request;
    const key = { user_id: this.#desk.userId, ...(threadId !== undefined && { id: threadId }) };
    // Of a deleted thread only those hear who knew of it. [agents R10]
    const rows = (await this.#system.store.load("agent_threads", key))
      .filter((row) => row.deleted_at === null || cursors.has(row.id));
    if (threadId !== undefined && rows.length === 0) {
      throw RpcError.internal(`no such thread: ${threadId}`);
    }
    return rows.sort((a, b) => a.number - b.number);
  }

  async #startOf(
    { id, number }: RowOf<"agent_threads">,
    cursors: ReadonlyMap<string, number>,
  ): Promise<number> {
    const { sinceTimestamp } = this.#request;
    const cursor = cursors.get(id);
    if (cursor !== undefined) return cursor;
    if (sinceTimestamp === undefined) return 0;
    return await this.#system.store.agents.lastSeqBefore(number, Number(sinceTimestamp));
  }

  async #add(row: RowOf<"agent_threads">, start: number): Promise<void> {
    const { userId } = this.#desk;
    // A cursor beyond the end is of a thread that began anew, or wrong.
    let after = Math.min(start, row.last_seq);
    if (after === row.last_seq) {
      this.#reached.set(row.id, after);
      return;
    }
    const events = this.#left <= 0
      ? []
      : await this.#system.store.agents.events(row.number, after, this.#left);
    if (events[0]?.seq !== after + 1) await this.#noteGap(row, after);
    for (const { seq, event_id, timestamp, kind, payload } of events) {
      if (this.#bytes >= MOST_BYTES) break;
      const event = { seq, eventId: event_id, timestamp, kind, payload };
      this.#events.push(wireEvent({ userId, id: row.id }, event));
      this.#bytes += payload.length + 150;
      this.#left--;
      after = seq;
    }
    if (events.length > 0 && after < row.last_seq) this.#hasMore = true;
    this.#reached.set(row.id, after);
  }

  /** What was cut since the row was read counts too. [agents R8] */
  async #noteGap({ id }: RowOf<"agent_threads">, after: number): Promise<void> {
    const key = { user_id: this.#desk.userId, id };
    const [row] = await this.#system.store.load("agent_threads", key);
    if (row === undefined || row.first_seq <= after + 1) return;
    this.#gaps.push({
      threadId: id,
      afterSeq: BigInt(after),
      upToSeq: BigInt(row.first_seq - 1),
    });
  }

  /** From here on it is told. What was stored meanwhile is behind where it is. */
  #goLive(): void {
    this.#subscriber.goLive(this.#request.threadId, this.#reached);
    bringOn(this.#system, this.#desk, this.#subscriber);
  }
}

/** What is in memory and has more than it was sent, it is sent now. */
function bringOn({ registry }: ActorSystem, desk: AgentDesk, subscriber: Subscriber): void {
  for (const thread of registry.threads.values()) {
    if (thread.userId === desk.userId && thread.number !== 0) subscriber.advanced(thread);
  }
}

/** `AckAgentEvents`: only forwards, and only for what the device hears of. */
export function acknowledge({ system, turn, inbound, desk }: DeskContext): void {
  const { subscriberId, cursors } = decode("AckAgentEvents", inbound.payload);
  const subscriber = desk.subscribers.get(subscriberId);
  if (subscriber === undefined || subscriber.connection !== inbound.connection) return;
  requireCursors(cursors);
  const key = { user_id: desk.userId, subscriber_id: subscriberId };
  for (const { threadId, afterSeq } of cursors) {
    const after = Number(afterSeq);
    const { acknowledged } = subscriber;
    if (!subscriber.hears(threadId) || after <= (acknowledged.get(threadId) ?? 0)) continue;
    acknowledged.set(threadId, after);
    turn.put("agent_cursors", { ...key, thread_id: threadId, after_seq: after });
  }
  const now = system.clock.now();
  if (now - subscriber.seenAt < SEEN_EVERY) return;
  subscriber.seenAt = now;
  turn.then(() => {
    system.store.load("agent_subscriptions", key).then((rows) => {
      desk.seen(rows.map((row) => ({ ...row, seen_at: now })));
    }, (error) => system.log.error("Subscriptions cannot be read: {error}", { error }));
  });
}

export function unsubscribe({ system, turn, inbound, desk }: DeskContext): void {
  const { subscriberId, threadId } = decode("UnsubscribeFromAgentEvents", inbound.payload);
  requireUuid("subscriber id", subscriberId);
  const key = { user_id: desk.userId, subscriber_id: subscriberId };
  const part = threadId === undefined ? key : { ...key, thread_id: threadId };
  const subscriber = desk.subscribers.get(subscriberId);
  turn.remove("agent_subscriptions", part);
  // Who hears of all threads goes on with this one where it is.
  if (threadId === undefined || subscriber?.hearsAll !== true) turn.remove("agent_cursors", part);
  if (subscriber !== undefined) {
    if (threadId === undefined) desk.forget(subscriber);
    else {
      subscriber.unfollow(threadId);
      bringOn(system, desk, subscriber);
    }
  }
  turn.ack(inbound.connection, inbound.requestId);
}

function requireUuid(what: string, text: string): void {
  if (!isUuid(text)) throw RpcError.internal(`the ${what} has to be a UUID in lower case`);
}

function requireCursors(cursors: readonly MessageTypes["AgentCursor"][]): void {
  if (cursors.length > MOST_CURSORS) {
    throw RpcError.internal(`at most ${MOST_CURSORS} cursors at once, not ${cursors.length}`);
  }
  if (cursors.some(({ afterSeq }) => afterSeq > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw RpcError.internal("a cursor lies beyond every event");
  }
}
