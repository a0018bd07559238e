/** The store on PostgreSQL. */
import { type CompiledQuery, Kysely } from "kysely";
import type { Clock } from "../../lib/clock.ts";
import { AccountRows } from "../account_rows.ts";
import { type AnyRow, columnType, inKeyOrder, leadingKeyLength } from "../key_rules.ts";
import type * as queries from "../queries.ts";
import { accessTokenOf, readRow, type SqlRow, userOf } from "../read_rows.ts";
import { Refusals } from "../refusal.ts";
import type { Schema, SqlValue } from "../schema.ts";
import type { AccessToken, RefusedGroup, Store, User, WriteGroup } from "../store.ts";
import {
  type AccountRowOf,
  type AccountTableName,
  accountTables,
  type RowOf,
  type Table,
  type TableName,
  tables,
} from "../tables.ts";
import { encodeText, toSql } from "../values.ts";
import { PostgresDialect } from "./dialect.ts";
import { blamesTheStatement } from "./errors.ts";
import { arrayText, literal, typeName } from "./literals.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Writer } from "./writer.ts";
import {
  type CheckedGroup,
  checkWrite,
  refusedSetting,
  savepointStatement,
  statementsOf,
} from "./writes.ts";

/** A {@link Store} over a migrated PostgreSQL database. */
export class PostgresStore extends AccountRows implements Store {
  readonly dialect = "postgres";
  readonly #pool: Session;
  readonly #writer: Writer;

  constructor(options: SessionOptions, writer: Writer, clock: Clock) {
    super(new Kysely<Schema>({ dialect: new PostgresDialect() }), clock);
    this.#pool = new Session(options);
    this.#writer = writer;
  }

  async commit(groups: readonly WriteGroup[]): Promise<readonly RefusedGroup[]> {
    if (groups.length === 0) return [];
    const refusals = new Refusals(groups);
    const checked = check(groups, refusals);
    const statements = statementsOf(checked.flatMap(({ writes }) => writes));
    try {
      if (statements.length > 0) await this.#writer.together("write to", statements);
      else await this.#writer.lock();
    } catch (error) {
      if (!blamesTheStatement(error)) throw error;
      // Somebody's write is bad: once more, each group in a savepoint of its own.
      for (const [index, message] of await this.#commitEach(checked)) {
        if (!refusals.falls(index)) refusals.refuse(index, new Error(message, { cause: error }));
      }
    }
    return refusals.all;
  }

  async load<T extends TableName>(table: T, key: Partial<RowOf<T>> = {}): Promise<RowOf<T>[]> {
    leadingKeyLength(table, tables[table], key);
    return await this.loadWhere(table, key);
  }

  async loadWhere<T extends TableName>(table: T, where: Partial<RowOf<T>>): Promise<RowOf<T>[]> {
    return await this.#load(table, tables[table], where) as RowOf<T>[];
  }

  override async startEpoch(): Promise<number> {
    const epoch = await super.startEpoch();
    this.#writer.epoch = epoch;
    return epoch;
  }

  async ping(): Promise<void> {
    await this.#pool.rows("read from", "select from users limit 1", []);
  }

  async users(ids: readonly number[]): Promise<User[]> {
    const sorted = [...new Set(ids)].filter(Number.isSafeInteger);
    const rows = await this.#loadAccounts("users", "where id = any($1::bigint[]) order by id", [
      arrayText(sorted),
    ]);
    return rows.map(userOf);
  }

  async accessToken(id: number): Promise<AccessToken | undefined> {
    const [row] = await this.#loadAccounts("access_tokens", "where id = $1::bigint", [id]);
    return row && accessTokenOf(row);
  }

  async contactsOf(userId: number): Promise<RowOf<"contacts">[]> {
    const [as, bs] = await Promise.all([
      this.load("contacts", { user_id_a: userId }),
      this.loadWhere("contacts", { user_id_b: userId }),
    ]);
    return [...as, ...bs];
  }

  async close(): Promise<void> {
    await this.writeTokenUses();
    await Promise.all([this.#pool.close(), this.#writer.close()]);
  }

  protected async ask(query: queries.Rows): Promise<SqlRow[]> {
    const { sql, parameters } = query.compile();
    return await this.#pool.rows("query", sql, parameters);
  }

  protected async askTogether(...several: readonly queries.Rows[]): Promise<SqlRow[][]> {
    return await this.#pool.together("write to", several.map((query) => inlined(query.compile())));
  }

  async #commitEach(checked: readonly CheckedGroup[]): Promise<Map<number, string>> {
    const [, rows] = await this.#writer.together("write to", [
      savepointStatement(checked),
      `select current_setting('${refusedSetting}') as refused`,
    ]);
    const refused: Record<string, string> = JSON.parse(String(rows![0]!.refused));
    return new Map(Object.entries(refused).map(([index, message]) => [Number(index), message]));
  }

  async #load(name: string, table: Table, where: AnyRow): Promise<Record<string, unknown>[]> {
    const given = Object.keys(where).filter((column) => where[column] !== undefined);
    const parameters: SqlValue[] = [];
    const conditions = given.map((column) => {
      const type = columnType(name, table, column);
      if (where[column] === null) return `${column} is null`;
      // Texts are encoded with the other parameters.
      const value = type.startsWith("text")
        ? where[column] as string
        : toSql(column, type, where[column]);
      return `${column} = $${parameters.push(value)}::${typeName(type)}`;
    });
    const order = table.key.map((column) =>
      table.columns[column] === "text" ? `${column} collate "C"` : column
    );
    const rows = await this.#pool.rows(
      "read from",
      `select ${Object.keys(table.columns).join(", ")} from ${name} ` +
        (conditions.length === 0 ? "" : `where ${conditions.join(" and ")} `) +
        `order by ${order.join(", ")}`,
      parameters,
    );
    return inKeyOrder(table, rows.map((row) => readRow(table.columns, row)));
  }

  async #loadAccounts<T extends AccountTableName>(
    name: T,
    rest: string,
    parameters: readonly unknown[],
  ): Promise<AccountRowOf<T>[]> {
    const { columns } = accountTables[name];
    const text = `select ${Object.keys(columns).join(", ")} from ${name} ${rest}`;
    const rows = await this.#pool.rows("read from", text, parameters);
    return rows.map((row) => readRow<AccountRowOf<T>>(columns, row));
  }
}

/** Groups that can be sent; the others, and what builds on them, become refused. */
function check(groups: readonly WriteGroup[], refusals: Refusals): CheckedGroup[] {
  const checked: CheckedGroup[] = [];
  groups.forEach(({ actor, writes, buildsOn = [] }, index) => {
    if (refusals.falls(index)) return;
    try {
      checked.push({ index, actor, writes: writes.map(checkWrite), buildsOn });
    } catch (cause) {
      refusals.refuse(index, cause);
    }
  });
  return checked;
}

/** A query with its parameters in their places, to be sent with others in one message. */
function inlined({ sql, parameters }: CompiledQuery): string {
  return sql.replaceAll(/\$(\d+)/g, (_, number) => {
    const value = parameters[Number(number) - 1] as SqlValue;
    return literal(typeof value === "string" ? encodeText(value) : value);
  });
}
