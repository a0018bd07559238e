/** Writes of the journal as few statements over many rows. */
import {
  type AnyRow,
  changeOnConflict,
  columnType,
  cutColumn,
  removalColumns,
} from "../key_rules.ts";
import type { SqlValue } from "../schema.ts";
import type { Write } from "../store.ts";
import { type Table, type TableName, tables } from "../tables.ts";
import { toSql } from "../values.ts";
import { arrayLiteral, literal, quoted } from "./literals.ts";

/** A write whose values have been looked at. */
export interface CheckedWrite {
  readonly op: Write["op"];
  readonly table: TableName;
  /** Columns of the row, or of the leading part of its key. */
  readonly columns: readonly string[];
  readonly values: readonly SqlValue[];
  /** Of a cut: the numbers that the next column of the key lies between. */
  readonly range?: { readonly column: string; readonly from: number; readonly to: number };
}

/** A group whose values have been looked at. */
export interface CheckedGroup {
  readonly index: number;
  readonly actor: string;
  readonly writes: readonly CheckedWrite[];
  readonly buildsOn: readonly number[];
}

/** Looks at a write before any database does. @throws {TypeError} {RangeError} */
export function checkWrite(write: Write): CheckedWrite {
  const name = write.table;
  const table: Table | undefined = tables[name];
  if (table === undefined) throw new TypeError(`Cannot use table "${name}": there is none`);
  const row: AnyRow = write.op === "put" ? write.row : write.key;
  const columns = write.op === "put"
    ? Object.keys(table.columns)
    : removalColumns(name, table, row);
  const values = columns.map((column) =>
    toSql(column, columnType(name, table, column), row[column])
  );
  if (write.op !== "cut") return { op: write.op, table: name, columns, values };
  const { from, to } = write;
  const column = cutColumn(name, table, row);
  for (const end of [from, to]) toSql(column, "int", end);
  return { op: "cut", table: name, columns, values, range: { column, from, to } };
}

interface Run {
  readonly first: CheckedWrite;
  /** By key, the latest of each: a statement may touch a row once only. */
  readonly rows: Map<string, readonly SqlValue[]>;
}

/**
 * The statements for writes, in order. Those on one table go together as far as puts and removals do
 * not take turns; tables do not refer to each other, so their order among themselves is free.
 */
export function statementsOf(writes: Iterable<CheckedWrite>): string[] {
  const runs: Run[] = [];
  const latest = new Map<TableName, Run>();
  for (const write of writes) {
    let run = latest.get(write.table);
    if (
      run === undefined || write.op === "cut" || run.first.op !== write.op ||
      run.first.columns.length !== write.columns.length
    ) {
      run = { first: write, rows: new Map() };
      runs.push(run);
      latest.set(write.table, run);
    }
    const key = keyOf(write);
    // Behind the others: what a unique index has freed in between is free then.
    run.rows.delete(key);
    run.rows.set(key, write.values);
  }
  return runs.map(statementOf);
}

/** A stored text has no NUL, so that no two keys look alike. */
function keyOf({ table, columns, values }: CheckedWrite): string {
  return tables[table].key.map((column) => values[columns.indexOf(column)]).join("\0");
}

function statementOf({ first: { op, table: name, columns, values, range }, rows }: Run): string {
  const table: Table = tables[name];
  if (range !== undefined) {
    const leading = columns.map((column, i) => `${column} = ${literal(values[i]!)} and `).join("");
    const { column, from, to } = range;
    return `delete from ${name} where ${leading}${column} >= ${from} and ${column} < ${to}`;
  }
  const all = [...rows.values()];
  const arrays = columns.map((column, i) =>
    arrayLiteral(columnType(name, table, column), all.map((values) => values[i]!))
  ).join(", ");
  if (op === "put") {
    return `insert into ${name} (${columns.join(", ")}) select * from unnest(${arrays}) ` +
      `on conflict (${table.key.join(", ")}) do ${changeOnConflict(table)}`;
  }
  const alike = columns.map((column) => `${name}.${column} = gone.${column}`).join(" and ");
  return `delete from ${name} using unnest(${arrays}) as gone (${
    columns.join(", ")
  }) where ${alike}`;
}

/** Setting of the transaction in which {@link savepointStatement} leaves what was refused. */
export const refusedSetting = "parley.refused";

/** Conditions that blame a write, see `errors.ts`. */
const blame = [
  "integrity_constraint_violation",
  "data_exception",
  "syntax_error_or_access_rule_violation",
  "program_limit_exceeded",
  "feature_not_supported",
  "plpgsql_error",
].join(" or ");

/**
 * One statement that carries out each group in a savepoint of its own, passes over what builds on
 * a group that failed, and leaves a JSON object from index to message.
 */
export function savepointStatement(groups: readonly CheckedGroup[]): string {
  const bodies = groups.map(({ index, actor, writes, buildsOn }) => {
    const [who, where] = [quoted(actor), quoted(String(index))];
    const earlier = buildsOn.map((index) => quoted(String(index))).join(", ");
    return `begin
      if ${who} = any (parley_failed) or parley_refused ?| array[${earlier}]::text[] then
        raise 'it builds on a change that was refused';
      end if;
      ${statementsOf(writes).map((statement) => `${statement};`).join("\n")}
    exception when ${blame} then
      parley_failed := array_append(parley_failed, ${who});
      parley_refused := parley_refused || jsonb_build_object(${where}, sqlerrm);
    end;`;
  });
  return "do " + quoted(`declare
    parley_failed text[] := '{}';
    parley_refused jsonb := '{}';
  begin
    ${bodies.join("\n")}
    perform set_config('${refusedSetting}', parley_refused::text, true);
  end`);
}
