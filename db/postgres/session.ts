/** Connections to PostgreSQL that are made anew when they are lost. */
import { Buffer } from "node:buffer";
import postgres from "postgres";
import { encodeText } from "../values.ts";
import type { SqlRow } from "../read_rows.ts";
import { StoreAwayError, StoreUnavailableError } from "../store.ts";
import { translated } from "./errors.ts";

/** Where the database is, and how long things may take. */
export interface SessionOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** What to call the database in messages: no password in it. */
  readonly name: string;
  /** Connections at most. */
  readonly connections: number;
  /** A connection has ended, whyever. */
  readonly lost?: () => void;
  readonly limits?: TimeLimits;
}

/** Milliseconds. */
export interface TimeLimits {
  /** Until a connection is there. */
  readonly connect: number;
  /** Until the server gives a statement up. */
  readonly statement: number;
  /** Until the server gives up to wait for somebody's lock. */
  readonly lock: number;
  /** Until an answer is not waited for any longer: the network has gone without a word. */
  readonly answer: number;
  /** Until a connection that is closed is cut off: its other side may have gone without a word. */
  readonly close: number;
}

export const timeLimits: TimeLimits = {
  connect: 5_000,
  statement: 15_000,
  lock: 5_000,
  answer: 20_000,
  close: 5_000,
};

type Client = ReturnType<typeof createClient>;

/**
 * How soon PostgreSQL notices that nobody is there any more, in seconds and milliseconds. Until then it
 * keeps the lock of a machine that went without a word, and by its system's own settings that is hours.
 */
const keepAlive = {
  tcp_keepalives_idle: 10,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 25_000,
};

/** A client of the library; Parley's own statements go through {@link Session}. */
export function createClient(
  { url, connections, lost, limits = timeLimits }: SessionOptions,
  more: Readonly<Record<string, string | number>> = {},
) {
  return postgres(url, {
    max: connections,
    fetch_types: false,
    connect_timeout: limits.connect / 1000,
    // Whoever asks again waits by himself; a connection that works is kept.
    backoff: () => 0,
    max_lifetime: null,
    onnotice: () => {},
    ...(lost !== undefined && { onclose: lost }),
    types: {
      bigint: postgres.BigInt,
      bytea: {
        to: 17,
        from: [17],
        serialize: (value: Uint8Array) => `\\x${Buffer.from(value).toString("hex")}`,
        parse: (text: string) => new Uint8Array(Buffer.from(text.slice(2), "hex")),
      },
    },
    connection: {
      application_name: "parley",
      standard_conforming_strings: "on",
      idle_in_transaction_session_timeout: limits.statement,
      ...keepAlive,
      ...more,
    },
  });
}

/**
 * Runs one statement, or several in one message, at a time.
 *
 * Never `begin` or `reserve` of the library: when the connection ends meanwhile they write to it once
 * more, which nothing can catch. Several statements in one message are one transaction all the same.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #limits: TimeLimits;
  #client: Client | undefined;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#limits = options.limits ?? timeLimits;
  }

  /** Rows of one prepared statement. */
  async rows(action: string, text: string, parameters: readonly unknown[]): Promise<SqlRow[]> {
    const encoded = parameters.map((value) =>
      typeof value === "string" ? encodeText(value) : value
    );
    return await this.#ask(
      action,
      (client) => client.unsafe(text, encoded as never[], { prepare: true }),
    ) as SqlRow[];
  }

  /** Runs several statements as one transaction; the rows of each that has any. */
  async together(action: string, statements: readonly string[]): Promise<SqlRow[][]> {
    const answer = await this.#ask(
      action,
      (client) => client.unsafe(statements.join(";\n")).simple(),
    );
    return (statements.length === 1 ? [answer] : answer) as SqlRow[][];
  }

  /** Ends the connections; what is asked afterwards is refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#client?.end({ timeout: this.#limits.close / 1000 });
  }

  async #ask(action: string, query: (client: Client) => PromiseLike<unknown>): Promise<unknown> {
    const { name } = this.#options;
    if (this.#closed) {
      throw new StoreUnavailableError(
        `Cannot ${action} the database ${name}: it has been closed; open it again`,
      );
    }
    const client = this.#client ??= this.#connect();
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#abandon(client);
      silence.reject(
        new StoreAwayError(
          `Cannot ${action} the database ${name}: no answer within ` +
            `${this.#limits.answer / 1000} s; check the network between`,
        ),
      );
    }, this.#limits.answer);
    try {
      return await Promise.race([query(client), silence.promise]);
    } catch (error) {
      throw translated(action, name, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #connect(): Client {
    const { statement, lock } = this.#limits;
    const client: Client = createClient({
      ...this.#options,
      lost: () => {
        if (this.#client === client) this.#options.lost?.();
      },
    }, { statement_timeout: statement, lock_timeout: lock });
    return client;
  }

  #abandon(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#options.lost?.();
    client.end({ timeout: 0 }).catch(() => {});
  }
}
