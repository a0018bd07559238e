/** Channels, who belongs to them, and who has signed the contributor agreement. */
import type { Migration } from "kysely/migration";
import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const ofUser = (column: ColumnDefinitionBuilder) =>
  column.notNull().references("users.id").onDelete("cascade");

/** [channels 2.6, 5.1, 5.2, 5.4] */
export function channels(dialect: Dialect): Migration {
  const { bool, int, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      const create = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
        table.$call(endOfTable).execute();

      await create(
        db.schema.createTable("channels")
          .addColumn("id", int, required)
          .addColumn("root_id", int, required)
          .addColumn("name", "text", required)
          .addColumn("visibility", "text", required)
          .addColumn("parent_path", "text", required)
          .addColumn("requires_zed_cla", bool, required)
          .addColumn("channel_order", int, required)
          .addColumn("created_at", int, required)
          .addPrimaryKeyConstraint("channels_key", ["id"]),
      );
      await db.schema.createIndex("channels_root").on("channels").column("root_id").execute();
      // An index of Postgres holds no more than a few kilobytes of a row; names and paths may be longer.
      const place = dialect === "sqlite"
        ? sql`parent_path, name`
        : sql`md5(parent_path), md5(name)`;
      await db.schema.createIndex("channels_sibling_name").unique().on("channels")
        .expression(place).where(sql.ref("parent_path"), "<>", sql.lit(""))
        .execute();

      await create(
        db.schema.createTable("channel_members")
          .addColumn("channel_id", int, required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("role", "text", required)
          .addColumn("accepted", bool, required)
          .addPrimaryKeyConstraint("channel_members_key", ["channel_id", "user_id"]),
      );
      await db.schema.createIndex("channel_members_user").on("channel_members").column("user_id")
        .execute();

      await create(
        db.schema.createTable("contributors")
          .addColumn("user_id", "integer", ofUser)
          .addColumn("signed_at", int, required)
          .addPrimaryKeyConstraint("contributors_key", ["user_id"]),
      );

      await db.schema.createIndex("rooms_channel").unique().on("rooms").column("channel_id")
        .execute();
    },
  };
}
