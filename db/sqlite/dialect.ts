/** kysely on `node:sqlite`: migrations and the queries that are not worth a prepared statement. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { DatabaseSync } from "node:sqlite";
import { encodeText } from "../values.ts";
import type { SqliteValue } from "./values.ts";

class TransactionalAdapter extends SqliteAdapter {
  // kysely says no for SQLite; it can, and a migration that dies half-way must leave nothing behind.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class Connection implements DatabaseConnection {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  // deno-lint-ignore require-await -- kysely awaits what node:sqlite answers at once
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#db.prepare(query.sql);
    statement.setReadBigInts(true);
    // Spread, because an array as first argument would be read as named parameters.
    const parameters = query.parameters.map(bindable);
    if (statement.columns().length > 0) {
      return { rows: statement.all(...parameters) as R[] };
    }
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return {
      rows: [],
      numAffectedRows: BigInt(changes),
      insertId: BigInt(lastInsertRowid),
    };
  }

  // deno-lint-ignore require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Cannot stream a query: SQLite answers all rows at once; use execute()");
  }
}

/** A parameter of a compiled query as `node:sqlite` takes it. */
export function bindable(parameter: unknown): SqliteValue {
  if (typeof parameter === "boolean") return Number(parameter);
  return typeof parameter === "string" ? encodeText(parameter) : parameter as SqliteValue;
}

class NodeSqliteDriver implements Driver {
  readonly #db: DatabaseSync;
  readonly #connection: Connection;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#connection = new Connection(db);
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(this.#connection);
  }

  beginTransaction(): Promise<void> {
    // Immediate: two programs that both start a migration take turns instead of failing.
    return this.#exec("begin immediate");
  }

  commitTransaction(): Promise<void> {
    return this.#exec("commit");
  }

  rollbackTransaction(): Promise<void> {
    return this.#exec("rollback");
  }

  async releaseConnection(): Promise<void> {}

  /** The database belongs to who opened it. */
  async destroy(): Promise<void> {}

  // deno-lint-ignore require-await -- a throw has to become a rejection
  async #exec(sql: string): Promise<void> {
    this.#db.exec(sql);
  }
}

/** A kysely dialect over a database that is open already, and that it leaves open. */
export class NodeSqliteDialect implements Dialect {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }

  createDriver(): Driver {
    return new NodeSqliteDriver(this.#db);
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }
}
