/** Every setting of the program, in one table; flags, environment and documents come from it. */
import { parseArgs } from "@std/cli/parse-args";
import { z } from "zod";
import { type ProtocolTimes, scaledTimes } from "./times.ts";

/** A text that must not be printed: only {@link Secret.reveal} gives it out. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

/** Where the database is. */
export type DatabaseLocation = { readonly kind: "sqlite"; readonly path: string };

/** Description of one setting. */
export interface Setting<Value> {
  /** Name of the command-line flag, without the dashes. */
  readonly flag: string;
  readonly env: string;
  /** From the text that the user gave to the value; its error messages say what is expected. */
  readonly schema: z.ZodType<Value, string>;
  /** The text that stands in where the user gave none; without it the value is then undefined. */
  readonly default?: string;
  /** What the help shows as default where it is not a fixed text. */
  readonly defaultText?: string;
  /** Placeholder for the value in the help. */
  readonly value: string;
  readonly description: string;
  /** Never printed, and better not given as a flag, where other users of the machine see it. */
  readonly secret?: true;
  /** May hold a password, so that messages do not repeat it. */
  readonly confidential?: true;
  /** For tests: in no help and no document. */
  readonly hidden?: true;
}

function setting<Value, const Options extends Setting<Value>>(
  options: Options & Setting<Value>,
): Options {
  return options;
}

const secret = z.string().min(1, "must not be empty").transform((value) => new Secret(value));

function wholeNumber(min: number, max: number) {
  const expected = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d{1,10}$/, expected).transform(Number).pipe(
    z.number().min(min, expected).max(max, expected),
  );
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.string().pipe(z.enum(values, `must be one of ${values.join(", ")}`));
}

const webUrl = z.string().refine(isWebUrl, "must be an http: or https: URL without a path")
  .transform((text) => new URL(text).origin);

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" &&
    url.search === "" && url.hash === "" && url.username === "";
}

const databaseUrl = z.string().transform((text, context): DatabaseLocation => {
  if (/^postgres(ql)?:/.test(text)) {
    context.addIssue("PostgreSQL comes with a later release; use sqlite:<path> for now");
    return z.NEVER;
  }
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(text)?.[1];
  if (path === undefined) {
    context.addIssue("must be sqlite:<path> or sqlite::memory:");
    return z.NEVER;
  }
  return { kind: "sqlite", path };
});

const serverUrl = z.string().refine(
  (text) => /^(https?|wss?):$/.test(URL.parse(text)?.protocol ?? ""),
  "must be an http:, https:, ws: or wss: URL",
);

