/** Command lines of the subcommands beside `serve`. */
import { parseArgs } from "@std/cli/parse-args";
import { dataSettings } from "../lib/data_location.ts";
import { settings } from "../lib/settings_table.ts";

/** A command line that makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command line, taken apart. */
export interface CommandLine {
  readonly words: readonly string[];
  /** Names of the switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** Values of the further flags that were given. */
  readonly values: ReadonlyMap<string, string>;
  /** The flags that tell where the data is, for `loadDataConfig`. */
  readonly dataFlags: readonly string[];
}

/** The part of a command's help that lists the flags of the data folder. */
export function dataFlagsHelp(): string {
  return dataSettings.map((key) =>
    `  --${settings[key].flag} ${settings[key].value}`.padEnd(26) + settings[key].description
  ).join("\n");
}

/**
 * Takes a command line apart into words, the given switches, further flags with a value, and the
 * flags of the data folder.
 *
 * @throws {UsageError} for any other flag, and one without its value.
 */
export function parseCommandLine(
  args: readonly string[],
  switches: readonly string[],
  values: readonly string[] = [],
): CommandLine {
  const dataFlags = dataSettings.map((name) => settings[name].flag);
  const parsed = parseArgs([...args], {
    boolean: switches,
    string: [...dataFlags, ...values, "_"],
    collect: dataFlags,
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw new UsageError(`Cannot understand ${arg}: it is not an option; --help lists them`);
    },
  });
  for (const name of values) {
    if (parsed[name] === "") throw new UsageError(`Cannot understand --${name}: it needs a value`);
  }
  return {
    words: parsed._.map(String),
    switches: new Set(switches.filter((name) => parsed[name] === true)),
    values: new Map(
      values.filter((name) => parsed[name] !== undefined).map((
        name,
      ) => [name, String(parsed[name])]),
    ),
    dataFlags: dataFlags.flatMap((flag) =>
      (parsed[flag] as string[]).map((value) => `--${flag}=${value}`)
    ),
  };
}
