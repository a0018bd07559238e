/** {@link AgentStore} by the queries that both databases answer alike. */
import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import {
  type AgentStore,
  type EventId,
  PAGE_BYTES,
  type RetentionLimits,
  type ThreadName,
  type ThreadPosition,
} from "./agent_store.ts";
import type { Rows } from "./queries.ts";
import { readRow, type SqlRow } from "./read_rows.ts";
import type { Schema } from "./schema.ts";
import { type RowOf, tables } from "./tables.ts";

type Db = Kysely<Schema>;
type PageQuery = SelectQueryBuilder<Schema, "agent_events", Record<never, never>>;

/** Number of `message_completed` in `AgentEvent`. */
const MESSAGE_COMPLETED = 16;

export class AgentRows implements AgentStore {
  readonly #db: Db;
  readonly #ask: (query: Rows) => Promise<SqlRow[]>;

  constructor(db: Db, ask: (query: Rows) => Promise<SqlRow[]>) {
    this.#db = db;
    this.#ask = ask;
  }

  async events(thread: number, after: number, limit: number): Promise<RowOf<"agent_events">[]> {
    const rows = this.#db.selectFrom("agent_events").where("thread", "=", thread);
    const last = await this.#pageEnd(rows.where("seq", ">", after).orderBy("seq").limit(limit));
    if (last === undefined) return [];
    return (await this.#ask(
      rows.selectAll().where("seq", ">", after).where("seq", "<=", last).orderBy("seq"),
    )).map(eventOf);
  }

  async eventsBefore(
    thread: number,
    before: number,
    limit: number,
  ): Promise<RowOf<"agent_events">[]> {
    const rows = this.#db.selectFrom("agent_events").where("thread", "=", thread);
    const newest = rows.where("seq", "<", before).orderBy("seq", "desc").limit(limit);
    const first = await this.#pageEnd(newest);
    if (first === undefined) return [];
    return (await this.#ask(
      rows.selectAll().where("seq", "<", before).where("seq", ">=", first).orderBy("seq", "desc"),
    )).map(eventOf);
  }

  /** Where a page ends, by the lengths of its payloads, which cost little to read. */
  async #pageEnd(page: PageQuery): Promise<number | undefined> {
    let bytes = 0;
    let end: number | undefined;
    for (const row of await this.#ask(page.select(["seq", sql`length(payload)`.as("bytes")]))) {
      bytes += Number(row.bytes);
      if (end !== undefined && bytes > PAGE_BYTES) break;
      end = Number(row.seq);
    }
    return end;
  }

  async newestIds(thread: number, limit: number): Promise<EventId[]> {
    const rows = await this.#ask(
      this.#db.selectFrom("agent_events").select(["seq", "event_id"]).where("thread", "=", thread)
        .orderBy("seq", "desc").limit(limit),
    );
    return rows.map((row) => ({ seq: Number(row.seq), eventId: String(row.event_id) }));
  }

  async seqsOf(thread: number, eventIds: readonly string[]): Promise<Map<string, number>> {
    if (eventIds.length === 0) return new Map();
    const rows = await this.#ask(
      this.#db.selectFrom("agent_events").select(["event_id", "seq"]).where("thread", "=", thread)
        .where("event_id", "in", eventIds),
    );
    return new Map(rows.map((row) => [String(row.event_id), Number(row.seq)]));
  }

  async lastSeqBefore(thread: number, timestamp: number): Promise<number> {
    const [row] = await this.#ask(
      this.#db.selectFrom("agent_events").select("seq").where("thread", "=", thread)
        .where("timestamp", "<", timestamp).orderBy("seq", "desc").limit(1),
    );
    return row === undefined ? 0 : Number(row.seq);
  }

  async threads(
    userId: number,
    { before, limit, archived }: {
      readonly before: ThreadPosition | undefined;
      readonly limit: number;
      readonly archived: boolean;
    },
  ): Promise<RowOf<"agent_threads">[]> {
    const rows = await this.#ask(
      this.#db.selectFrom("agent_threads").selectAll().where("user_id", "=", userId)
        .where("deleted_at", "is", null)
        .$if(!archived, (query) => query.where("archived", "=", false))
        .$if(before !== undefined, (query) =>
          query.where(({ eb, and, or }) =>
            or([
              eb("updated_at", "<", before!.updatedAt),
              and([
                eb("updated_at", "=", before!.updatedAt),
                eb("number", "<", before!.number),
              ]),
            ])
          ))
        .orderBy("updated_at", "desc").orderBy("number", "desc").limit(limit),
    );
    return rows.map((row) => readRow(tables.agent_threads.columns, row));
  }

  async threadsDue(limits: RetentionLimits, limit: number): Promise<ThreadName[]> {
    const { cutBefore, foldBefore } = limits;
    const old = this.#db.selectFrom("agent_threads as t")
      .innerJoin(
        "agent_events as e",
        (join) => join.onRef("e.thread", "=", "t.number").onRef("e.seq", "=", "t.first_seq"),
      )
      .select(["t.user_id", "t.id"]).where("e.stored_at", "<", cutBefore)
      // The last event stays, so that the thread's numbers go on.
      .where(({ eb, or, ref }) =>
        or([eb("t.first_seq", "<", ref("t.last_seq")), eb("t.deleted_at", "<", cutBefore)])
      ).limit(limit);
    const unfolded = this.#db.selectFrom("agent_events as e")
      .innerJoin("agent_threads as t", "t.number", "e.thread")
      .select(["t.user_id", "t.id"]).distinct()
      .where("e.kind", "=", sql.lit(MESSAGE_COMPLETED)).where("e.stored_at", "<", foldBefore)
      .whereRef("e.seq", ">", "t.folded_seq").limit(limit);
    const found = [...await this.#ask(old), ...await this.#ask(unfolded)].map(nameOf);
    return [...new Map(found.map((one) => [`${one.userId} ${one.id}`, one])).values()];
  }

  async threadsWithCommandsBefore(createdBefore: number): Promise<ThreadName[]> {
    return (await this.#ask(
      this.#db.selectFrom("agent_commands as c")
        .innerJoin("agent_threads as t", "t.number", "c.thread")
        .select(["t.user_id", "t.id"]).distinct().where("c.created_at", "<", createdBefore),
    )).map(nameOf);
  }

  async subscriptionsBefore(seenBefore: number): Promise<RowOf<"agent_subscriptions">[]> {
    return (await this.#ask(
      this.#db.selectFrom("agent_subscriptions").selectAll().where("seen_at", "<", seenBefore),
    )).map((row) => readRow(tables.agent_subscriptions.columns, row));
  }
}

/** Removes the events of an account's threads: they refer to the threads by number only. */
export function deleteAgentEventsOf(db: Db, userId: number): Rows {
  return db.deleteFrom("agent_events").where(
    "thread",
    "in",
    (query) => query.selectFrom("agent_threads").select("number").where("user_id", "=", userId),
  )
    .returning("seq");
}

function eventOf(row: SqlRow): RowOf<"agent_events"> {
  return readRow(tables.agent_events.columns, row);
}

function nameOf(row: SqlRow): ThreadName {
  return { userId: Number(row.user_id), id: String(row.id) };
}
