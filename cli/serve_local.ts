/** `serve-local`: a server for this machine and its local network. [local 1] */
import type { Environment } from "../lib/read_settings.ts";
import {
  loadLocalConfig,
  type LocalConfig,
  localConfigHelp,
  NO_PAIRING,
} from "../lib/local_config.ts";
import { createLocalServer } from "../local_server.ts";
import { explain, explainListen } from "./explain.ts";
import { codeLine, localBox } from "./local_box.ts";
import { programName } from "./program_name.ts";
import { runServer } from "./run_server.ts";
import type { Output } from "./user.ts";

/** Help for `serve-local`. */
function serveLocalHelp(): string {
  return `Run a server for this machine and its local network: no account, no internet.

  ${programName()} serve-local [option]…

${localConfigHelp()}
  ${NO_PAIRING}  let other machines in without a code; warns at every start`;
}

/**
 * Runs a local server; resolves with the exit code once it has ended.
 *
 * @param args command line behind `serve-local`
 * @throws {ConfigError} the configuration cannot be used
 */
export async function runServeLocal(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<number> {
  if (args.includes("--help")) {
    output.result(serveLocalHelp());
    return 0;
  }
  const config = loadLocalConfig(args, env);
  const local = createLocalServer(config);
  local.onCode = (code) => output.result(codeLine(code));
  local.onMoved = (place) => output.result(localBox(place));
  const failed = Promise.withResolvers<Error>();
  return await runServer({
    log: config.server.log,
    output,
    start: async () => {
      for (const warning of warnings(config)) output.note(warning);
      const place = await local.start();
      void local.server.failed.then(failed.resolve);
      return localBox(place);
    },
    explain: (error) => explainListen(error, "this machine", config.server.port) ?? explain(error),
    failed: failed.promise,
    stop: () => local.stop(),
  });
}

/** What whoever starts it should know. */
export function warnings({ server, pairing, interfaces }: LocalConfig): readonly string[] {
  const found: string[] = [];
  const { database } = server;
  if (database.kind === "sqlite" && database.path === ":memory:") {
    found.push(
      "WARNING: the database is in memory; everything is forgotten when this server ends.",
    );
  }
  if (!pairing && interfaces?.length !== 0) {
    found.push(
      "WARNING: pairing is switched off; every machine of the network gets in, under any name.",
    );
  }
  return found;
}
