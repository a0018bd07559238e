/** Which errors of PostgreSQL concern one statement, and which the database as a whole. */
import { StoreAwayError, StoreUnavailableError } from "../store.ts";

/** SQLSTATE classes that blame the statement or its values: data, constraint, syntax, limits. */
const classesOfOneWrite: ReadonlySet<string> = new Set(["0A", "22", "23", "42", "54", "P0"]);

/** Classes that need an operator before it may work again: who may connect, and to what. */
const classesOfNoReturn: ReadonlySet<string> = new Set(["28", "3D", "XX", "58", "F0"]);

/** `insufficient_privilege`: of the class of syntax errors, but the statement is not to blame. */
const noRight = "42501";

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
  return isSqlState(error) && code !== noRight && classesOfOneWrite.has(code.slice(0, 2));
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
  if (!isSqlState(cause)) {
    return new StoreAwayError(`${text}; ${adviceOnTheWay(code, reason)}`, { cause });
  }
  const advice = adviceFor(code);
  if (advice !== undefined) return new StoreUnavailableError(`${text}; ${advice}`, { cause });
  return new StoreAwayError(`${text}; check that PostgreSQL runs and can be reached`, { cause });
}

/** What its operator has to do, where nothing changes by itself. */
function adviceFor(code: string): string | undefined {
  if (code === noRight) {
    return "make the user of DATABASE_URL the owner of the database, and of all tables in it";
  }
  const kind = code.slice(0, 2);
  if (!classesOfNoReturn.has(kind)) return undefined;
  if (kind === "28") return "check user and password in DATABASE_URL";
  if (kind === "3D") return "create it, or correct DATABASE_URL";
  return "see PostgreSQL's log";
}

function adviceOnTheWay(code: string, reason: string): string {
  if (/secure TLS connection/.test(reason)) {
    return "turn TLS on in PostgreSQL (ssl = on), or take sslmode out of DATABASE_URL";
  }
  if (/certificate|CERT/.test(`${code} ${reason}`)) {
    return "name the authority of PostgreSQL's certificate in DENO_CERT, or check its name and time";
  }
  return "check that PostgreSQL runs and can be reached";
}
