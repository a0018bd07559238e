// deno-lint-ignore-file no-console -- for tasks of the command line
/** The command lines of developers' tasks: `--help`, and no word that a task would pass over. */
import { parseArgs } from "@std/cli/parse-args";

/** What a task was given. */
export interface TaskArguments {
  readonly words: readonly string[];
  has(name: string): boolean;
  text(name: string): string | undefined;
  /** A whole number, up to `most`. */
  number(name: string, most?: number): number | undefined;
}

/** What a task takes. */
export interface TaskOptions {
  readonly switches?: readonly string[];
  readonly values?: readonly string[];
  /** The words that it takes, or how many at most. */
  readonly words?: readonly string[] | number;
}

/**
 * Takes a task's arguments apart. Prints the usage and ends the program at `--help`, and where
 * something does not belong there.
 */
export function taskArguments(
  usage: string,
  { switches = [], values = [], words: known = 0 }: TaskOptions,
): TaskArguments {
  const refuse = (problem: string): never => {
    console.error(`${problem}\n\n${usage}`);
    Deno.exit(2);
  };
  const parsed = parseArgs(Deno.args, {
    string: ["_", ...values],
    boolean: ["help", ...switches],
    unknown: (arg, name) =>
      name === undefined ? true : refuse(`Cannot understand ${arg}: there is no such option`),
  });
  const text = (name: string) => parsed[name] === undefined ? undefined : String(parsed[name]);
  if (parsed.help === true) {
    console.log(usage);
    Deno.exit(0);
  }
  const words = parsed._.map(String);
  const strange = typeof known === "number"
    ? words[known]
    : words.find((word) => !known.includes(word));
  if (strange !== undefined) refuse(`Cannot understand ${strange}`);
  for (const name of values) if (text(name) === "") refuse(`--${name} needs a value`);
  return {
    words,
    text,
    has: (name) => parsed[name] === true,
    number: (name, most = Number.MAX_SAFE_INTEGER) => {
      const value = text(name);
      if (value === undefined) return undefined;
      return /^\d+$/.test(value) && Number(value) <= most
        ? Number(value)
        : refuse(`Cannot take ${value} for --${name}: give a whole number up to ${most}`);
    },
  };
}
