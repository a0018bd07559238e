/** A connection to SQLite as Parley needs it. */
import { DatabaseSync } from "node:sqlite";
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
    throw unavailable("open", path, error);
  }
}
