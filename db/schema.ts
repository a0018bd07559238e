/** The tables as kysely sees them: every value as the driver gives and takes it. */
import type { Generated } from "kysely";
import type { accountTables, ColumnType, tables } from "./tables.ts";

/** A value as a database driver takes and returns it, before it becomes a value of a row. */
export type SqlValue = null | boolean | number | bigint | string | Uint8Array;

type SqlRow<Columns extends Readonly<Record<string, ColumnType>>> = {
  [C in keyof Columns]: SqlValue;
};

type WithGeneratedId<Row> = { [C in keyof Row]: C extends "id" ? Generated<SqlValue> : Row[C] };

/** Type parameter of `Kysely`: journal tables, account tables. */
export type Schema =
  & { [T in keyof typeof tables]: SqlRow<(typeof tables)[T]["columns"]> }
  & {
    [T in keyof typeof accountTables]: WithGeneratedId<
      SqlRow<(typeof accountTables)[T]["columns"]>
    >;
  };
