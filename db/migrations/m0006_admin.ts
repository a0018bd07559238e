/** Administration: more of an account, the audit log, who pays. */
import type { Migration } from "kysely/migration";
import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();
const ofUser = (column: ColumnDefinitionBuilder) =>
  column.notNull().references("users.id").onDelete("cascade");

/** [transport 6.2, 6.2.1] */
export function admin(dialect: Dialect): Migration {
  const { bool, generatedId, int, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      await db.schema.alterTable("users").addColumn("email", "text").execute();
      await db.schema.alterTable("users").addColumn("staff", bool).execute();
      await db.schema.alterTable("users").addColumn("disabled_at", int).execute();
      await db.schema.alterTable("web_sessions").addColumn("label", "text").execute();

      // No reference to users: the log outlives the accounts that it tells of.
      await db.schema.createTable("audit_entries")
        .addColumn("id", "integer", generatedId)
        .addColumn("created_at", int, required)
        .addColumn("actor_kind", "text", required)
        .addColumn("actor_id", int)
        .addColumn("actor_login", "text")
        .addColumn("action", "text", required)
        .addColumn("target", "text")
        .addColumn("target_name", "text")
        .addColumn("client_address", "text")
        .addColumn("details", "text", required)
        .execute();
      await db.schema.createIndex("audit_entries_target").on("audit_entries")
        .columns(["target", "id"]).execute();

      await db.schema.createTable("billing_customers")
        .addColumn("user_id", "integer", ofUser)
        .addColumn("customer_id", "text", required)
        .addColumn("created_at", int, required)
        .addPrimaryKeyConstraint("billing_customers_key", ["user_id"])
        .$call(endOfTable).execute();
      await db.schema.createIndex("billing_customers_customer").unique().on("billing_customers")
        .column("customer_id").execute();

      await db.schema.createTable("billing_subscriptions")
        .addColumn("id", "text", required)
        .addColumn("user_id", "integer", ofUser)
        .addColumn("status", "text", required)
        .addColumn("plan", "text")
        .addColumn("started_at", int)
        .addColumn("ends_at", int)
        .addColumn("cancels", bool, required)
        .addColumn("told_at", int, required)
        .addPrimaryKeyConstraint("billing_subscriptions_key", ["id"])
        .$call(endOfTable).execute();
      await db.schema.createIndex("billing_subscriptions_user").on("billing_subscriptions")
        .column("user_id").execute();
    },
  };
}
