/** The notes of channels: their history, who has them open, and who has seen how much. */
import type { Migration } from "kysely/migration";
import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const ofUser = (column: ColumnDefinitionBuilder) =>
  column.notNull().references("users.id").onDelete("cascade");

/** [channels 8.1] */
export function notes(dialect: Dialect): Migration {
  const { bytes, int, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      const create = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
        table.$call(endOfTable).execute();

      await create(
        db.schema.createTable("buffers")
          .addColumn("channel_id", int, required)
          .addColumn("root_id", int, required)
          .addColumn("epoch", int, required)
          .addColumn("latest_epoch", int)
          .addColumn("latest_timestamp", int)
          .addColumn("latest_replica_id", int)
          .addPrimaryKeyConstraint("buffers_key", ["channel_id"]),
      );
      await db.schema.createIndex("buffers_root").on("buffers").column("root_id").execute();

      await create(
        db.schema.createTable("buffer_snapshots")
          .addColumn("channel_id", int, required)
          .addColumn("epoch", int, required)
          .addColumn("base_text", bytes, required)
          .addPrimaryKeyConstraint("buffer_snapshots_key", ["channel_id", "epoch"]),
      );

      await create(
        db.schema.createTable("buffer_operations")
          .addColumn("channel_id", int, required)
          .addColumn("epoch", int, required)
          .addColumn("lamport_timestamp", int, required)
          .addColumn("replica_id", int, required)
          .addColumn("operation", bytes, required)
          .addPrimaryKeyConstraint("buffer_operations_key", [
            "channel_id",
            "epoch",
            "lamport_timestamp",
            "replica_id",
          ]),
      );

      await create(
        db.schema.createTable("channel_buffer_collaborators")
          .addColumn("channel_id", int, required)
          .addColumn("replica_id", int, required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("connection_owner", int, required)
          .addColumn("connection_id", int, required)
          .addPrimaryKeyConstraint("channel_buffer_collaborators_key", [
            "channel_id",
            "replica_id",
          ]),
      );
      await db.schema.createIndex("channel_buffer_collaborators_user")
        .on("channel_buffer_collaborators").column("user_id").execute();

      await create(
        db.schema.createTable("observed_buffer_edits")
          .addColumn("channel_id", int, required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("epoch", int, required)
          .addColumn("lamport_timestamp", int, required)
          .addColumn("replica_id", int, required)
          .addPrimaryKeyConstraint("observed_buffer_edits_key", ["channel_id", "user_id"]),
      );
      await db.schema.createIndex("observed_buffer_edits_user").on("observed_buffer_edits")
        .column("user_id").execute();
    },
  };
}
