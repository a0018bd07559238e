/** Values of rows to and from a database's: the one place where 64 unsigned bits meet a signed column. */
import type { SqlValue } from "./schema.ts";
import type { ColumnType } from "./tables.ts";

/**
 * The value to store in a column.
 *
 * @throws {TypeError} when the value is not of the column's type.
 * @throws {RangeError} when a number is outside of the column's range.
 */
export function toSql(column: string, type: ColumnType, value: unknown): SqlValue {
  if (value === null && type.endsWith("?")) return null;
  switch (type) {
    case "int":
    case "int?":
      if (typeof value !== "number") break;
      if (!Number.isSafeInteger(value)) {
        throw new RangeError(`Cannot store ${value} in column "${column}": not a safe integer`);
      }
      return value;
    case "u64":
    case "u64?":
      if (typeof value !== "bigint") break;
      if (BigInt.asUintN(64, value) !== value) {
        throw new RangeError(`Cannot store ${value} in column "${column}": not within 64 bits`);
      }
      return BigInt.asIntN(64, value);
    case "bool":
    case "bool?":
      if (typeof value !== "boolean") break;
      return value;
    case "text":
    case "text?":
      if (typeof value !== "string") break;
      return encodeText(value);
    case "bytes":
    case "bytes?":
      if (!(value instanceof Uint8Array)) break;
      return value;
  }
  throw new TypeError(
    `Cannot store ${value === null ? "null" : typeof value} in column "${column}": it is ${type}`,
  );
}

/** The value of a row's column from what a database returned. */
export function fromSql(type: ColumnType, value: SqlValue): unknown {
  if (value === null) return null;
  switch (type) {
    case "int":
    case "int?":
      return Number(value);
    case "u64":
    case "u64?":
      return BigInt.asUintN(64, BigInt(value as bigint));
    case "bool":
    case "bool?":
      return value === true || value === 1n || value === 1;
    case "text":
    case "text?":
      return decodeText(value as string);
    default:
      return value;
  }
}

// node:sqlite reads a text up to its first NUL only, Postgres takes none, and clients may send any.
// A mark of our own stands for it; the mark itself, which is as rare, is doubled the same way.

/** A text as it is stored. */
export function encodeText(text: string): string {
  if (!text.includes("\0") && !text.includes("\x01")) return text;
  return text.replaceAll("\x01", "\x011").replaceAll("\0", "\x010");
}

function decodeText(text: string): string {
  if (!text.includes("\x01")) return text;
  return text.replaceAll("\x010", "\0").replaceAll("\x011", "\x01");
}
