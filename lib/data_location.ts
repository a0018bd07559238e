/** Where the data is: all that the commands beside `serve` need to know of the configuration. */
import type { Config } from "./config.ts";
import { ConfigError, type Environment, readSettings, type SettingsOf } from "./read_settings.ts";
import { settings } from "./settings_table.ts";

export type DataConfig = Pick<Config, "dataDir" | "database">;

const dataTable = { dataDir: settings.dataDir, database: settings.database };

/** Names of the settings of {@link loadDataConfig}. */
export const dataSettings = Object.keys(dataTable) as readonly (keyof typeof dataTable)[];

/**
 * Reads only where the data is, in the same way.
 *
 * @param args flags of the {@link dataSettings} alone.
 * @throws {ConfigError} listing everything that is wrong.
 */
export function loadDataConfig(
  args: readonly string[],
  env: Environment,
  os: typeof Deno.build.os = Deno.build.os,
): DataConfig {
  const problems: string[] = [];
  const data = locateData(readSettings(dataTable, args, env, problems), env, os, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return data;
}

/** Its place from settings that have been read; what is wrong is added to `problems`. */
export function locateData(
  values: SettingsOf<typeof dataTable>,
  env: Environment,
  os: typeof Deno.build.os,
  problems: string[],
): DataConfig {
  const dataDir = values.dataDir ?? defaultDataDir(env, os);
  if (dataDir === undefined) {
    problems.push("no home folder is known to put the data in: give --data-dir");
  }
  const separator = os === "windows" ? "\\" : "/";
  return {
    dataDir: dataDir ?? "",
    database: values.database ?? { kind: "sqlite", path: `${dataDir}${separator}parley.sqlite` },
  };
}

/** The folder where users of an operating system expect a program's data; undefined without a home. */
export function defaultDataDir(env: Environment, os: typeof Deno.build.os): string | undefined {
  if (os === "windows") {
    const base = env.LOCALAPPDATA ||
      (env.USERPROFILE && `${env.USERPROFILE}\\AppData\\Local`);
    return base ? `${base}\\Parley` : undefined;
  }
  if (os === "darwin") {
    return env.HOME ? `${env.HOME}/Library/Application Support/Parley` : undefined;
  }
  if (env.XDG_DATA_HOME?.startsWith("/")) return `${env.XDG_DATA_HOME}/parley`;
  return env.HOME ? `${env.HOME}/.local/share/parley` : undefined;
}
