/** Backups of the embedded database, and the way back. */
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { migrations, migrationState } from "../migrations/mod.ts";
import { copyDatabase } from "./copy.ts";
import { NodeSqliteDialect } from "./dialect.ts";

/** A backup that could not be made or used; the message says why. Nothing has been changed. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

/** How long to wait for another program's lock, in milliseconds. */
const TIMEOUT = 5_000;

/**
 * Copies a database to a new file. A server may use it meanwhile.
 *
 * @throws {BackupError}
 */
export async function backUpSqlite(path: string, to: string): Promise<void> {
  if (!await exists(path)) {
    throw new BackupError(`Cannot back up ${path}: there is no such file; see --data-dir`);
  }
  try {
    const db = new DatabaseSync(path, { timeout: TIMEOUT });
    try {
      copyDatabase(db, to);
    } finally {
      db.close();
    }
  } catch (error) {
    throw new BackupError(
      error instanceof Deno.errors.AlreadyExists
        ? `Cannot back up to ${to}: it is there already; choose another name`
        : `Cannot back up ${path} to ${to}: ${reason(error)}; check rights and free space of both`,
      { cause: error },
    );
  }
}

/**
 * Puts a backup in the place of a database that nobody uses; the present one is copied aside first.
 *
 * @param now Unix milliseconds, for the name of that copy
 * @returns where the present one is now; undefined if there was none
 * @throws {BackupError} {StoreTooNewError}
 */
export async function restoreSqlite(
  path: string,
  from: string,
  now: number,
): Promise<string | undefined> {
  if (!await exists(from)) throw new BackupError(`Cannot restore ${from}: there is no such file`);
  const fresh = `${path}.restoring`;
  await removeIfThere(fresh);
  try {
    await copyChecked(from, fresh);
    const aside = await copyAside(path, now);
    // What the old one had not merged yet must never be taken for the new one's.
    for (const end of ["-wal", "-shm"]) await removeIfThere(path + end);
    await Deno.rename(fresh, path);
    return aside;
  } catch (error) {
    await removeIfThere(fresh);
    if (error instanceof BackupError || (error as Error).name === "StoreTooNewError") throw error;
    throw new BackupError(`Cannot restore ${from}: ${reason(error)}; the database is as it was`, {
      cause: error,
    });
  }
}

async function copyChecked(from: string, to: string): Promise<void> {
  const db = new DatabaseSync(from, { readOnly: true, timeout: TIMEOUT });
  try {
    const [check] = db.prepare("pragma integrity_check(1)").all();
    if (check?.integrity_check !== "ok") {
      throw new BackupError(`Cannot restore ${from}: it is damaged; take another backup`);
    }
    copyDatabase(db, to);
  } finally {
    db.close();
  }
  const copy = new DatabaseSync(to);
  try {
    const kysely = new Kysely<unknown>({ dialect: new NodeSqliteDialect(copy) });
    if ((await migrationState(kysely, migrations)).applied.length === 0) {
      throw new BackupError(`Cannot restore ${from}: it is no backup of a Parley`);
    }
  } finally {
    copy.close();
  }
}

/** As it lies there, and not through SQLite: it may be damaged, which is why somebody restores. */
async function copyAside(path: string, now: number): Promise<string | undefined> {
  if (!await exists(path)) return undefined;
  const time = new Date(now).toISOString().replaceAll(/[-:]/g, "").replace(".", "");
  const aside = `${path}.before-restore-${time}`;
  for (const end of ["", "-wal"]) {
    if (await exists(path + end)) await Deno.copyFile(path + end, aside + end);
  }
  return aside;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
