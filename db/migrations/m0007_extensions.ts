/** Extensions of this server's own registry: what cannot stand beside their archives. */
import type { Migration } from "kysely/migration";
import type { Kysely } from "kysely";
import { type Dialect, types } from "./types.ts";

/** [transport 7.1] */
export function extensions(dialect: Dialect): Migration {
  const { int, endOfTable } = types(dialect);

  return {
    // deno-lint-ignore no-explicit-any -- a migration knows no schema but its own
    async up(db: Kysely<any>): Promise<void> {
      await db.schema.createTable("extension_versions")
        .addColumn("extension_id", "text", (column) => column.notNull())
        .addColumn("version", "text", (column) => column.notNull())
        .addColumn("downloads", int, (column) => column.notNull())
        .addColumn("yanked_at", int)
        .addPrimaryKeyConstraint("extension_versions_key", ["extension_id", "version"])
        .$call(endOfTable).execute();
    },
  };
}
