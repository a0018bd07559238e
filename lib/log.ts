/** What the program says about its work, to people or to machines. */
import { getLogger, type Logger } from "@logtape/logtape";

/** Values that belong to a message; `{name}` in its text stands for one of them. */
export type LogProperties = Readonly<Record<string, unknown>>;

/** Where one server, or a part of it, writes its messages. Secrets in properties are masked. */
export interface Log {
  /** Whether anybody reads what {@link Log.debug} says: what costs to find out may be left. */
  readonly tellsDebug: boolean;
  debug(message: string, properties?: LogProperties): void;
  info(message: string, properties?: LogProperties): void;
  warn(message: string, properties?: LogProperties): void;
  error(message: string, properties?: LogProperties): void;
  /** A log that adds these properties to every message. */
  with(properties: LogProperties): Log;
}

/** Of all messages, in the logging of the process. */
export const logCategory = "parley";
const mask = "[secret]";
const secretName = /token|secret|password|authorization|cookie/i;
const secretInText =
  /((?:\\?"token\\?"\s*:\s*\\?")|(?:Bearer )|(?:ADMIN_TOKEN:)|(?:\btoken ))[A-Za-z0-9_\-=.~+/]{8,}/g;

/**
 * A copy of a value in which nothing secret is left: properties whose name says so, access tokens
 * and bearers inside of texts. Errors become their message (and stack, which is cut of secrets too).
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.replace(secretInText, `$1${mask}`);
  if (value instanceof Error) return redact(value.stack ?? `${value.name}: ${value.message}`);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  // Messages of clients are no business of the log's; what is deeper than this is one of them.
  if (depth >= 4) return "…";
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return redact(value.toJSON(), depth + 1);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      secretName.test(name) && (typeof item === "string" || typeof item === "object") &&
        item !== null
        ? mask
        : redact(item, depth + 1),
    ]),
  );
}

class LogtapeLog implements Log {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get tellsDebug(): boolean {
    return this.#logger.isEnabledFor("debug");
  }

  // Redacted lazily: a message below the level costs a comparison.
  debug(message: string, properties: LogProperties = {}): void {
    this.#logger.debug(message, () => clean(properties));
  }

  info(message: string, properties: LogProperties = {}): void {
    this.#logger.info(message, () => clean(properties));
  }

  warn(message: string, properties: LogProperties = {}): void {
    this.#logger.warn(message, () => clean(properties));
  }

  error(message: string, properties: LogProperties = {}): void {
    this.#logger.error(message, () => clean(properties));
  }

  with(properties: LogProperties): Log {
    return new LogtapeLog(this.#logger.with(clean(properties)));
  }
}

function clean(properties: LogProperties): Record<string, unknown> {
  return redact(properties) as Record<string, unknown>;
}

/** A log for one server; it says nothing until the program has configured its logging. */
export function createLog(properties: LogProperties = {}): Log {
  return new LogtapeLog(getLogger(logCategory)).with(properties);
}
