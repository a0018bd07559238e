/** The history of the schema, for both databases, and how a database is brought to its end. */
import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { StoreTooNewError, StoreUnavailableError } from "../store.ts";
import { accountsRoomsProjects } from "./m0001_accounts_rooms_projects.ts";
import { signIn } from "./m0002_sign_in.ts";
import { channels } from "./m0003_channels.ts";
import { notes } from "./m0004_notes.ts";
import { chat } from "./m0005_chat.ts";
import { admin } from "./m0006_admin.ts";
import { extensions } from "./m0007_extensions.ts";
import { agents } from "./m0008_agents.ts";
import type { Dialect } from "./types.ts";

/** Table with the names of the migrations that a database has had. */
export const migrationTable = "migrations";
/** Table with which the migrator keeps a second one out. */
export const lockTable = "migration_lock";

/** A migration written for one of the databases. */
export type DialectMigration = (dialect: Dialect) => Migration;

/** Every migration by name; the order of the names is the order of their application. */
export const migrations: Readonly<Record<string, DialectMigration>> = {
  "0001_accounts_rooms_projects": accountsRoomsProjects,
  "0002_sign_in": signIn,
  "0003_channels": channels,
  "0004_notes": notes,
  "0005_chat": chat,
  "0006_admin": admin,
  "0007_extensions": extensions,
  "0008_agents": agents,
};

/** How far a database has come. */
export interface MigrationState {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

// deno-lint-ignore no-explicit-any -- migrations stand before any schema
type AnyKysely = Kysely<any>;

/**
 * Compares a database with the migrations known to this program.
 *
 * @throws {StoreTooNewError} when it has had one that this program does not know.
 */
export async function migrationState(
  db: AnyKysely,
  known: Readonly<Record<string, DialectMigration>> = migrations,
): Promise<MigrationState> {
  const existing = await db.introspection.getTables({ withInternalKyselyTables: true });
  const applied: string[] = existing.some((table) => table.name === migrationTable)
    ? (await db.selectFrom(migrationTable).select("name").orderBy("name").execute())
      .map((row) => String(row.name))
    : [];
  const unknown = applied.filter((name) => !(name in known));
  if (unknown.length > 0) {
    throw new StoreTooNewError(
      `Cannot use the database: a newer Parley has changed it (${unknown.join(", ")}); ` +
        `run that version, or restore the copy that was made before the change`,
    );
  }
  return { applied, pending: Object.keys(known).sort().filter((name) => !applied.includes(name)) };
}

/**
 * Applies all pending migrations in one transaction.
 *
 * @returns the names of those that were applied.
 * @throws {StoreUnavailableError} when the database is, as the driver says.
 * @throws {Error} naming the migration that failed; the database is as it was before.
 */
export async function migrate(
  db: AnyKysely,
  dialect: Dialect,
  known: Readonly<Record<string, DialectMigration>> = migrations,
): Promise<readonly string[]> {
  const migrator = new Migrator({
    db,
    migrationTableName: migrationTable,
    migrationLockTableName: lockTable,
    provider: {
      getMigrations: () =>
        Promise.resolve(
          Object.fromEntries(
            Object.entries(known).map(([name, migration]) => [name, migration(dialect)]),
          ),
        ),
    },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error instanceof StoreUnavailableError) throw error;
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === "Error")?.migrationName;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot migrate the database${failed === undefined ? "" : ` (${failed})`}: ${reason}; ` +
        `it is unchanged, report this with the version you came from`,
      { cause: error },
    );
  }
  return (results ?? []).map((result) => result.migrationName);
}
