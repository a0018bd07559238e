/** Prepared statements for rows of any table, generated from their descriptions, made once each. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Write } from "../store.ts";
import { accountTables, type Table, tables } from "../tables.ts";
import { fromSqlite, type SqliteValue, toSqlite } from "./values.ts";

/** A row with its values still unread. */
type AnyRow = Readonly<Record<string, unknown>>;

interface WriteStatement {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

class TableStatements {
  readonly #db: DatabaseSync;
  readonly #name: string;
  readonly #table: Table;
  readonly #columns: readonly string[];
  #put: WriteStatement | undefined;
  readonly #removes = new Map<number, WriteStatement>();
  readonly #selects = new Map<string, WriteStatement>();

  constructor(db: DatabaseSync, name: string, table: Table) {
    this.#db = db;
    this.#name = name;
    this.#table = table;
    this.#columns = Object.keys(table.columns);
  }

  put(row: AnyRow): void {
    this.#put ??= this.#preparePut();
    this.#run(this.#put, row);
  }

  remove(key: AnyRow): void {
    const length = this.#leadingKeyLength(key);
    if (length === 0) {
      throw new TypeError(`Cannot remove every row of "${this.#name}": name the first key column`);
    }
    let remove = this.#removes.get(length);
    if (remove === undefined) {
      const columns = this.#table.key.slice(0, length);
      const statement = this.#db.prepare(
        `delete from ${this.#name} where ${columns.map((c) => `${c} = ?`).join(" and ")}`,
      );
      remove = { statement, columns };
      this.#removes.set(length, remove);
    }
    this.#run(remove, key);
  }

  /** Rows by a leading part of the key, in key order. */
  load(key: AnyRow): Record<string, unknown>[] {
    this.#leadingKeyLength(key);
    return this.loadWhere(key);
  }

  /** Rows by any columns, in key order. */
  loadWhere(where: AnyRow): Record<string, unknown>[] {
    const given = Object.keys(where).filter((column) => where[column] !== undefined);
    const signature = given.map((c) => (where[c] === null ? `${c} null` : c)).join();
    let select = this.#selects.get(signature);
    if (select === undefined) {
      select = this.#prepareSelect(given, where);
      this.#selects.set(signature, select);
    }
    const parameters = select.columns.map((c) => toSqlite(c, this.#typeOf(c), where[c]));
    return this.#sorted(this.rows(select.statement, parameters));
  }

  /** Runs a select of this table's columns, in their order, and reads its rows. */
  rows(statement: StatementSync, parameters: readonly SqliteValue[]): Record<string, unknown>[] {
    const columns = this.#columns;
    const types = this.#table.columns;
    const found = statement.all(...parameters) as unknown as SqliteValue[][];
    return found.map((values) => {
      const row: Record<string, unknown> = {};
      for (let i = 0; i < columns.length; i++) {
        const column = columns[i]!;
        row[column] = fromSqlite(types[column]!, values[i]!);
      }
      return row;
    });
  }

  /** A select whose rows {@link rows} can read; `rest` follows the table's name. */
  prepareSelect(rest: string): StatementSync {
    const statement = this.#db.prepare(
      `select ${this.#columns.join(", ")} from ${this.#name} ${rest}`,
    );
    statement.setReadBigInts(true);
    // Deno has this method of Node's; its types do not yet.
    (statement as StatementSync & { setReturnArrays(on: boolean): void }).setReturnArrays(true);
    return statement;
  }

  #preparePut(): WriteStatement {
    const { key } = this.#table;
    const columns = this.#columns;
    const others = columns.filter((column) => !key.includes(column));
    // Not "insert or replace": that deletes the old row first, and with it what refers to it.
    const change = others.length === 0
      ? "nothing"
      : `update set ${others.map((c) => `${c} = excluded.${c}`).join(", ")}`;
    const statement = this.#db.prepare(
      `insert into ${this.#name} (${columns.join(", ")}) ` +
        `values (${columns.map(() => "?").join(", ")}) ` +
        `on conflict (${key.join(", ")}) do ${change}`,
    );
    return { statement, columns };
  }

  #prepareSelect(given: readonly string[], where: AnyRow): WriteStatement {
    for (const column of given) this.#typeOf(column);
    const conditions = given.map((c) => (where[c] === null ? `${c} is null` : `${c} = ?`));
    const filter = conditions.length === 0 ? "" : `where ${conditions.join(" and ")} `;
    return {
      statement: this.prepareSelect(`${filter}order by ${this.#table.key.join(", ")}`),
      columns: given.filter((column) => where[column] !== null),
    };
  }

  /** SQLite orders the bits of a u64 as a signed number; rows beyond 2^63 have to go last. */
  #sorted(rows: Record<string, unknown>[]): Record<string, unknown>[] {
    const { key } = this.#table;
    const wide = key.filter((column) => this.#typeOf(column) === "u64");
    const beyond = 1n << 63n;
    if (!rows.some((row) => wide.some((column) => (row[column] as bigint) >= beyond))) return rows;
    return rows.sort((a, b) => {
      for (const column of key) {
        const [x, y] = [a[column] as bigint, b[column] as bigint];
        if (x !== y) return x < y ? -1 : 1;
      }
      return 0;
    });
  }

  #run(write: WriteStatement, row: AnyRow): void {
    const values: SqliteValue[] = [];
    for (const column of write.columns) {
      values.push(toSqlite(column, this.#typeOf(column), row[column]));
    }
    write.statement.run(...values);
  }

  #typeOf(column: string): Table["columns"][string] {
    const type = this.#table.columns[column];
    if (type === undefined) {
      throw new TypeError(`Cannot use column "${column}": table "${this.#name}" has none`);
    }
    return type;
  }

  #leadingKeyLength(key: AnyRow): number {
    const given = Object.keys(key).filter((column) => key[column] !== undefined);
    const { key: columns } = this.#table;
    for (const column of given) {
      if (columns.indexOf(column) >= given.length || !columns.includes(column)) {
        throw new TypeError(
          `Cannot use (${given.join(", ")}) as a key of "${this.#name}": ` +
            `not a leading part of (${columns.join(", ")})`,
        );
      }
    }
    return given.length;
  }
}

/** The statements of all tables over one open database. */
export class RowStatements {
  readonly #tables: ReadonlyMap<string, TableStatements>;

  constructor(db: DatabaseSync) {
    this.#tables = new Map(
      Object.entries({ ...tables, ...accountTables }).map(
        ([name, table]) => [name, new TableStatements(db, name, table)],
      ),
    );
  }

  /** The statements of one table. @throws {TypeError} when there is no such table. */
  of(name: string): TableStatements {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`Cannot use table "${name}": there is none`);
    return table;
  }

  /** Carries out one write of the journal. */
  write(write: Write): void {
    const table = this.of(write.table);
    if (write.op === "put") table.put(write.row);
    else table.remove(write.key);
  }
}
