/** {@link MessageStore} by the queries that both databases answer alike. */
import { type Kysely, sql } from "kysely";
import type { MessageRow, MessageStore } from "./message_store.ts";
import type { Rows } from "./queries.ts";
import { readRow, type SqlRow } from "./read_rows.ts";
import type { Schema } from "./schema.ts";
import { tables } from "./tables.ts";

export class MessageRows implements MessageStore {
  readonly #db: Kysely<Schema>;
  readonly #ask: (query: Rows) => Promise<SqlRow[]>;

  /** @param ask runs one query */
  constructor(db: Kysely<Schema>, ask: (query: Rows) => Promise<SqlRow[]>) {
    this.#db = db;
    this.#ask = ask;
  }

  async page(channelId: number, beforeId: number | null, limit: number): Promise<MessageRow[]> {
    const rows = await this.#rows(
      this.#db.selectFrom("channel_messages").selectAll().where("channel_id", "=", channelId)
        .$if(beforeId !== null, (query) => query.where("id", "<", beforeId))
        .orderBy("id", "desc").limit(limit),
    );
    return rows.reverse();
  }

  async byId(ids: readonly number[]): Promise<MessageRow[]> {
    if (ids.length === 0) return [];
    return await this.#rows(
      this.#db.selectFrom("channel_messages").selectAll().where("id", "in", ids).orderBy("id"),
    );
  }

  async byNonce(senderId: number, nonce: string): Promise<MessageRow[]> {
    return await this.#rows(
      this.#db.selectFrom("channel_messages").selectAll().where("sender_id", "=", senderId)
        .where("nonce", "=", nonce),
    );
  }

  async newest(rootId?: number): Promise<{ channelId: number; messageId: number }[]> {
    // Asked channel by channel, so that each answer is the end of a stretch of the key.
    const newest = sql<number | null>`(select max(id) from channel_messages
      where channel_messages.channel_id = channels.id)`;
    const rows = await this.#ask(
      this.#db.selectFrom("channels").select(["id", newest.as("message_id")])
        .$if(rootId !== undefined, (query) => query.where("root_id", "=", rootId as number)),
    );
    return rows.filter((row) => row.message_id !== null)
      .map((row) => ({ channelId: Number(row.id), messageId: Number(row.message_id) }));
  }

  async #rows(query: Rows): Promise<MessageRow[]> {
    const { columns } = tables.channel_messages;
    return (await this.#ask(query)).map((row) => readRow<MessageRow>(columns, row));
  }
}
