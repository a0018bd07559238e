/** What is said in the chats of channels, and how far everybody has seen it. */
import type { Migration } from "kysely/migration";
import type { ColumnDefinitionBuilder, Kysely } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();
// Clients cannot show what somebody said whom they cannot look up. [channels 2.3]
const ofUser = (column: ColumnDefinitionBuilder) =>
  column.notNull().references("users.id").onDelete("cascade");

/** [channels 10.1] */
export function chat(dialect: Dialect): Migration {
  const { int, u64, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      await db.schema.createTable("channel_messages")
        .addColumn("channel_id", int, required)
        .addColumn("id", int, required)
        .addColumn("sender_id", "integer", ofUser)
        .addColumn("body", "text", required)
        .addColumn("sent_at", int, required)
        .addColumn("edited_at", int)
        .addColumn("nonce", "text", required)
        .addColumn("reply_to_message_id", u64)
        .addColumn("mentions", "text", required)
        .addPrimaryKeyConstraint("channel_messages_key", ["channel_id", "id"])
        .$call(endOfTable).execute();
      await db.schema.createIndex("channel_messages_id").unique().on("channel_messages")
        .column("id").execute();
      // Not of the nonce alone: two chats may be sent the same one at once, and neither waits for
      // the other.
      await db.schema.createIndex("channel_messages_nonce").unique().on("channel_messages")
        .columns(["sender_id", "nonce", "channel_id"]).execute();

      await db.schema.createTable("observed_channel_messages")
        .addColumn("channel_id", int, required)
        .addColumn("user_id", "integer", ofUser)
        .addColumn("channel_message_id", int, required)
        .addPrimaryKeyConstraint("observed_channel_messages_key", ["channel_id", "user_id"])
        .$call(endOfTable).execute();
      await db.schema.createIndex("observed_channel_messages_user").on("observed_channel_messages")
        .column("user_id").execute();

      // Whose notifications a message has made.
      await db.schema.createIndex("notifications_about").on("notifications")
        .columns(["entity_id", "kind"]).execute();
    },
  };
}
