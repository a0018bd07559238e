/** Opens the embedded database and brings it up to date. */
import { Kysely } from "kysely";
import type { DatabaseSync } from "node:sqlite";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { type DialectMigration, migrate, migrations, migrationState } from "../migrations/mod.ts";
import { type Store, StoreTooNewError, StoreUnavailableError } from "../store.ts";
import { openDatabase } from "./database.ts";
import { NodeSqliteDialect } from "./dialect.ts";
import { isUnavailable, unavailable } from "./errors.ts";
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
    // Empty and private first: VACUUM INTO fills a file of no length, with the mode that it has.
    Deno.openSync(copy, { write: true, createNew: true, mode: 0o600 }).close();
    db.prepare("vacuum into ?").run(copy);
    const file = Deno.openSync(copy, { write: true });
    try {
      file.syncSync();
    } finally {
      file.close();
    }
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
