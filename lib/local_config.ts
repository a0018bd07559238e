/** The configuration of the local mode: no account, no external service. [local 1d] */
import type { Config } from "./config.ts";
import { defaultDataDir } from "./data_location.ts";
import { loadConfig } from "./load_config.ts";
import { localSettings } from "./local_settings_table.ts";
import { ConfigError, type Environment, readSettings, settingsHelp } from "./read_settings.ts";

/** What makes a server a local one, checked; beside it the configuration of the server itself. */
export interface LocalConfig {
  /** Listens on loopback; the other addresses are the local mode's. */
  readonly server: Config;
  /** Undefined for a name made of the host's. */
  readonly name: string | undefined;
  /** Network interfaces by name; undefined for all, none for loopback alone. */
  readonly interfaces: readonly string[] | undefined;
  /** Networks whose machines may come; undefined for those of the interfaces. */
  readonly allowNetworks: readonly string[] | undefined;
  /** Whether this machine's own programs need a pairing code too. */
  readonly requireAuth: boolean;
  /** Whether other machines do. */
  readonly pairing: boolean;
  readonly mdnsEnabled: boolean;
}

/** The switch that lets other machines in without a code. */
export const NO_PAIRING = "--insecure-no-pairing";

const PASSED_ON = ["LIVEKIT_SERVER", "LIVEKIT_KEY", "LIVEKIT_SECRET"];

/** The part of `--help` that lists the settings. */
export function localConfigHelp(): string {
  return settingsHelp(localSettings);
}

/** The folder of a local server's data: `local` in the program's own. */
export function defaultLocalDataDir(
  env: Environment,
  os: typeof Deno.build.os = Deno.build.os,
): string | undefined {
  const folder = defaultDataDir(env, os);
  return folder && `${folder}${os === "windows" ? "\\" : "/"}local`;
}

/**
 * Reads the configuration: flags first, then the environment, then the defaults.
 *
 * @param args command line without the program's and the subcommand's name
 * @throws {ConfigError} listing everything that is wrong
 */
export function loadLocalConfig(
  args: readonly string[],
  env: Environment,
  os: typeof Deno.build.os = Deno.build.os,
): LocalConfig {
  const problems: string[] = [];
  const given = args.filter((arg) => arg !== NO_PAIRING);
  const values = readSettings(localSettings, given, env, problems);
  const dataDir = values.dataDir ?? defaultLocalDataDir(env, os);
  if (dataDir === undefined) {
    problems.push("no home folder is known to put the data in: give --data-dir");
  }
  if (values.database?.kind === "postgres") {
    problems.push(
      "DATABASE_URL: the local mode keeps its data in SQLite; for PostgreSQL use serve",
    );
  }
  const liveKit = values.enableLiveKit
    ? Object.fromEntries(PASSED_ON.map((name) => [name, env[name]]))
    : {};
  if (values.enableLiveKit && PASSED_ON.some((name) => !env[name])) {
    problems.push(`ENABLE_LIVEKIT=true needs ${PASSED_ON.join(", ")}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const server = loadConfig(
    [
      ...["--port", `${values.port}`, "--data-dir", dataDir as string],
      ...["--password-sign-in", "off", "--trusted-proxies", "none"],
      ...["--log-level", values.logLevel, "--log-format", values.logFormat],
      ...["--time-scale", `${values.timeScale}`],
    ],
    liveKit,
    os,
  );
  return {
    server: values.database === undefined ? server : { ...server, database: values.database },
    name: values.name,
    interfaces: values.interfaces?.length === 1 && values.interfaces[0] === "none"
      ? []
      : values.interfaces,
    allowNetworks: values.allowNetworks,
    requireAuth: values.requireAuth,
    pairing: !args.includes(NO_PAIRING),
    mdnsEnabled: values.mdnsEnabled,
  };
}
