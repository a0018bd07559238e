/** Prepared statements for rows of any table, generated from their descriptions, made once each. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Write } from "../store.ts";
import {
  type AnyRow,
  changeOnConflict,
  columnType,
  cutColumn,
  inKeyOrder,
  leadingKeyLength,
  removalColumns,
} from "../key_rules.ts";
import { accountTables, type Table, tables } from "../tables.ts";
import { fromSql } from "../values.ts";
import { type SqliteValue, toSqlite } from "./values.ts";

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
  readonly #cuts = new Map<number, WriteStatement>();
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
    const columns = removalColumns(this.#name, this.#table, key);
    let remove = this.#removes.get(columns.length);
    if (remove === undefined) {
      const statement = this.#db.prepare(
        `delete from ${this.#name} where ${columns.map((c) => `${c} = ?`).join(" and ")}`,
      );
      remove = { statement, columns };
      this.#removes.set(columns.length, remove);
    }
    this.#run(remove, key);
  }

  /** Removes a stretch of rows. */
  cut(key: AnyRow, from: number, to: number): void {
    const columns = removalColumns(this.#name, this.#table, key);
    let cut = this.#cuts.get(columns.length);
    if (cut === undefined) {
      const column = cutColumn(this.#name, this.#table, key);
      const leading = columns.map((c) => `${c} = ?`).join(" and ");
      const statement = this.#db.prepare(
        `delete from ${this.#name} where ${leading} and ${column} >= ? and ${column} < ?`,
      );
      cut = { statement, columns };
      this.#cuts.set(columns.length, cut);
    }
    const leading = cut.columns.map((c) => toSqlite(c, this.#typeOf(c), key[c]));
    cut.statement.run(...leading, from, to);
  }

  /** Rows by a leading part of the key, in key order. */
  load(key: AnyRow): Record<string, unknown>[] {
    leadingKeyLength(this.#name, this.#table, key);
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
    return inKeyOrder(this.#table, this.rows(select.statement, parameters));
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
        row[column] = fromSql(types[column]!, values[i]!);
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
    // Not "insert or replace": that deletes the old row first, and with it what refers to it.
    const statement = this.#db.prepare(
      `insert into ${this.#name} (${columns.join(", ")}) ` +
        `values (${columns.map(() => "?").join(", ")}) ` +
        `on conflict (${key.join(", ")}) do ${changeOnConflict(this.#table)}`,
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

  #run(write: WriteStatement, row: AnyRow): void {
    const values: SqliteValue[] = [];
    for (const column of write.columns) {
      values.push(toSqlite(column, this.#typeOf(column), row[column]));
    }
    write.statement.run(...values);
  }

  #typeOf(column: string): Table["columns"][string] {
    return columnType(this.#name, this.#table, column);
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
    else if (write.op === "remove") table.remove(write.key);
    else table.cut(write.key, write.from, write.to);
  }
}
