/** kysely on PostgreSQL: for migrations, and to build the queries that a session runs. */
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  DummyDriver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import { StoreAwayError } from "../store.ts";
import { translated } from "./errors.ts";
import { createClient, type SessionOptions, timeLimits } from "./session.ts";

/**
 * One connection, whose end ends the transaction on it. The library would make another one without a
 * word, and run the rest of the transaction there without its beginning; its `begin` and `reserve`
 * know better, but write to the connection that is gone, which nothing can catch.
 */
class Connection implements DatabaseConnection {
  readonly #client: ReturnType<typeof createClient>;
  readonly #name: string;
  readonly #patience: number;
  #lost = false;

  constructor(options: Omit<SessionOptions, "connections" | "lost">) {
    this.#name = options.name;
    this.#patience = (options.limits ?? timeLimits).close;
    this.#client = createClient({
      ...options,
      connections: 1,
      lost: () => {
        this.#lost = true;
      },
    });
  }

  /** @throws {StoreAwayError} when the connection has ended since the transaction was begun. */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#lost) {
      throw new StoreAwayError(
        `Cannot migrate the database ${this.#name}: the connection to it has ended`,
      );
    }
    const rows = await this.#client.unsafe(sql, parameters as never[]).catch((error) => {
      throw translated("migrate", this.#name, error);
    });
    const changes = /^(insert|update|delete|merge)$/i.test(rows.command);
    return { rows: [...rows] as R[], ...(changes && { numAffectedRows: BigInt(rows.count) }) };
  }

  // deno-lint-ignore require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Cannot stream a query: migrations read all rows at once; use execute()");
  }

  /** A connection that is gone has taken its transaction with it. */
  async rollback(): Promise<void> {
    if (!this.#lost) await this.executeQuery(CompiledQuery.raw("rollback"));
  }

  async end(): Promise<void> {
    await this.#client.end({ timeout: this.#lost ? 0 : this.#patience / 1000 });
  }
}

class OneConnection implements Driver {
  readonly #connection: Connection;

  constructor(options: Omit<SessionOptions, "connections" | "lost">) {
    this.#connection = new Connection(options);
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(this.#connection);
  }

  async beginTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw("begin"));
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.rollback();
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    await this.#connection.end();
  }
}

/** A kysely dialect: over a connection of its own, or, without options, to build queries only. */
export class PostgresDialect implements Dialect {
  readonly #options: Omit<SessionOptions, "connections" | "lost"> | undefined;

  constructor(options?: Omit<SessionOptions, "connections" | "lost">) {
    this.#options = options;
  }

  createAdapter(): PostgresAdapter {
    return new PostgresAdapter();
  }

  createDriver(): Driver {
    return this.#options === undefined ? new DummyDriver() : new OneConnection(this.#options);
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }

  createQueryCompiler(): PostgresQueryCompiler {
    return new PostgresQueryCompiler();
  }
}
