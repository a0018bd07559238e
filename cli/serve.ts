/** `serve`: runs the server until it is told to stop. */
import type { Config } from "../lib/config.ts";
import { defaultDataDir } from "../lib/data_location.ts";
import { type Environment, settingsHelp } from "../lib/read_settings.ts";
import { loadConfig } from "../lib/load_config.ts";
import { notesOn } from "../lib/reference_settings.ts";
import { settings } from "../lib/settings_table.ts";
import { createServer } from "../server.ts";
import { explain, explainListen } from "./explain.ts";
import { programName } from "./program_name.ts";
import { runServer } from "./run_server.ts";
import type { Output } from "./user.ts";

/** Help for `serve`. */
export function serveHelp(): string {
  return `Run the server.

  ${programName()} serve [all|api|collab] [option]…

"all", everything in one process, is the default. "api" and "collab" are the two parts of a split
installation on one database: what needs the database only, and what concerns connections.

${settingsHelp(settings)}`;
}

/**
 * Runs a server; resolves with the exit code once it has ended.
 *
 * @param args command line behind `serve`.
 * @throws {ConfigError} when the configuration cannot be used.
 */
export async function runServe(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<number> {
  if (args.includes("--help")) {
    output.result(serveHelp());
    return 0;
  }
  const [word, ...rest] = args;
  const isMode = word === "all" || word === "api" || word === "collab";
  const config = loadConfig(isMode ? ["--mode", word, ...rest] : args, env);
  for (const note of notesOn(env)) output.note(note);
  const server = createServer(config);
  return await runServer({
    log: config.log,
    output,
    start: async () => greeting((await server.start()).url, config, env),
    explain: (error) => explainListen(error, config.host, config.port) ?? explain(error),
    failed: server.failed,
    stop: () => server.stop(),
  });
}

/** One line: where it listens, how to add a user, how to connect. */
export function greeting(url: string, config: Config, env: Environment): string {
  // The command for accounts has to find the same data.
  const place = config.dataDir === defaultDataDir(env, Deno.build.os)
    ? ""
    : ` --data-dir ${JSON.stringify(config.dataDir)}`;
  return `Parley listens on ${url}; add a user: ${programName()} user add <login>${place}; ` +
    `in Zed's settings: "server_url": "${config.publicUrl ?? url}"; data in ${dataPlace(config)}`;
}

function dataPlace({ database, dataDir }: Config): string {
  return database.kind === "postgres" ? database.name : dataDir;
}
