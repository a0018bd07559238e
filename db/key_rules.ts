/** What holds for the columns of every table, whichever database it lies in. */
import type { ColumnType, Table } from "./tables.ts";

/** A row with its values still unread. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** The type of a column. @throws {TypeError} when the table has none of that name. */
export function columnType(name: string, table: Table, column: string): ColumnType {
  const type = table.columns[column];
  if (type === undefined) {
    throw new TypeError(`Cannot use column "${column}": table "${name}" has none`);
  }
  return type;
}

/** How many columns a key names. @throws {TypeError} unless they are a leading part of the table's key. */
export function leadingKeyLength(name: string, table: Table, key: AnyRow): number {
  const given = Object.keys(key).filter((column) => key[column] !== undefined);
  const { key: columns } = table;
  for (const column of given) {
    if (columns.indexOf(column) >= given.length || !columns.includes(column)) {
      throw new TypeError(
        `Cannot use (${given.join(", ")}) as a key of "${name}": ` +
          `not a leading part of (${columns.join(", ")})`,
      );
    }
  }
  return given.length;
}

/** The columns by which a removal goes. @throws {TypeError} for no leading part of the key. */
export function removalColumns(name: string, table: Table, key: AnyRow): readonly string[] {
  const length = leadingKeyLength(name, table, key);
  if (length === 0) {
    throw new TypeError(`Cannot remove every row of "${name}": name the first key column`);
  }
  return table.key.slice(0, length);
}

/** The key's column that a cut goes by, behind those that it names. @throws {TypeError} */
export function cutColumn(name: string, table: Table, key: AnyRow): string {
  const length = removalColumns(name, table, key).length;
  const column = table.key[length];
  if (column === undefined || table.columns[column] !== "int") {
    throw new TypeError(`Cannot cut rows of "${name}": its key does not go on with a number`);
  }
  return column;
}

/**
 * Brings rows into the order of their key: databases order the bits of a u64 as a signed number, and
 * rows beyond 2^63 have to go last.
 */
export function inKeyOrder(
  table: Table,
  rows: Record<string, unknown>[],
): Record<string, unknown>[] {
  const { key } = table;
  const wide = key.filter((column) => table.columns[column] === "u64");
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

/** What an upsert changes when there is a row with its key. */
export function changeOnConflict({ columns, key }: Table): string {
  const others = Object.keys(columns).filter((column) => !key.includes(column));
  return others.length === 0
    ? "nothing"
    : `update set ${others.map((c) => `${c} = excluded.${c}`).join(", ")}`;
}
