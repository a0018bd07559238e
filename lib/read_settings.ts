/** Reads settings: flags first, then the environment, then the defaults. */
import { parseArgs } from "@std/cli/parse-args";
import type { z } from "zod";
import type { Setting } from "./setting.ts";

/** Settings that cannot be used; the message lists every problem, one per line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(
      problems.length === 1
        ? `Cannot use the configuration: ${problems[0]}`
        : `Cannot use the configuration:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
  }
}

/** The environment as far as it is looked at. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings by the name that the program knows them by. */
// deno-lint-ignore no-explicit-any -- a setting's value is in its schema
type Table = Readonly<Record<string, Setting<any>>>;

/** The values of a table. */
export type SettingsOf<T extends Table> = {
  [K in keyof T]:
    | z.output<T[K]["schema"]>
    | (T[K] extends { default: string } ? never : undefined);
};

/** Reads the values of a table; what is wrong is added to `problems`. */
export function readSettings<T extends Table>(
  table: T,
  args: readonly string[],
  env: Environment,
  problems: string[],
): SettingsOf<T> {
  const given = readFlags(Object.values(table).map(({ flag }) => flag), args, problems);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const flag = given.get(setting.flag);
    // An empty variable is how Compose and CI files say "not set".
    const variable = !env[setting.env] && setting.alias && env[setting.alias]
      ? setting.alias
      : setting.env;
    const text = flag ?? (env[variable] || setting.default);
    if (text === undefined) continue;
    const result = setting.schema.safeParse(text);
    if (result.success) {
      values[name] = result.data;
    } else {
      const source = flag === undefined ? variable : `--${setting.flag}`;
      const shown = setting.secret || setting.confidential
        ? source
        : `${source}=${JSON.stringify(text)}`;
      problems.push(`${shown}: ${result.error.issues[0]!.message}`);
    }
  }
  return values as SettingsOf<T>;
}

function readFlags(
  flags: readonly string[],
  args: readonly string[],
  problems: string[],
): Map<string, string> {
  const parsed = parseArgs([...args], {
    string: flags,
    collect: flags,
    unknown: (arg) => {
      problems.push(`${arg} is not an option; --help lists them`);
      return false;
    },
  });
  const given = new Map<string, string>();
  for (const flag of flags) {
    const values = parsed[flag] as string[];
    if (values.length > 1) problems.push(`--${flag} is given more than once`);
    else if (values[0] === "") problems.push(`--${flag} needs a value`);
    else if (values[0] !== undefined) given.set(flag, values[0]);
  }
  return given;
}

function shown(setting: Setting<unknown>): string {
  return setting.default ?? setting.defaultText ?? "none";
}

function visible(table: Table): Setting<unknown>[] {
  return (Object.values(table) as Setting<unknown>[]).filter((setting) => !setting.hidden);
}

/** The lines of `--help` that list settings. */
export function settingsHelp(table: Table): string {
  const rows = visible(table).map((setting) =>
    [
      `--${setting.flag} ${setting.value}`,
      `${setting.description} [${setting.env}; default: ${shown(setting)}]`,
    ] as const
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return rows.map(([usage, text]) => `  ${usage.padEnd(width)}  ${text}`).join("\n");
}

/** The rows of a table in Markdown: flag, variable, default, meaning. */
export function settingsRows(table: Table): string {
  return visible(table).map((setting) => {
    const fallback = setting.default === undefined ? shown(setting) : `\`${setting.default}\``;
    return `| \`--${setting.flag} ${setting.value}\` | \`${setting.env}\` | ${fallback} | ` +
      `${setting.description.replaceAll("<", "\\<")}${setting.secret ? " Secret." : ""} |`;
  }).join("\n");
}
