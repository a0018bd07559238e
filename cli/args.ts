/** Command lines of the subcommands beside `serve`. */
import { parseArgs } from "@std/cli/parse-args";
import { dataSettings, settings } from "../lib/config.ts";

/** A command line that makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command line, taken apart. */
export interface CommandLine {
  readonly words: readonly string[];
  /** Names of the switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** The flags that tell where the data is, for `loadDataConfig`. */
  readonly dataFlags: readonly string[];
}

/**
 * Takes a command line apart into words, the given switches, and the flags of the data folder.
 *
 * @throws {UsageError} for any other flag.
 */
export function parseCommandLine(
  args: readonly string[],
  switches: readonly string[],
): CommandLine {
  const dataFlags = dataSettings.map((name) => settings[name].flag);
  const parsed = parseArgs([...args], {
    boolean: switches,
    string: [...dataFlags, "_"],
    collect: dataFlags,
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw new UsageError(`Cannot understand ${arg}: it is not an option; --help lists them`);
    },
  });
  return {
    words: parsed._.map(String),
    switches: new Set(switches.filter((name) => parsed[name] === true)),
    dataFlags: dataFlags.flatMap((flag) =>
      (parsed[flag] as string[]).map((value) => `--${flag}=${value}`)
    ),
  };
}
