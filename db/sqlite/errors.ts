/** Which errors of SQLite concern one write, and which mean that the database takes none. */
import { StoreUnavailableError } from "../store.ts";

/**
 * Primary result codes that blame the statement or its values: SQLITE_ERROR, TOOBIG, CONSTRAINT,
 * MISMATCH, RANGE. Every other code (BUSY, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
 * …) says something about the database as a whole.
 */
const codesOfOneWrite: ReadonlySet<number> = new Set([1, 18, 19, 20, 25]);

/** True if the database as a whole is out of order, false if only the statement at hand is. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true;
  if (!(error instanceof Error) || !("code" in error)) return false;
  if (error.code === "ERR_INVALID_STATE") return true;
  if (error.code !== "ERR_SQLITE_ERROR") return false;
  // Errors of opening and of exec() carry no number; those statements hold nobody's values.
  if (!("errcode" in error) || typeof error.errcode !== "number") return true;
  return !codesOfOneWrite.has(error.errcode & 0xff);
}

/** What to say, and what to do about it, when the database at `path` failed to `action`. */
export function unavailable(action: string, path: string, cause: unknown): StoreUnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice = /full/i.test(reason)
    ? "free some space on its disk"
    : /is a directory/i.test(reason)
    ? "give the path of a file"
    : /read-?only|unable to open|denied|not permitted|no such file|cannot find the path/i.test(
        reason,
      )
    ? "check that its folder exists and that this user may write both"
    : /locked|busy/i.test(reason)
    ? "find the other program that keeps it locked"
    : /not a database|malformed/i.test(reason)
    ? "restore it from a backup"
    : "check its disk";
  return new StoreUnavailableError(
    `Cannot ${action} the database ${path}: ${reason}; ${advice}`,
    { cause },
  );
}
