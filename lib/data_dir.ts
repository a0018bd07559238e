/** The folder that a server keeps everything in, and the lock that makes it that server's alone. */

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
  const file = await openLock(path);
  const end = performance.now() + (options.patience ?? 500);
  while (!await file.tryLock(true)) {
    if (performance.now() >= end) {
      file.close();
      throw new DataDirError(
        `Cannot use the data folder ${path}: another Parley is running on it; ` +
          `stop that one, or choose another folder with --data-dir`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  let held = true;
  return {
    path,
    release() {
      if (!held) return;
      held = false;
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

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(`${path}/${lockFile}`, {
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
