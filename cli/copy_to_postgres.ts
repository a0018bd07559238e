/** `copy-to-postgres`: moves an installation from its SQLite file into an empty PostgreSQL database. */
import { copyToPostgres } from "../db/postgres/copy.ts";
import { openPostgres } from "../db/postgres/open.ts";
import { readSqliteTables } from "../db/sqlite/open.ts";
import type { Environment } from "../lib/read_settings.ts";
import { loadDataConfig } from "../lib/data_location.ts";
import { isDataDirLocked } from "../lib/data_dir.ts";
import { dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `copy-to-postgres`. */
function copyHelp(): string {
  return `Copy everything from the SQLite database into an empty PostgreSQL database.

  ${programName()} copy-to-postgres <postgres url>

The server must not run meanwhile. The SQLite database stays as it is; start the server with
DATABASE_URL=<postgres url> afterwards.

${dataFlagsHelp()}`;
}

/** Runs the command. @throws {UsageError} and the errors of opening and copying */
export async function runCopy(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { words, switches, dataFlags } = parseCommandLine(args, ["help"]);
  const [url, ...rest] = words;
  if (switches.has("help") || url === undefined) {
    output.result(copyHelp());
    return;
  }
  const isUrl = (flag: string) => flag.startsWith("--database-url");
  const elsewhere = dataFlags.filter((flag) => !isUrl(flag));
  // As a variable, since messages name what is wrong: it is what the server is started with later.
  const target = loadDataConfig(elsewhere, { ...env, DATABASE_URL: url }).database;
  // The variable may name the new database already.
  const fromFlags = dataFlags.some(isUrl);
  const source = loadDataConfig(dataFlags, fromFlags ? env : { ...env, DATABASE_URL: "" });
  if (rest.length > 0 || target.kind !== "postgres" || source.database.kind !== "sqlite") {
    throw new UsageError(
      'Cannot run "copy-to-postgres": give the URL of one PostgreSQL database, ' +
        "and with --data-dir or --database-url an SQLite database",
    );
  }
  const { path } = source.database;
  try {
    await Deno.stat(path);
  } catch {
    throw new UsageError(`Cannot copy from ${path}: there is no such file; give --data-dir`);
  }
  if (await isDataDirLocked(source.dataDir)) {
    throw new UsageError(
      `Cannot copy from ${path}: a Parley is running on ${source.dataDir}; stop it first`,
    );
  }
  const place = { url: target.url.reveal(), name: target.name };
  // Migrates, and holds the lock while it is copied.
  const lock = await openPostgres({ ...place, connections: 1, exclusive: true });
  try {
    const counts = await copyToPostgres(await readSqliteTables(path), place);
    output.result(
      [
        ...counts.filter(({ rows }) => rows > 0).map(({ table, rows }) => `${table}: ${rows}`),
        `Copied ${path} to ${target.name}, all counts agree`,
      ].join("\n"),
    );
  } finally {
    await lock.close();
  }
}
