/** Values as PostgreSQL reads them inside of a statement; needs `standard_conforming_strings`. */
import { Buffer } from "node:buffer";
import type { SqlValue } from "../schema.ts";
import type { ColumnType } from "../tables.ts";

/** What PostgreSQL calls the type of a column. */
export function typeName(type: ColumnType): "bigint" | "boolean" | "text" | "bytea" {
  switch (type) {
    case "int":
    case "int?":
    case "u64":
    case "u64?":
      return "bigint";
    case "bool":
    case "bool?":
      return "boolean";
    case "text":
    case "text?":
      return "text";
    default:
      return "bytea";
  }
}

/** A text between quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** One value. */
export function literal(value: SqlValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return quoted(value);
  if (value instanceof Uint8Array) return `'\\x${hex(value)}'::bytea`;
  return String(value);
}

/** Several values of one type, as an array with its type. */
export function arrayLiteral(type: ColumnType, values: readonly SqlValue[]): string {
  return `${quoted(arrayText(values))}::${typeName(type)}[]`;
}

/** Several values of one type, as the text of an array. */
export function arrayText(values: readonly SqlValue[]): string {
  return `{${values.map(element).join(",")}}`;
}

function element(value: SqlValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  if (value instanceof Uint8Array) return `"\\\\x${hex(value)}"`;
  return String(value);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
