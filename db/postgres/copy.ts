/** Fills an empty, migrated PostgreSQL database with the rows of another. */
import { StoreUnavailableError } from "../store.ts";
import { accountTables, type Table, tables } from "../tables.ts";
import { toSql } from "../values.ts";
import { arrayLiteral } from "./literals.ts";
import { Session } from "./session.ts";

/** What is copied. */
export interface Source {
  /** By table, as the port gives them out. */
  readonly rows: ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;
  /** The last id given out, by table: none is given out again. */
  readonly lastIds: ReadonlyMap<string, number>;
}

/** How many rows a table has. */
export interface TableCount {
  readonly table: string;
  readonly rows: number;
}

/** Rows in one statement. */
const chunk = 1_000;

/** Copying takes as long as it takes. */
const limits = { connect: 10_000, statement: 0, lock: 5_000, answer: 3_600_000, close: 10_000 };

/**
 * Copies all rows in one transaction: all of them are there afterwards, or none.
 *
 * @throws {StoreUnavailableError} when there is something in it already, or counts differ at the end.
 */
export async function copyToPostgres(
  source: Source,
  { url, name }: { readonly url: string; readonly name: string },
): Promise<readonly TableCount[]> {
  const session = new Session({ url, name, connections: 1, limits });
  try {
    // Accounts first: the others refer to them.
    const all: [string, Table][] = Object.entries({ ...accountTables, ...tables });
    const present = (await counts(session, all)).filter(({ rows }) => rows > 0);
    if (present.length > 0) {
      throw new StoreUnavailableError(
        `Cannot copy into the database ${name}: there are rows in ` +
          `${present.map(({ table }) => table).join(", ")}; create an empty one`,
      );
    }
    const statements = all.flatMap(([table, description]) =>
      inserts(table, description, source.rows.get(table) ?? [])
    );
    for (const [table, last] of source.lastIds) {
      statements.push(`select setval(pg_get_serial_sequence('${table}', 'id'), ${last})`);
    }
    await session.together("write to", [...statements, "select 1 as done"]);
    const copied = await counts(session, all);
    const wrong = copied.filter(({ table, rows }) =>
      rows !== (source.rows.get(table)?.length ?? 0)
    );
    if (wrong.length === 0) return copied;
    throw new StoreUnavailableError(
      `Cannot use the copy in ${name}: not all rows are there of ` +
        `${wrong.map(({ table }) => table).join(", ")}; drop it and report this`,
    );
  } finally {
    await session.close();
  }
}

function inserts(
  name: string,
  table: Table,
  rows: readonly Readonly<Record<string, unknown>>[],
): string[] {
  const columns = Object.entries(table.columns);
  const names = Object.keys(table.columns).join(", ");
  const statements: string[] = [];
  for (let from = 0; from < rows.length; from += chunk) {
    const some = rows.slice(from, from + chunk);
    const arrays = columns.map(([column, type]) =>
      arrayLiteral(type, some.map((row) => toSql(column, type, row[column])))
    );
    statements.push(
      `insert into ${name} (${names}) overriding system value ` +
        `select * from unnest(${arrays.join(", ")})`,
    );
  }
  return statements;
}

async function counts(
  session: Session,
  all: readonly (readonly [string, Table])[],
): Promise<TableCount[]> {
  const rows = await session.rows(
    "read from",
    all.map(([name]) => `select '${name}' as name, count(*) as rows from ${name}`)
      .join(" union all "),
    [],
  );
  return rows.map((row) => ({ table: String(row.name), rows: Number(row.rows) }));
}
