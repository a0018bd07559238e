/** Accounts, contacts, notifications, rooms and projects. */
import type { Migration } from "kysely/migration";
import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from "kysely";
import { type Dialect, types } from "./types.ts";

const required = (column: ColumnDefinitionBuilder) => column.notNull();

/** [transport 5.1.2] [channels 2.1, 3.1, 4.2] [rooms 1.1, 9] [projects 2] */
export function accountsRoomsProjects(dialect: Dialect): Migration {
  const { bytes, bool, int, u64, generatedId, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      const create = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
        table.$call(endOfTable).execute();

      await db.schema.createTable("users")
        .addColumn("id", "integer", generatedId)
        .addColumn("login", "text", required)
        .addColumn("name", "text")
        .addColumn("avatar_url", "text")
        .addColumn("admin", bool, required)
        .addColumn("connected_once", bool, required)
        .addColumn("metrics_id", "text", required)
        .addColumn("created_at", int, required)
        .execute();
      await db.schema.createIndex("users_login").unique().on("users")
        .expression(sql`lower(login)`).execute();

      await db.schema.createTable("access_tokens")
        .addColumn("id", "integer", generatedId)
        .addColumn(
          "user_id",
          "integer",
          (c) => c.notNull().references("users.id").onDelete("cascade"),
        )
        .addColumn(
          "impersonator_id",
          "integer",
          (c) => c.references("users.id").onDelete("cascade"),
        )
        .addColumn("hash", "text", required)
        .addColumn("created_at", int, required)
        .execute();
      await db.schema.createIndex("access_tokens_user").on("access_tokens")
        .columns(["user_id", "id"]).execute();
      await db.schema.createIndex("access_tokens_impersonator").on("access_tokens")
        .column("impersonator_id").execute();

      await db.schema.createTable("servers")
        .addColumn("id", "integer", generatedId)
        .addColumn("started_at", int, required)
        .execute();

      await create(
        db.schema.createTable("counters")
          .addColumn("name", "text", required)
          .addColumn("value", int, required)
          .addPrimaryKeyConstraint("counters_key", ["name"]),
      );

      await create(
        db.schema.createTable("contacts")
          .addColumn(
            "user_id_a",
            "integer",
            (c) => c.notNull().references("users.id").onDelete("cascade"),
          )
          .addColumn(
            "user_id_b",
            "integer",
            (c) => c.notNull().references("users.id").onDelete("cascade"),
          )
          .addColumn("a_to_b", bool, required)
          .addColumn("should_notify", bool, required)
          .addColumn("accepted", bool, required)
          .addPrimaryKeyConstraint("contacts_key", ["user_id_a", "user_id_b"]),
      );
      await db.schema.createIndex("contacts_b").on("contacts").column("user_id_b").execute();

      await create(
        db.schema.createTable("notifications")
          .addColumn("id", int, required)
          .addColumn(
            "recipient_id",
            "integer",
            (c) => c.notNull().references("users.id").onDelete("cascade"),
          )
          .addColumn("created_at", int, required)
          .addColumn("kind", "text", required)
          .addColumn("entity_id", int)
          .addColumn("content", "text", required)
          .addColumn("is_read", bool, required)
          .addColumn("response", bool)
          .addPrimaryKeyConstraint("notifications_key", ["id"]),
      );
      await db.schema.createIndex("notifications_recipient").on("notifications")
        .columns(["recipient_id", "id"]).execute();
      await db.schema.createIndex("notifications_entity").on("notifications")
        .columns(["kind", "entity_id"]).execute();

      await create(
        db.schema.createTable("rooms")
          .addColumn("id", int, required)
          .addColumn("live_kit_room", "text", required)
          .addColumn("channel_id", int)
          .addPrimaryKeyConstraint("rooms_key", ["id"]),
      );

      await create(
        db.schema.createTable("room_participants")
          .addColumn("user_id", int, required)
          .addColumn("room_id", int, required)
          .addColumn("connection_owner", int)
          .addColumn("connection_id", int)
          .addColumn("location_kind", "text", required)
          .addColumn("location_project_id", u64)
          .addColumn("initial_project_id", u64)
          .addColumn("calling_user_id", int, required)
          .addColumn("calling_connection_owner", int)
          .addColumn("calling_connection_id", int)
          .addColumn("participant_index", int)
          .addColumn("role", int)
          .addColumn("ordinal", int, required)
          .addPrimaryKeyConstraint("room_participants_key", ["user_id"]),
      );
      await db.schema.createIndex("room_participants_room").on("room_participants")
        .column("room_id").execute();

      await create(
        db.schema.createTable("followers")
          .addColumn("room_id", int, required)
          .addColumn("project_id", int, required)
          .addColumn("leader_owner", int, required)
          .addColumn("leader_id", int, required)
          .addColumn("follower_owner", int, required)
          .addColumn("follower_id", int, required)
          .addColumn("ordinal", int, required)
          .addPrimaryKeyConstraint("followers_key", [
            "room_id",
            "project_id",
            "leader_owner",
            "leader_id",
            "follower_owner",
            "follower_id",
          ]),
      );

      await create(
        db.schema.createTable("projects")
          .addColumn("id", int, required)
          .addColumn("room_id", int, required)
          .addColumn("host_user_id", int, required)
          .addColumn("host_owner", int, required)
          .addColumn("host_id", int, required)
          .addColumn("windows_paths", bool, required)
          .addColumn("features", "text", required)
          .addPrimaryKeyConstraint("projects_key", ["id"]),
      );
      await db.schema.createIndex("projects_room").on("projects").column("room_id").execute();

      await create(
        db.schema.createTable("project_collaborators")
          .addColumn("project_id", int, required)
          .addColumn("replica_id", int, required)
          .addColumn("user_id", int, required)
          .addColumn("connection_owner", int, required)
          .addColumn("connection_id", int, required)
          .addColumn("is_host", bool, required)
          .addColumn("committer_name", "text")
          .addColumn("committer_email", "text")
          .addPrimaryKeyConstraint("project_collaborators_key", ["project_id", "replica_id"]),
      );

      await create(
        db.schema.createTable("worktrees")
          .addColumn("project_id", int, required)
          .addColumn("id", u64, required)
          .addColumn("root_name", "text", required)
          .addColumn("abs_path", "text", required)
          .addColumn("visible", bool, required)
          .addColumn("scan_id", u64, required)
          .addColumn("completed_scan_id", u64, required)
          .addColumn("root_repo_common_dir", "text")
          .addPrimaryKeyConstraint("worktrees_key", ["project_id", "id"]),
      );

      await create(
        db.schema.createTable("worktree_entries")
          .addColumn("project_id", int, required)
          .addColumn("worktree_id", u64, required)
          .addColumn("id", u64, required)
          .addColumn("scan_id", u64, required)
          .addColumn("entry", bytes)
          .addPrimaryKeyConstraint("worktree_entries_key", ["project_id", "worktree_id", "id"]),
      );

      await create(
        db.schema.createTable("repositories")
          .addColumn("project_id", int, required)
          .addColumn("id", u64, required)
          .addColumn("scan_id", u64, required)
          .addColumn("state", bytes)
          .addPrimaryKeyConstraint("repositories_key", ["project_id", "id"]),
      );

      await create(
        db.schema.createTable("repository_statuses")
          .addColumn("project_id", int, required)
          .addColumn("repository_id", u64, required)
          .addColumn("repo_path", "text", required)
          .addColumn("scan_id", u64, required)
          .addColumn("status", bytes)
          .addPrimaryKeyConstraint("repository_statuses_key", [
            "project_id",
            "repository_id",
            "repo_path",
          ]),
      );

      await create(
        db.schema.createTable("diagnostic_summaries")
          .addColumn("project_id", int, required)
          .addColumn("worktree_id", u64, required)
          .addColumn("path", "text", required)
          .addColumn("language_server_id", u64, required)
          .addColumn("summary", bytes, required)
          .addPrimaryKeyConstraint("diagnostic_summaries_key", [
            "project_id",
            "worktree_id",
            "path",
            "language_server_id",
          ]),
      );

      await create(
        db.schema.createTable("worktree_settings")
          .addColumn("project_id", int, required)
          .addColumn("worktree_id", u64, required)
          .addColumn("path", "text", required)
          .addColumn("kind", int, required)
          .addColumn("content", "text", required)
          .addColumn("outside_worktree", bool, required)
          .addPrimaryKeyConstraint("worktree_settings_key", [
            "project_id",
            "worktree_id",
            "path",
            "kind",
          ]),
      );

      await create(
        db.schema.createTable("language_servers")
          .addColumn("project_id", int, required)
          .addColumn("id", u64, required)
          .addColumn("server", bytes, required)
          .addColumn("capabilities", "text", required)
          .addPrimaryKeyConstraint("language_servers_key", ["project_id", "id"]),
      );
    },
  };
}
