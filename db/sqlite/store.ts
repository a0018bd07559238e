/** The store on SQLite, in this thread: writes are answered when they are on the disk. */
import { type CompiledQuery, Kysely } from "kysely";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { rankLogins } from "../fuzzy.ts";
import { maxLoginLength } from "../login.ts";
import * as queries from "../queries.ts";
import type { Schema } from "../schema.ts";
import { SignInRows } from "../sign_in_rows.ts";
import type { SignInStore } from "../sign_in_store.ts";
import { TokenUses } from "../token_uses.ts";
import {
  type AccessToken,
  LoginTakenError,
  type RefusedGroup,
  type Store,
  StoreUnavailableError,
  type User,
  type UserChange,
  type WriteGroup,
} from "../store.ts";
import {
  type AccountRowOf,
  type AccountTableName,
  accountTables,
  type RowOf,
  type TableName,
  tables,
} from "../tables.ts";
import { bindable, NodeSqliteDialect } from "./dialect.ts";
import { isUnavailable, unavailable } from "./errors.ts";
import { accessTokenOf, notificationOf, readRow, type SqlRow, userOf } from "./read_rows.ts";
import { RowStatements } from "./row_statements.ts";

/** Longest text that is searched for: no login needs more, and the work grows with it. */
const maxQueryLength = 8 * maxLoginLength;

interface TransactionStatements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly savepoint: StatementSync;
  readonly release: StatementSync;
  readonly rollbackTo: StatementSync;
}

/** A {@link Store} over an open, migrated SQLite database, which it closes with itself. */
export class SqliteStore implements Store {
  readonly dialect = "sqlite";
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #kysely: Kysely<Schema>;
  readonly #rows: RowStatements;
  readonly #transaction: TransactionStatements;
  readonly #contactsOf: StatementSync;
  readonly #ping: StatementSync;
  readonly #tokenUses = new TokenUses();
  readonly signIn: SignInStore;
  #open = true;

  constructor(db: DatabaseSync, path: string, clock: Clock) {
    this.#db = db;
    this.#path = path;
    this.#clock = clock;
    this.#kysely = new Kysely<Schema>({ dialect: new NodeSqliteDialect(db) });
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
    this.signIn = new SignInRows({
      kysely: this.#kysely,
      now: () => clock.now(),
      ask: (table, query) => this.#accountRows(table, query),
      run: async (...queries) => void await this.#askTogether(...queries),
    });
    this.#ping = db.prepare("select count(*) from (select 1 from users limit 1)");
  }

