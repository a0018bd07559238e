/** The folder that a server keeps everything in, and the lock that makes it that server's alone. */

import { basename, dirname, resolve } from "node:path";

const lockFile = "parley.lock";

/** A folder that cannot serve as data folder; the message says why and what to do. */
export class DataDirError extends Error {
  override readonly name = "DataDirError";
}

/** A data folder that is locked for this program until {@link DataDir.release}. */
export interface DataDir {
  readonly path: string;
  /** Lets others use the folder. The lock also ends with the process, however that ends. */
  release(): void;
}

/** How {@link lockDataDir} waits. */
export interface LockOptions {
  /**
   * Milliseconds to try for: somebody who asks {@link isDataDirLocked} holds the lock for a moment.
   */
  readonly patience?: number;
}

/**
 * Makes the folder if it is missing, private to its owner.
 *
 * @throws {DataDirError} when it cannot be made, or is not a folder.
 */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DataDirError(
      `Cannot make the data folder ${path}: ${reason(error)}; choose another with --data-dir`,
      { cause: error },
    );
  }
}

/**
 * Makes the data folder if need be and locks it.
 *
 * @throws {DataDirError} when it cannot be made or written, or another server has locked it.
 */
export async function lockDataDir(path: string, options: LockOptions = {}): Promise<DataDir> {
  await makeDataDir(path);
  return await held(
    path,
    await openLock(path),
    `Cannot use the data folder ${path}: another Parley is running on it; ` +
      `stop that one, or choose another folder with --data-dir`,
    options,
  );
}

/**
 * Locks an SQLite database that is outside of the data folder, which another server may have been
 * given as well.
 *
 * @returns undefined for one that the data folder's lock protects
 * @throws {DataDirError} when another server has it
 */
export async function lockDatabase(
  database: string,
  dataDir: string,
  options: LockOptions = {},
): Promise<DataDir | undefined> {
  const path = await Deno.realPath(database).catch(() => resolve(database));
  const folder = dirname(path);
  const isDefault = basename(path) === "parley.sqlite";
  if (isDefault && folder === await Deno.realPath(dataDir)) return undefined;
  // One that is some other server's own is protected by the lock of its folder.
  const name = isDefault ? lockFile : `${basename(path)}.lock`;
  // SQLite writes files beside it too, and says why it cannot.
  const file = await openLock(folder, name).catch(() => undefined);
  return file && await held(
    path,
    file,
    `Cannot use the database ${path}: another Parley is running on it; ` +
      `stop that one, or give this one a database of its own`,
    options,
  );
}

/** Waits for the lock of an open file. */
async function held(
  path: string,
  file: Deno.FsFile,
  taken: string,
  options: LockOptions,
): Promise<DataDir> {
  const end = performance.now() + (options.patience ?? 500);
  while (!await file.tryLock(true)) {
    if (performance.now() >= end) {
      file.close();
      throw new DataDirError(taken);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  let isHeld = true;
  return {
    path,
    release() {
      if (!isHeld) return;
      isHeld = false;
      file.close();
    },
  };
}

/**
 * True while some server holds the folder; false for a folder that does not exist.
 *
 * @throws {DataDirError} when the folder cannot be used by this user.
 */
export async function isDataDirLocked(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw unusable(path, error);
  }
  const file = await openLock(path);
  try {
    // Shared, so that several who ask do not see each other.
    return !await file.tryLock(false);
  } finally {
    file.close();
  }
}

async function openLock(path: string, name = lockFile): Promise<Deno.FsFile> {
  try {
    return await Deno.open(`${path}/${name}`, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): DataDirError {
  return new DataDirError(
    `Cannot write to the data folder ${path}: ${reason(error)}; ` +
      `give this user the right to, or choose another with --data-dir`,
    { cause: error },
  );
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AlreadyExists) return "there is a file of that name";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is a file";
  return error instanceof Error ? error.message : String(error);
}
