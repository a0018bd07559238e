/** Values of rows as SQLite binds them: it has no booleans. */
import type { ColumnType } from "../tables.ts";
import { toSql } from "../values.ts";

/** What `node:sqlite` binds, and what it returns with `setReadBigInts(true)`. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/**
 * The value to bind for a column.
 *
 * @throws {TypeError} {RangeError} as {@link toSql} does.
 */
export function toSqlite(column: string, type: ColumnType, value: unknown): SqliteValue {
  const stored = toSql(column, type, value);
  return typeof stored === "boolean" ? Number(stored) : stored;
}
