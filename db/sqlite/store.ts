/** The store on SQLite, in this thread: writes are answered when they are on the disk. */
import { type CompiledQuery, Kysely } from "kysely";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { AccountRows } from "../account_rows.ts";
import type * as queries from "../queries.ts";
import { accessTokenOf, type SqlRow, userOf } from "../read_rows.ts";
import { Refusals } from "../refusal.ts";
import type { Schema } from "../schema.ts";
import {
  type AccessToken,
  type RefusedGroup,
  type Store,
  StoreUnavailableError,
  type User,
  type WriteGroup,
} from "../store.ts";
import { type AccountRowOf, type RowOf, type TableName, tables } from "../tables.ts";
import { bindable, NodeSqliteDialect } from "./dialect.ts";
import { isUnavailable, unavailable } from "./errors.ts";
import { FileIdentity } from "./file_identity.ts";
import { RowStatements } from "./row_statements.ts";

interface TransactionStatements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly savepoint: StatementSync;
  readonly release: StatementSync;
  readonly rollbackTo: StatementSync;
}

/** A {@link Store} over an open, migrated SQLite database, which it closes with itself. */
export class SqliteStore extends AccountRows implements Store {
  readonly dialect = "sqlite";
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #rows: RowStatements;
  readonly #transaction: TransactionStatements;
  readonly #contactsOf: StatementSync;
  readonly #ping: StatementSync;
  readonly #file: FileIdentity;
  #open = true;

  constructor(db: DatabaseSync, path: string, clock: Clock) {
    super(new Kysely<Schema>({ dialect: new NodeSqliteDialect(db) }), clock);
    this.#db = db;
    this.#path = path;
    this.#file = new FileIdentity(path);
    this.#rows = new RowStatements(db);
    // Prepared rather than exec(): only their errors carry SQLite's number.
    this.#transaction = {
      begin: db.prepare("begin immediate"),
      commit: db.prepare("commit"),
      savepoint: db.prepare("savepoint actor"),
      release: db.prepare("release actor"),
      rollbackTo: db.prepare("rollback to actor"),
    };
    // Two halves, so that each goes by its own index.
    this.#contactsOf = this.#rows.of("contacts").prepareSelect(
      "where user_id_a = ?1 union all " +
        `select ${Object.keys(tables.contacts.columns).join(", ")} from contacts ` +
        "where user_id_b = ?1",
    );
    this.#ping = db.prepare("select count(*) from (select 1 from users limit 1)");
  }

  commit(groups: readonly WriteGroup[]): readonly RefusedGroup[] {
    if (groups.length === 0) return [];
    const refusals = new Refusals(groups);
    this.#inTransaction("write to", () => {
      const { savepoint, release, rollbackTo } = this.#transaction;
      groups.forEach((group, index) => {
        if (refusals.falls(index)) return;
        savepoint.run();
        try {
          for (const write of group.writes) this.#rows.write(write);
        } catch (error) {
          if (isUnavailable(error)) throw error;
          rollbackTo.run();
          refusals.refuse(index, error);
        }
        release.run();
      });
    });
    return refusals.all;
  }

  // deno-lint-ignore require-await -- a throw has to become a rejection
  async load<T extends TableName>(table: T, key: Partial<RowOf<T>> = {}): Promise<RowOf<T>[]> {
    return this.#read(() => this.#rows.of(table).load(key) as RowOf<T>[]);
  }

  // deno-lint-ignore require-await
  async loadWhere<T extends TableName>(table: T, where: Partial<RowOf<T>>): Promise<RowOf<T>[]> {
    return this.#read(() => this.#rows.of(table).loadWhere(where) as RowOf<T>[]);
  }

  // deno-lint-ignore require-await
  async ping(): Promise<void> {
    this.#read(() => this.#ping.get());
    this.#file.requireSame();
  }

  // deno-lint-ignore require-await
  async users(ids: readonly number[]): Promise<User[]> {
    // Clients may ask for any number of 64 bits; SQLite takes no larger ones than these.
    const sorted = [...new Set(ids)].filter(Number.isSafeInteger).sort((a, b) => a - b);
    const users = this.#rows.of("users");
    return this.#read(() => sorted.flatMap((id) => users.load({ id })))
      .map((row) => userOf(row as AccountRowOf<"users">));
  }

  // deno-lint-ignore require-await
  async accessToken(id: number): Promise<AccessToken | undefined> {
    const [row] = this.#read(() => this.#rows.of("access_tokens").load({ id }));
    return row === undefined ? undefined : accessTokenOf(row as AccountRowOf<"access_tokens">);
  }

  // deno-lint-ignore require-await
  async contactsOf(userId: number): Promise<RowOf<"contacts">[]> {
    return this.#read(() =>
      this.#rows.of("contacts").rows(this.#contactsOf, [userId]) as RowOf<"contacts">[]
    );
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    await this.writeTokenUses();
    if (!this.#open) return;
    this.#open = false;
    this.#db.close();
  }

  /** Runs `body` in one transaction of which nothing is left if anything throws. */
  #inTransaction(action: string, body: () => void): void {
    this.#requireOpen(action);
    try {
      this.#transaction.begin.run();
      body();
      this.#transaction.commit.run();
    } catch (error) {
      // SQLite ends the transaction by itself after some errors, a full disk among them.
      if (this.#db.isTransaction) this.#db.exec("rollback");
      throw isUnavailable(error) ? unavailable(action, this.#path, error) : error;
    }
  }

  #read<R>(body: () => R): R {
    this.#requireOpen("read from");
    try {
      return body();
    } catch (error) {
      throw isUnavailable(error) ? unavailable("read from", this.#path, error) : error;
    }
  }

  // Not kysely's execute(): of those who wait for its one connection all wake whenever one is done.
  // deno-lint-ignore require-await -- a throw has to become a rejection
  protected async ask(query: queries.Rows): Promise<SqlRow[]> {
    this.#requireOpen("query");
    try {
      return this.#run(query.compile());
    } catch (error) {
      throw isUnavailable(error) ? unavailable("query", this.#path, error) : error;
    }
  }

  #run({ sql, parameters }: CompiledQuery): SqlRow[] {
    const statement = this.#db.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...parameters.map(bindable)) as SqlRow[];
  }

  /**
   * Several queries in one transaction. Never with an await inside: the journal commits through the
   * same connection.
   */
  // deno-lint-ignore require-await
  protected async askTogether(...several: readonly queries.Rows[]): Promise<SqlRow[][]> {
    const compiled = several.map((query) => query.compile());
    const answers: SqlRow[][] = [];
    this.#inTransaction("write to", () => {
      for (const query of compiled) answers.push(this.#run(query));
    });
    return answers;
  }

  #requireOpen(action: string): void {
    if (this.#open) return;
    throw new StoreUnavailableError(
      `Cannot ${action} the database ${this.#path}: it has been closed; open it again`,
    );
  }
}
