/** Which errors of PostgreSQL concern one statement, and which the database as a whole. */
import { StoreAwayError, StoreUnavailableError } from "../store.ts";

/** SQLSTATE classes that blame the statement or its values: data, constraint, syntax, limits. */
const classesOfOneWrite: ReadonlySet<string> = new Set(["0A", "22", "23", "42", "54", "P0"]);

/** Classes that need an operator before it may work again: who may connect, and to what. */
const classesOfNoReturn: ReadonlySet<string> = new Set(["28", "3D", "XX", "58", "F0"]);

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Where a name has several addresses, none of which answers.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** True if the statement at hand is to blame, false if the database is. */
export function blamesTheStatement(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return false;
  const code = codeOf(error);
  if (code === undefined) return true;
  return isSqlState(error) && classesOfOneWrite.has(code.slice(0, 2));
}

function isSqlState(error: unknown): boolean {
  return error instanceof Error && error.name === "PostgresError";
}

/** The error to throw for `cause`, which came up while the database `name` was to `action`. */
export function translated(action: string, name: string, cause: unknown): unknown {
  if (blamesTheStatement(cause) || cause instanceof StoreUnavailableError) return cause;
  const code = codeOf(cause)!;
  const reason = cause instanceof Error && cause.message !== "" ? cause.message : code;
  const text = `Cannot ${action} the database ${name}: ${reason}`;
  if (isSqlState(cause) && classesOfNoReturn.has(code.slice(0, 2))) {
    const advice = code.startsWith("28")
      ? "check user and password in DATABASE_URL"
      : code.startsWith("3D")
      ? "create it, or correct DATABASE_URL"
      : "see PostgreSQL's log";
    return new StoreUnavailableError(`${text}; ${advice}`, { cause });
  }
  return new StoreAwayError(`${text}; check that PostgreSQL runs and can be reached`, { cause });
}
