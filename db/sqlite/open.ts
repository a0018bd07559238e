/** Opens the embedded database and brings it up to date. */
import { Kysely } from "kysely";
import type { DatabaseSync } from "node:sqlite";
import { type Clock, systemClock } from "../../lib/clock.ts";
import {
  type DialectMigration,
  migrate,
  migrations,
  type MigrationState,
  migrationState,
} from "../migrations/mod.ts";
import { type Store, StoreTooNewError, StoreUnavailableError } from "../store.ts";
import { copyDatabase } from "./copy.ts";
import { openDatabase } from "./database.ts";
import { NodeSqliteDialect } from "./dialect.ts";
import { isUnavailable, unavailable } from "./errors.ts";
import { accountTables, tables } from "../tables.ts";
import { RowStatements } from "./row_statements.ts";
import { SqliteStore } from "./store.ts";

/** Where the database is and what to do with it. */
export interface SqliteOptions {
  /** Path of the file, created where missing, or `:memory:`. */
  readonly path: string;
  /** Told in one sentence what an owner should know: a copy made before a migration. */
  readonly notice?: (message: string) => void;
  readonly clock?: Clock;
  /** The migrations of the program, for tests of migrating. */
  readonly migrations?: Readonly<Record<string, DialectMigration>>;
}

/**
 * Opens the database, copies it aside if a migration is about to change it, and migrates it.
 *
 * @throws {StoreUnavailableError} when the file cannot be opened, read or written.
 * @throws {StoreTooNewError} when a newer program has written it.
 */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const { path, clock = systemClock } = options;
  const db = openDatabase(path);
  try {
    await bringUpToDate(db, options, clock);
    return new SqliteStore(db, path, clock);
  } catch (error) {
    db.close();
    if (error instanceof StoreTooNewError) {
      throw new StoreTooNewError(`${error.message} (${path})`, { cause: error });
    }
    // A failed migration wraps what SQLite said.
    const cause = error instanceof Error && isUnavailable(error.cause) ? error.cause : error;
    throw isUnavailable(cause) ? unavailable("open", path, cause) : error;
  }
}

/** What a database has had of the migrations, and has not; one that is not there is not made. */
export async function sqliteMigrationState(path: string): Promise<MigrationState> {
  const db = path === ":memory:" || !exists(path) ? openDatabase(":memory:") : openDatabase(path);
  try {
    return await migrationState(new Kysely<unknown>({ dialect: new NodeSqliteDialect(db) }));
  } finally {
    db.close();
  }
}

/** Everything in a database. */
export interface Contents {
  /** By table, as the port gives them out. */
  readonly rows: ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;
  /** The last id given out, by table: also of what has been removed since. */
  readonly lastIds: ReadonlyMap<string, number>;
}

/**
 * Reads a database that is up to date, for copying it.
 *
 * @throws {StoreUnavailableError} when it is not.
 */
export async function readSqliteTables(path: string): Promise<Contents> {
  const { pending } = await sqliteMigrationState(path);
  if (pending.length > 0) {
    throw new StoreUnavailableError(
      `Cannot copy the database ${path}: it lacks ${pending.join(", ")}; run "migrate up" on it`,
    );
  }
  const db = openDatabase(path);
  try {
    const statements = new RowStatements(db);
    const names = Object.keys({ ...accountTables, ...tables });
    const counted = db.prepare("select name, seq from sqlite_sequence").all();
    return {
      rows: new Map(names.map((name) => [name, statements.of(name).load({})])),
      lastIds: new Map(counted.map(({ name, seq }) => [String(name), Number(seq)])),
    };
  } finally {
    db.close();
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw unavailable("open", path, error);
  }
}

async function bringUpToDate(
  db: DatabaseSync,
  { path, notice, migrations: known = migrations }: SqliteOptions,
  clock: Clock,
): Promise<void> {
  const kysely = new Kysely<unknown>({ dialect: new NodeSqliteDialect(db) });
  const { applied, pending } = await migrationState(kysely, known);
  const next = pending[0];
  if (next === undefined) return;
  if (applied.length > 0 && path !== ":memory:") {
    const copy = copyAside(db, path, next, clock);
    notice?.(`Copied the database to ${copy} before changing it (${pending.join(", ")})`);
  }
  await migrate(kysely, "sqlite", known);
}

function copyAside(db: DatabaseSync, path: string, migration: string, clock: Clock): string {
  const time = new Date(clock.now()).toISOString().replaceAll(/[-:]/g, "").replace(".", "");
  const copy = `${path}.before-${migration}-${time}`;
  try {
    copyDatabase(db, copy);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailableError(
      `Cannot copy the database ${path} to ${copy} before a migration: ${reason}; ` +
        `make room beside it, nothing has been changed`,
      { cause: error },
    );
  }
  return copy;
}
