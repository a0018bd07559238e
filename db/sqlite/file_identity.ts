/** Whether the file at a database's path is still the one that was opened. */
import { StoreUnavailableError } from "../store.ts";

/**
 * SQLite goes on in a file that was removed or replaced, and what it writes there is gone with the
 * process, so that somebody has to be told while the process lives.
 */
export class FileIdentity {
  readonly #path: string;
  readonly #opened: string | undefined;

  /** @param path of a database that is open, or `:memory:` */
  constructor(path: string) {
    this.#path = path;
    this.#opened = identityOf(path);
  }

  /** @throws {StoreUnavailableError} another file is there, or none */
  requireSame(): void {
    if (this.#opened === undefined || identityOf(this.#path) === this.#opened) return;
    throw new StoreUnavailableError(
      `Cannot find the database ${this.#path} any more: the file was moved, removed or replaced ` +
        "under the server; move it back before the server ends, or all since then is lost",
    );
  }
}

/** Undefined where there is no file, or the system has no such numbers. */
function identityOf(path: string): string | undefined {
  if (path === ":memory:") return undefined;
  try {
    const { dev, ino } = Deno.statSync(path);
    return ino === null ? undefined : `${dev}:${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
