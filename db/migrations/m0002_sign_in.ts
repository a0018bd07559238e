/** Signing in with a browser: passwords, sessions, invitations, accounts elsewhere. */
import type { Migration } from "kysely/migration";
import type { ColumnDefinitionBuilder, CreateTableBuilder, Kysely } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const ofUser = (column: ColumnDefinitionBuilder) =>
  column.notNull().references("users.id").onDelete("cascade");

/** [transport 4.1.9, 5.1.4] */
export function signIn(dialect: Dialect): Migration {
  const { bytes, int, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      const create = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
        table.$call(endOfTable).execute();

      await db.schema.alterTable("access_tokens").addColumn("label", "text").execute();
      await db.schema.alterTable("access_tokens").addColumn("last_used_at", int).execute();

      await create(
        db.schema.createTable("passwords")
          .addColumn("user_id", "integer", ofUser)
          .addColumn("hash", "text", required)
          .addColumn("changed_at", int, required)
          .addPrimaryKeyConstraint("passwords_key", ["user_id"]),
      );

      await create(
        db.schema.createTable("web_sessions")
          .addColumn("hash", "text", required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("created_at", int, required)
          .addColumn("expires_at", int, required)
          .addPrimaryKeyConstraint("web_sessions_key", ["hash"]),
      );
      await db.schema.createIndex("web_sessions_user").on("web_sessions").column("user_id")
        .execute();

      await create(
        db.schema.createTable("invitations")
          .addColumn("hash", "text", required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("created_at", int, required)
          .addColumn("expires_at", int, required)
          .addPrimaryKeyConstraint("invitations_key", ["hash"]),
      );
      await db.schema.createIndex("invitations_user").on("invitations").column("user_id").execute();

      await create(
        db.schema.createTable("identities")
          .addColumn("provider", "text", required)
          .addColumn("subject", "text", required)
          .addColumn("user_id", "integer", ofUser)
          .addColumn("created_at", int, required)
          .addPrimaryKeyConstraint("identities_key", ["provider", "subject"]),
      );
      await db.schema.createIndex("identities_user").on("identities").column("user_id").execute();

      await create(
        db.schema.createTable("secrets")
          .addColumn("name", "text", required)
          .addColumn("value", bytes, required)
          .addPrimaryKeyConstraint("secrets_key", ["name"]),
      );
    },
  };
}