  commit(groups: readonly WriteGroup[]): readonly RefusedGroup[] {
    if (groups.length === 0) return [];
    const refused: RefusedGroup[] = [];
    const failed = new Map<string, Error>();
    this.#inTransaction("write to", () => {
      const { savepoint, release, rollbackTo } = this.#transaction;
      groups.forEach((group, index) => {
        const earlier = failed.get(group.actor);
        if (earlier !== undefined) {
          refused.push({ index, error: earlier });
          return;
        }
        savepoint.run();
        try {
          for (const write of group.writes) this.#rows.write(write);
        } catch (error) {
          if (isUnavailable(error)) throw error;
          rollbackTo.run();
          const refusedFor = refusal(group, error);
          failed.set(group.actor, refusedFor);
          refused.push({ index, error: refusedFor });
        }
        release.run();
      });
    });
    return refused;
  }

  // deno-lint-ignore require-await -- a throw has to become a rejection
  async load<T extends TableName>(table: T, key: Partial<RowOf<T>> = {}): Promise<RowOf<T>[]> {
    return this.#read(() => this.#rows.of(table).load(key) as RowOf<T>[]);
  }

  // deno-lint-ignore require-await
  async loadWhere<T extends TableName>(table: T, where: Partial<RowOf<T>>): Promise<RowOf<T>[]> {
    return this.#read(() => this.#rows.of(table).loadWhere(where) as RowOf<T>[]);
  }

  async startEpoch(): Promise<number> {
    const [row] = await this.#ask(queries.insertServer(this.#kysely, this.#clock.now()));
    return Number(row!.id);
  }

  // deno-lint-ignore require-await
  async ping(): Promise<void> {
    this.#read(() => this.#ping.get());
  }

  async createUser(
    user: { login: string; admin: boolean; name?: string | null },
  ): Promise<User> {
    const query = queries.insertUser(this.#kysely, {
      login: user.login,
      name: user.name ?? null,
      admin: user.admin,
      metricsId: crypto.randomUUID(),
      createdAt: this.#clock.now(),
    });
    try {
      const [row] = await this.#ask(query);
      return userOf(readRow(accountTables.users.columns, row!));
    } catch (error) {
      if (await this.#isTaken(error, user.login)) throw new LoginTakenError(user.login);
      throw error;
    }
  }

  async user(id: number): Promise<User | undefined> {
    return (await this.users([id]))[0];
  }

  async userByLogin(login: string): Promise<User | undefined> {
    return (await this.#users(queries.userByLogin(this.#kysely, login)))[0];
  }

  // deno-lint-ignore require-await
  async users(ids: readonly number[]): Promise<User[]> {
    // Clients may ask for any number of 64 bits; SQLite takes no larger ones than these.
    const sorted = [...new Set(ids)].filter(Number.isSafeInteger).sort((a, b) => a - b);
    const users = this.#rows.of("users");
    return this.#read(() => sorted.flatMap((id) => users.load({ id })))
      .map((row) => userOf(row as AccountRowOf<"users">));
  }

  async allUsers(): Promise<User[]> {
    return await this.#users(queries.allUsers(this.#kysely));
  }

  async updateUser(id: number, change: UserChange): Promise<User | undefined> {
    if (Object.values(change).every((value) => value === undefined)) return await this.user(id);
    return (await this.#users(queries.updateUser(this.#kysely, id, change)))[0];
  }

  async removeUser(id: number): Promise<boolean> {
    const [, removed] = await this.#askTogether(
      queries.deleteNotificationsAbout(this.#kysely, id),
      queries.deleteUser(this.#kysely, id),
    );
    return removed!.length > 0;
  }

  async setConnectedOnce(id: number): Promise<void> {
    await this.#ask(queries.updateConnectedOnce(this.#kysely, id));
  }

  async searchUsers(query: string, limit: number): Promise<User[]> {
    if (query === "" || query.length > maxQueryLength) return [];
    if (new TextEncoder().encode(query).length < 3) {
      return await this.#users(queries.userByExactLogin(this.#kysely, query));
    }
    const candidates = await this.#ask(queries.loginsLike(this.#kysely, query)) as {
      id: bigint;
      login: string;
    }[];
    const ranked = rankLogins(query, candidates, limit).map((candidate) => Number(candidate.id));
    const found = await this.users(ranked);
    return found.sort((a, b) => ranked.indexOf(a.id) - ranked.indexOf(b.id));
  }

  async createAccessToken(
    token: { userId: number; impersonatorId: number | null; hash: string; label?: string | null },
    keep: number,
  ): Promise<AccessToken> {
    const [rows] = await this.#askTogether(
      queries.insertAccessToken(this.#kysely, {
        ...token,
        label: token.label ?? null,
        createdAt: this.#clock.now(),
      }),
      queries.deleteOldAccessTokens(this.#kysely, token.userId, token.impersonatorId, keep),
    );
    return accessTokenOf(readRow(accountTables.access_tokens.columns, rows![0]!));
  }

  // deno-lint-ignore require-await
  async accessToken(id: number): Promise<AccessToken | undefined> {
    const [row] = this.#read(() => this.#rows.of("access_tokens").load({ id }));
    return row === undefined ? undefined : accessTokenOf(row as AccountRowOf<"access_tokens">);
  }

  async accessTokensOf(userId: number): Promise<AccessToken[]> {
    this.#writeTokenUses();
    const query = queries.accessTokensOf(this.#kysely, userId);
    return (await this.#accountRows("access_tokens", query)).map(accessTokenOf);
  }

  noteTokenUse(id: number): void {
    if (this.#tokenUses.note(id, this.#clock.now())) this.#writeTokenUses();
  }

  async removeAccessToken(userId: number, id: number): Promise<boolean> {
    const query = queries.deleteAccessToken(this.#kysely, userId, id);
    return (await this.#ask(query)).length > 0;
  }

  async removeAccessTokens(userId: number): Promise<void> {
    await this.#ask(queries.deleteAccessTokens(this.#kysely, userId));
  }

  // deno-lint-ignore require-await
  async contactsOf(userId: number): Promise<RowOf<"contacts">[]> {
    return this.#read(() =>
      this.#rows.of("contacts").rows(this.#contactsOf, [userId]) as RowOf<"contacts">[]
    );
  }

  async notificationsOf(
    userId: number,
    beforeId: number | null,
    limit: number,
  ): Promise<RowOf<"notifications">[]> {
    const query = queries.notificationsOf(this.#kysely, userId, beforeId, limit);
    return (await this.#ask(query)).reverse().map(notificationOf);
  }

  async unreadNotification(
    userId: number,
    kind: string,
    entityId: number,
  ): Promise<RowOf<"notifications"> | undefined> {
    const [row] = await this.#ask(
      queries.unreadNotification(this.#kysely, userId, kind, entityId),
    );
    return row && notificationOf(row);
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#writeTokenUses();
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
  async #ask(query: queries.Rows): Promise<SqlRow[]> {
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
  async #askTogether(...several: readonly queries.Rows[]): Promise<SqlRow[][]> {
    const compiled = several.map((query) => query.compile());
    const answers: SqlRow[][] = [];
    this.#inTransaction("write to", () => {
      for (const query of compiled) answers.push(this.#run(query));
    });
    return answers;
  }

  async #users(query: queries.Rows): Promise<User[]> {
    return (await this.#accountRows("users", query)).map(userOf);
  }

  async #accountRows<T extends AccountTableName>(
    table: T,
    query: queries.Rows,
  ): Promise<AccountRowOf<T>[]> {
    const { columns } = accountTables[table];
    return (await this.#ask(query)).map((row) => readRow(columns, row));
  }

  /** Nobody waits for it, and a database that takes no writes may still let users in. */
  #writeTokenUses(): void {
    const uses = this.#tokenUses.take();
    if (uses.length === 0) return;
    this.#askTogether(...uses.map((use) => queries.updateTokenUse(this.#kysely, ...use)))
      .catch(() => {});
  }

  async #isTaken(error: unknown, login: string): Promise<boolean> {
    return !(error instanceof StoreUnavailableError) &&
      await this.userByLogin(login) !== undefined;
  }

  #requireOpen(action: string): void {
    if (this.#open) return;
    throw new StoreUnavailableError(
      `Cannot ${action} the database ${this.#path}: it has been closed; open it again`,
    );
  }
}

function refusal(group: WriteGroup, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Cannot store what ${group.actor} wrote: ${reason}; it was rolled back`, {
    cause,
  });
}
