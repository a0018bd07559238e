/** `backup` and `restore`: copies of the embedded database. */
import { backUpSqlite, restoreSqlite } from "../db/sqlite/backup.ts";
import type { Environment } from "../lib/read_settings.ts";
import { loadDataConfig } from "../lib/data_location.ts";
import { lockDataDir } from "../lib/data_dir.ts";
import { type CommandLine, dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `backup` and `restore`. */
function backupHelp(): string {
  const name = programName();
  return `Back up the database, and bring a backup back.

  ${name} backup <file>    copy the database to a new file; the server may run meanwhile
  ${name} restore <file>   put a backup in the place of the database, which is copied aside;
                          stop the server first

${dataFlagsHelp()}`;
}

/**
 * Runs `backup`.
 *
 * @param args command line behind it
 * @throws {UsageError} {BackupError}
 */
export async function runBackup(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const line = parseCommandLine(args, ["help"]);
  if (line.switches.has("help")) return output.result(backupHelp());
  const { path } = database("backup", line, env);
  const file = onlyFile("backup", line);
  await backUpSqlite(path, file);
  output.result(`Backed up ${path} to ${file}`);
}

/**
 * Runs `restore`.
 *
 * @param args command line behind it
 * @throws {UsageError} {BackupError} {DataDirError} while a server runs
 */
export async function runRestore(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const line = parseCommandLine(args, ["help"]);
  if (line.switches.has("help")) return output.result(backupHelp());
  const { path, dataDir } = database("restore", line, env);
  const file = onlyFile("restore", line);
  const lock = await lockDataDir(dataDir);
  try {
    const aside = await restoreSqlite(path, file, Date.now());
    if (aside !== undefined) output.note(`Copied the database that was there to ${aside}`);
    output.result(`Restored ${path} from ${file}`);
  } finally {
    lock.release();
  }
}

function onlyFile(command: string, { words }: CommandLine): string {
  const [file] = words;
  if (file === undefined || words.length > 1) {
    throw new UsageError(`Cannot run "${command}": give one file`);
  }
  return file;
}

function database(
  command: string,
  line: CommandLine,
  env: Environment,
): { readonly path: string; readonly dataDir: string } {
  const { database, dataDir } = loadDataConfig(line.dataFlags, env);
  if (database.kind !== "sqlite") {
    throw new UsageError(
      `Cannot run "${command}": the database is PostgreSQL; use pg_dump and pg_restore`,
    );
  }
  if (database.path === ":memory:") {
    throw new UsageError(`Cannot run "${command}": the database is in a server's memory`);
  }
  return { path: database.path, dataDir };
}
