/** `migrate`: how far the database's schema has come, and bringing it to its end. */
import type { DatabaseLocation } from "../lib/setting.ts";
import type { Environment } from "../lib/read_settings.ts";
import { loadDataConfig } from "../lib/data_location.ts";
import { isDataDirLocked, makeDataDir } from "../lib/data_dir.ts";
import { dataFlagsHelp, parseCommandLine, UsageError } from "./args.ts";
import { openStore } from "./open_store.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `migrate`. */
function migrateHelp(): string {
  const name = programName();
  return `Bring the database to what this version needs; "serve" does it at its start as well.

  ${name} migrate up [--dry-run]   apply what is missing, or only say what that is
  ${name} migrate status [--json]  show what the database has had and what it has not

${dataFlagsHelp()}`;
}

/** Names of migrations. */
interface State {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

/** Runs one `migrate` command. @throws {UsageError} and the errors of opening a database */
export async function runMigrate(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { words, switches, dataFlags } = parseCommandLine(args, ["dry-run", "json", "help"]);
  const [command, ...rest] = words;
  if (switches.has("help") || command === undefined) {
    output.result(migrateHelp());
    return;
  }
  if (rest.length > 0 || (command !== "up" && command !== "status")) {
    throw new UsageError(`Cannot run "migrate ${words.join(" ")}": there are up and status`);
  }
  const { database, dataDir } = loadDataConfig(dataFlags, env);
  const state = await stateOf(database);
  if (command === "status") {
    output.result(switches.has("json") ? JSON.stringify(state) : statusText(state));
    return;
  }
  if (state.pending.length === 0) {
    output.result("The database is up to date");
    return;
  }
  if (switches.has("dry-run")) {
    output.result(`Would apply ${state.pending.join(", ")}`);
    return;
  }
  if (database.kind === "sqlite") {
    await makeDataDir(dataDir);
    if (await isDataDirLocked(dataDir)) {
      throw new UsageError(
        `Cannot migrate the database: a Parley is running on ${dataDir}; stop it first`,
      );
    }
  }
  const store = await openStore(database, { notice: (text) => output.note(text), exclusive: true });
  await store.close();
  output.result(`Applied ${state.pending.join(", ")}`);
}

async function stateOf(database: DatabaseLocation): Promise<State> {
  if (database.kind === "sqlite") {
    const { sqliteMigrationState } = await import("../db/sqlite/open.ts");
    return await sqliteMigrationState(database.path);
  }
  const { postgresMigrationState } = await import("../db/postgres/open.ts");
  return await postgresMigrationState({ url: database.url.reveal(), name: database.name });
}

function statusText({ applied, pending }: State): string {
  return [
    ...applied.map((name) => `applied  ${name}`),
    ...pending.map((name) => `pending  ${name}`),
  ].join("\n");
}
