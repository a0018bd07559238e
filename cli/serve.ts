/** `serve`: runs the server until it is told to stop. */
import {
  type Config,
  configHelp,
  defaultDataDir,
  type Environment,
  loadConfig,
} from "../lib/config.ts";
import { notesOn } from "../lib/reference_settings.ts";
import { configureLog, createLog } from "../lib/log.ts";
import { createServer } from "../server.ts";
import { explain, explainListen } from "./explain.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** From the signal to the end of the process at the latest, in milliseconds. */
const hardLimit = 9_500;

/** Help for `serve`. */
export function serveHelp(): string {
  return `Run the server.

  ${programName()} serve [all|api|collab] [option]…

"all", everything in one process, is the default. "api" and "collab" are the two parts of a split
installation on one database: what needs the database only, and what concerns connections.

${configHelp()}`;
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
  const endLog = await configureLog(config.log);
  const log = createLog();
  const stop = stopRequest(log);
  try {
    const server = createServer(config);
    const url = await start(server, config, output);
    if (url === undefined) return 1;
    output.result(greeting(url, config, env));
    const reason = await Promise.race([
      stop.requested,
      server.failed.then((error) => ({ text: error.message, code: 1 })),
    ]);
    const limit = setTimeout(() => Deno.exit(1), hardLimit);
    log.info("Stopping: {reason}", { reason: reason.text });
    await server.stop();
    clearTimeout(limit);
    return reason.code;
  } finally {
    stop.dispose();
    await endLog();
  }
}

type Server = ReturnType<typeof createServer>;

async function start(server: Server, config: Config, output: Output): Promise<string | undefined> {
  try {
    return (await server.start()).url;
  } catch (error) {
    output.note(explainListen(error, config.host, config.port) ?? explain(error));
    await server.stop().catch(() => {});
    return undefined;
  }
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

interface StopReason {
  readonly text: string;
  readonly code: number;
}

interface StopRequest {
  readonly requested: Promise<StopReason>;
  dispose(): void;
}

/** Waits for a signal, or for an error that nothing has caught. [style A12] */
function stopRequest(log: ReturnType<typeof createLog>): StopRequest {
  const { promise, resolve } = Promise.withResolvers<StopReason>();
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  const undo = signals.map((signal) => {
    let seen = false;
    const listener = () => {
      // Who asks twice does not want to wait.
      if (seen) Deno.exit(130);
      seen = true;
      resolve({ text: signal, code: 0 });
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const fail = (event: Event, error: unknown) => {
    event.preventDefault();
    log.error("Uncaught: {error}", { error });
    resolve({ text: "an uncaught error", code: 1 });
  };
  const onError = (event: ErrorEvent) => fail(event, event.error);
  const onRejection = (event: PromiseRejectionEvent) => fail(event, event.reason);
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    requested: promise,
    dispose() {
      for (const remove of undo) remove();
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}
