/** What the two databases call the same thing. */
import { type ColumnDefinitionBuilder, type CreateTableBuilder, sql } from "kysely";

export type Dialect = "sqlite" | "postgres";

/** Column types and table endings for the migrations of one database. */
export interface DialectTypes {
  readonly int: "bigint";
  /** The bits of an unsigned number in a signed column. */
  readonly u64: "bigint";
  readonly bool: "boolean";
  readonly bytes: "blob" | "bytea";
  /** A primary key that the database counts up and never gives out twice. */
  readonly generatedId: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** For tables whose rows are always reached by their own primary key. */
  readonly endOfTable: <T extends string, C extends string>(
    table: CreateTableBuilder<T, C>,
  ) => CreateTableBuilder<T, C>;
}

/** The types of one database. */
export function types(dialect: Dialect): DialectTypes {
  const sqlite = dialect === "sqlite";
  return {
    int: "bigint",
    u64: "bigint",
    bool: "boolean",
    bytes: sqlite ? "blob" : "bytea",
    generatedId: (column) =>
      sqlite
        ? column.primaryKey().autoIncrement()
        : column.primaryKey().generatedAlwaysAsIdentity(),
    // Rows lie in the order of their key: a project's entries are read and removed as one stretch.
    endOfTable: (table) => (sqlite ? table.modifyEnd(sql`without rowid`) : table),
  };
}
