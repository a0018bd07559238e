/** A connection to SQLite as Parley needs it. */
import { DatabaseSync } from "node:sqlite";
import { lockTable, migrations, migrationTable } from "../migrations/mod.ts";
import { StoreUnavailableError } from "../store.ts";
import { unavailable } from "./errors.ts";

/** How long a statement waits for another program's lock, in milliseconds. */
const lockTimeout = 5_000;

/**
 * Opens a database file, made where missing and readable by its owner only, or `:memory:`.
 *
 * @throws {StoreUnavailableError}
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    // Made first and by hand: SQLite would let everybody on the machine read it.
    if (path !== ":memory:") {
      Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
    }
    const db = new DatabaseSync(path, { timeout: lockTimeout });
    try {
      requireOwn(db, path);
      // WAL with FULL: one write to the disk per commit, and a commit that was answered stays.
      for (const pragma of ["journal_mode = wal", "synchronous = full", "foreign_keys = on"]) {
        db.prepare(`pragma ${pragma}`).all();
      }
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  } catch (error) {
    throw error instanceof StoreUnavailableError ? error : unavailable("open", path, error);
  }
}

/** Another program's database is left as it is; an empty one is taken. */
function requireOwn(db: DatabaseSync, path: string): void {
  const names = db
    .prepare(
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'",
    )
    .all().map(({ name }) => String(name));
  const others = names.filter((name) => name !== migrationTable && name !== lockTable);
  if (others.length === 0 || (names.includes(migrationTable) && hasOwnMigration(db))) return;
  throw new StoreUnavailableError(
    `Cannot use the database ${path}: it is another program's (it has the table "${others[0]}", ` +
      "and nothing of Parley); it is left as it is, give another file or another folder",
  );
}

function hasOwnMigration(db: DatabaseSync): boolean {
  // Its columns are its program's.
  return db.prepare(`select * from ${migrationTable}`).all()
    .some(({ name }) => typeof name === "string" && Object.hasOwn(migrations, name));
}
