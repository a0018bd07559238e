/** Settings as an object of a program that embeds the server, in place of flags and environment. [local 7] */
import type { Config } from "./config.ts";
import { loadConfig } from "./load_config.ts";
import { loadLocalConfig, type LocalConfig, NO_PAIRING } from "./local_config.ts";
import { localSettings } from "./local_settings_table.ts";
import { ConfigError, type SettingsOf } from "./read_settings.ts";
import type { Setting } from "./setting.ts";
import { settings } from "./settings_table.ts";

/** What a program gives for a value: secrets and URLs of databases as texts, lists as lists. */
type Given<Value> = Value extends number ? number
  : Value extends boolean ? boolean
  : Value extends string ? Value
  : Value extends readonly string[] ? readonly string[]
  : string;

// deno-lint-ignore no-explicit-any -- a setting's value is in its schema
type Table = Readonly<Record<string, Setting<any>>>;

type OptionsOf<T extends Table> = {
  readonly [Name in keyof T]?: Given<NonNullable<SettingsOf<T>[Name]>> | undefined;
};

/** A folder of one's own: two servers never share one, and nothing is put into a home folder unasked. */
type InFolder = { readonly dataDir: string };

/** The settings of docs/CONFIGURATION.md by their names in the program; the same defaults. */
export type ServerOptions = Omit<OptionsOf<typeof settings>, "dataDir"> & InFolder;

/** The settings of the local mode; the same defaults. */
export type LocalOptions =
  & Omit<OptionsOf<typeof localSettings>, "dataDir">
  & Pick<ServerOptions, "liveKitServer" | "liveKitKey" | "liveKitSecret">
  & InFolder
  & {
    /** False lets other machines in without a code. */
    readonly pairing?: boolean | undefined;
  };

/**
 * The configuration of a server for these options. Neither flags nor the environment are looked at.
 *
 * @throws {ConfigError} listing everything that is wrong, by the names of the options
 */
export function serverConfig(options: ServerOptions): Config {
  return reading(settings, options, (args) => loadConfig(args, {}));
}

/**
 * The configuration of a server of the local mode for these options.
 *
 * @throws {ConfigError} listing everything that is wrong, by the names of the options
 */
export function localConfig(
  { pairing, liveKitServer, liveKitKey, liveKitSecret, ...options }: LocalOptions,
): LocalConfig {
  const liveKit = {
    [settings.liveKitServer.env]: liveKitServer,
    [settings.liveKitKey.env]: liveKitKey,
    [settings.liveKitSecret.env]: liveKitSecret,
  };
  const { liveKitServer: server, liveKitKey: key, liveKitSecret: secret } = settings;
  const named = {
    ...localSettings,
    liveKitServer: server,
    liveKitKey: key,
    liveKitSecret: secret,
  };
  const pair = pairing === false ? [NO_PAIRING] : [];
  return reading(named, options, (args) => loadLocalConfig([...args, ...pair], liveKit));
}

function reading<T>(
  table: Table,
  options: Readonly<Record<string, unknown>>,
  read: (args: string[]) => T,
): T {
  const problems: string[] = [];
  const args = argsOf(table, options, problems);
  if (options.dataDir === undefined) {
    problems.push("dataDir is missing: name a folder for the server's data");
  }
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    return read(args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.problems.map((problem) => inNamesOf(table, problem)));
  }
}

/** The options as the command line would have them. */
function argsOf(
  table: Table,
  options: Readonly<Record<string, unknown>>,
  problems: string[],
): string[] {
  const args: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    const setting = Object.hasOwn(table, name) ? table[name] : undefined;
    if (setting === undefined) {
      problems.push(`${name} is no setting: docs/CONFIGURATION.md has all`);
    } else if (value !== undefined) {
      const text = textOf(value);
      if (text === undefined) {
        problems.push(`${name} must be a text, a number, true, false or a list of texts`);
      } else if (text !== "") args.push(`--${setting.flag}=${text}`);
      else if (!Array.isArray(value)) problems.push(`${name} must not be empty`);
    }
  }
  return args;
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    // A comma within an item would make two of it.
    const isList = value.every((item) => typeof item === "string" && !item.includes(","));
    return isList ? value.join(",") : undefined;
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

/** A problem in the words of the options: flags and variables are not what the program has given. */
function inNamesOf(table: Table, problem: string): string {
  const names = new Map<string, string>();
  for (const [name, { flag, env }] of Object.entries(table)) {
    names.set(`--${flag}`, name).set(env, name);
  }
  return problem.replaceAll(/--[a-z][a-z-]*|\b[A-Z][A-Z_]+\b/g, (word) => names.get(word) ?? word);
}