/** The settings, by the name that the program knows them by, in the order of the help. */
export const settings = {
  port: setting({
    flag: "port",
    env: "HTTP_PORT",
    value: "<number>",
    schema: wholeNumber(0, 65_535),
    default: "8080",
    description: "TCP port to listen on; 0 takes any free one.",
  }),
  host: setting({
    flag: "host",
    env: "HTTP_HOST",
    value: "<address>",
    schema: z.string().min(1, "must not be empty"),
    default: "127.0.0.1",
    description: "Address to listen on; 0.0.0.0 lets other machines connect.",
  }),
  publicUrl: setting({
    flag: "public-url",
    env: "PUBLIC_URL",
    value: "<url>",
    schema: webUrl,
    defaultText: "from each request's Host header",
    description: "URL under which clients reach the server, where a proxy stands before it.",
  }),
  dataDir: setting({
    flag: "data-dir",
    env: "PARLEY_DATA_DIR",
    value: "<folder>",
    schema: z.string().min(1, "must not be empty"),
    defaultText: "the system's own place for such data",
    description: "Folder of the database and of everything else that the server keeps.",
  }),
  database: setting({
    flag: "database-url",
    env: "DATABASE_URL",
    value: "<url>",
    schema: databaseUrl,
    defaultText: "the file parley.sqlite in the data folder",
    description:
      "Database: sqlite:<path>, or sqlite::memory: for one that is forgotten at the end.",
    confidential: true,
  }),
  apiToken: setting({
    flag: "api-token",
    env: "API_TOKEN",
    value: "<secret>",
    schema: secret,
    defaultText: "none: those routes are closed",
    description:
      "Token that opens the routes for scripts, such as POST /internal/users/impersonate.",
    secret: true,
  }),
  maxConnections: setting({
    flag: "max-concurrent-connections",
    env: "MAX_CONCURRENT_CONNECTIONS",
    value: "<number>",
    schema: wholeNumber(1, 1_000_000),
    default: "10000",
    description: "Open connections of all users together; the next one is refused with 503.",
  }),
  logLevel: setting({
    flag: "log-level",
    env: "LOG_LEVEL",
    value: "<level>",
    schema: oneOf(["debug", "info", "warning", "error"]),
    default: "info",
    description: "Least important messages that are logged: debug, info, warning or error.",
  }),
  logFormat: setting({
    flag: "log-format",
    env: "LOG_FORMAT",
    value: "<format>",
    schema: oneOf(["text", "json"]),
    default: "text",
    description: "Format of the log: text for people, json (one object per line) for machines.",
  }),
  liveKitServer: setting({
    flag: "livekit-server",
    env: "LIVEKIT_SERVER",
    value: "<url>",
    schema: serverUrl,
    defaultText: "none: calls without sound and screen",
    description: "LiveKit server for sound and screen sharing; needs the next two as well.",
  }),
  liveKitKey: setting({
    flag: "livekit-key",
    env: "LIVEKIT_KEY",
    value: "<key>",
    schema: z.string().min(1, "must not be empty"),
    defaultText: "none",
    description: "API key of the LiveKit server.",
  }),
  liveKitSecret: setting({
    flag: "livekit-secret",
    env: "LIVEKIT_SECRET",
    value: "<secret>",
    schema: secret,
    defaultText: "none",
    description: "API secret of the LiveKit server.",
    secret: true,
  }),
  timeScale: setting({
    flag: "time-scale",
    env: "PARLEY_TIME_SCALE",
    value: "<factor>",
    schema: z.string().regex(/^\d+(\.\d+)?$/, "must be a number above 0").transform(Number).pipe(
      z.number().gt(0, "must be a number above 0"),
    ),
    default: "1",
    description: "Factor on all times of the protocol.",
    hidden: true,
  }),
} as const;

/** The media server that calls go through. */
export interface LiveKitConfig {
  readonly server: string;
  readonly key: string;
  readonly secret: Secret;
}

/** The program's configuration, checked. */
export interface Config {
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string;
  /** Origin without a slash at its end; undefined: take it from each request. */
  readonly publicUrl: string | undefined;
  readonly dataDir: string;
  readonly database: DatabaseLocation;
  /** Guards the routes for scripts; they are closed without it. */
  readonly apiToken: Secret | undefined;
  readonly maxConnections: number;
  readonly log: {
    readonly level: "debug" | "info" | "warning" | "error";
    readonly format: "text" | "json";
  };
  readonly liveKit: LiveKitConfig | undefined;
  readonly times: ProtocolTimes;
}

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

/** Where the data is: all that the commands beside `serve` need to know. */
export type DataConfig = Pick<Config, "dataDir" | "database">;

type SettingName = keyof typeof settings;

type Values = {
  [K in SettingName]:
    | z.output<(typeof settings)[K]["schema"]>
    | ((typeof settings)[K] extends { default: string } ? never : undefined);
};

/** The environment as far as it is looked at. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of the settings of {@link loadDataConfig}. */
export const dataSettings = ["dataDir", "database"] as const satisfies readonly SettingName[];

/**
 * Reads the configuration: flags first, then the environment, then the defaults.
 *
 * @param args command line without the program's and the subcommand's name.
 * @throws {ConfigError} listing everything that is wrong.
 */
