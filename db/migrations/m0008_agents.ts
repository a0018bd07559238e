/** Threads of agents: their events, commands, hosts and subscribers. */
import type { Migration } from "kysely/migration";
import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const ofUser = (column: ColumnDefinitionBuilder) =>
  column.notNull().references("users.id").onDelete("cascade");

/** [agents 3] */
export function agents(dialect: Dialect): Migration {
  const { bool, bytes, int, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      const create = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
        table.$call(endOfTable).execute();

      await create(
        db.schema.createTable("agent_threads")
          .addColumn("user_id", "integer", ofUser)
          .addColumn("id", "text", required)
          .addColumn("number", int, required)
          .addColumn("host_id", "text", required)
          .addColumn("updated_at", int, required)
          .addColumn("archived", bool, required)
          .addColumn("deleted_at", int)
          .addColumn("first_seq", int, required)
          .addColumn("last_seq", int, required)
          .addColumn("folded_seq", int, required)
          .addColumn("confirmed_seq", int, required)
          .addColumn("details", bytes, required)
          .addPrimaryKeyConstraint("agent_threads_key", ["user_id", "id"]),
      );
      await db.schema.createIndex("agent_threads_number").unique().on("agent_threads")
        .column("number").execute();
      await db.schema.createIndex("agent_threads_activity").on("agent_threads")
        .columns(["user_id", "updated_at", "number"]).execute();

      // Not without rowid in SQLite: events may be large, and most are written once at the end.
      await db.schema.createTable("agent_events")
        .addColumn("thread", int, required)
        .addColumn("seq", int, required)
        .addColumn("event_id", "text", required)
        .addColumn("timestamp", int, required)
        .addColumn("stored_at", int, required)
        .addColumn("kind", int, required)
        .addColumn("payload", bytes, required)
        .addPrimaryKeyConstraint("agent_events_key", ["thread", "seq"])
        .execute();
      await db.schema.createIndex("agent_events_event").unique().on("agent_events")
        .columns(["thread", "event_id"]).execute();
      await db.schema.createIndex("agent_events_completed").on("agent_events")
        .column("stored_at").where(sql.ref("kind"), "=", sql.lit(16)).execute();

      await create(
        db.schema.createTable("agent_commands")
          .addColumn("thread", int, required)
          .addColumn("ordinal", int, required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("host_id", "text", required)
          .addColumn("command_id", "text", required)
          .addColumn("created_at", int, required)
          .addColumn("state", "text", required)
          .addColumn("reason", "text", required)
          .addColumn("command", bytes, required)
          .addPrimaryKeyConstraint("agent_commands_key", ["thread", "ordinal"]),
      );
      await db.schema.createIndex("agent_commands_host").on("agent_commands")
        .columns(["user_id", "host_id"]).execute();
      await db.schema.createIndex("agent_commands_age").on("agent_commands").column("created_at")
        .execute();

      await create(
        db.schema.createTable("agent_hosts")
          .addColumn("user_id", "integer", ofUser)
          .addColumn("host_id", "text", required)
          .addColumn("name", "text", required)
          .addColumn("seen_at", int, required)
          .addPrimaryKeyConstraint("agent_hosts_key", ["user_id", "host_id"]),
      );

      await create(
        db.schema.createTable("agent_subscriptions")
          .addColumn("user_id", "integer", ofUser)
          .addColumn("subscriber_id", "text", required)
          .addColumn("thread_id", "text", required)
          .addColumn("seen_at", int, required)
          .addPrimaryKeyConstraint("agent_subscriptions_key", [
            "user_id",
            "subscriber_id",
            "thread_id",
          ]),
      );
      await db.schema.createIndex("agent_subscriptions_seen").on("agent_subscriptions")
        .column("seen_at").execute();

      await create(
        db.schema.createTable("agent_cursors")
          .addColumn("user_id", "integer", ofUser)
          .addColumn("subscriber_id", "text", required)
          .addColumn("thread_id", "text", required)
          .addColumn("after_seq", int, required)
          .addPrimaryKeyConstraint("agent_cursors_key", ["user_id", "subscriber_id", "thread_id"]),
      );
    },
  };
}