export function loadConfig(
  args: readonly string[],
  env: Environment,
  os: typeof Deno.build.os = Deno.build.os,
): Config {
  const problems: string[] = [];
  const values = readValues(Object.keys(settings) as SettingName[], args, env, problems);
  const data = locateData(values, env, os, problems);
  const { liveKitServer: server, liveKitKey: key, liveKitSecret } = values;
  const liveKit = server && key && liveKitSecret
    ? { server, key, secret: liveKitSecret }
    : undefined;
  if (liveKit === undefined && (server || key || liveKitSecret)) {
    problems.push("LIVEKIT_SERVER, LIVEKIT_KEY and LIVEKIT_SECRET must be given together");
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    ...data,
    port: values.port,
    host: values.host,
    publicUrl: values.publicUrl,
    apiToken: values.apiToken,
    maxConnections: values.maxConnections,
    log: { level: values.logLevel, format: values.logFormat },
    liveKit,
    times: scaledTimes(values.timeScale),
  };
}

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
  const data = locateData(readValues(dataSettings, args, env, problems), env, os, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return data;
}

function locateData(
  values: Pick<Values, (typeof dataSettings)[number]>,
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

function readValues<Name extends SettingName>(
  names: readonly Name[],
  args: readonly string[],
  env: Environment,
  problems: string[],
): Pick<Values, Name> {
  const wanted = names.map((name) => [name, settings[name] as Setting<unknown>] as const);
  const given = readFlags(wanted.map(([, setting]) => setting.flag), args, problems);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of wanted) {
    const flag = given.get(setting.flag);
    // An empty variable is how Compose and CI files say "not set".
    const text = flag ?? (env[setting.env] || setting.default);
    if (text === undefined) continue;
    const result = setting.schema.safeParse(text);
    if (result.success) {
      values[name] = result.data;
    } else {
      const source = flag === undefined ? setting.env : `--${setting.flag}`;
      const shown = setting.secret || setting.confidential
        ? source
        : `${source}=${JSON.stringify(text)}`;
      problems.push(`${shown}: ${result.error.issues[0]!.message}`);
    }
  }
  return values as Pick<Values, Name>;
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

function shown(setting: Setting<unknown>): string {
  return setting.default ?? setting.defaultText ?? "none";
}

function visible(): Setting<unknown>[] {
  return (Object.values(settings) as Setting<unknown>[]).filter((setting) => !setting.hidden);
}

/** The part of `--help` that lists the settings. */
export function configHelp(): string {
  const rows = visible().map((setting) =>
    [
      `--${setting.flag} ${setting.value}`,
      `${setting.description} [${setting.env}; default: ${shown(setting)}]`,
    ] as const
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  return rows.map(([usage, text]) => `  ${usage.padEnd(width)}  ${text}`).join("\n");
}

/** `docs/CONFIGURATION.md`. */
export function configDocument(): string {
  const rows = visible().map((setting) => {
    const fallback = setting.default === undefined ? shown(setting) : `\`${setting.default}\``;
    return `| \`--${setting.flag} ${setting.value}\` | \`${setting.env}\` | ${fallback} | ` +
      `${setting.description.replaceAll("<", "\\<")}${setting.secret ? " Secret." : ""} |`;
  });
  return `<!-- Generated by scripts/gen_config_docs.ts from lib/config.ts; do not edit. -->
# Configuration

A flag beats its environment variable, which beats the default. An empty variable counts as not set.
Flags are visible to everybody on the machine: give secrets as variables.

| flag | variable | default | meaning |
|---|---|---|---|
${rows.join("\n")}

The data folder, where none is given:

| system | folder |
|---|---|
| Linux and other Unix | \`$XDG_DATA_HOME/parley\`, else \`~/.local/share/parley\` |
| macOS | \`~/Library/Application Support/Parley\` |
| Windows | \`%LOCALAPPDATA%\\Parley\` |

\`parley user\` reads the same \`--data-dir\` and \`--database-url\`, so that it finds the server's data.
`;
}
