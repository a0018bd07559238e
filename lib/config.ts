/** The program's configuration: flags, environment and defaults, read by the table of settings. */
import { localSettings } from "./local_settings_table.ts";
import {
  ConfigError,
  type Environment,
  readSettings,
  settingsHelp,
  type SettingsOf,
  settingsRows,
} from "./read_settings.ts";
import { type DatabaseLocation, HEADER_WORD, headerSecret, type Secret } from "./setting.ts";
import type { AgentPolicy } from "./agent_policy.ts";
import { settings } from "./settings_table.ts";
import { type ProtocolTimes, scaledTimes } from "./times.ts";

export { type DatabaseLocation, Secret, type Setting } from "./setting.ts";
export { settings } from "./settings_table.ts";
export { ConfigError, type Environment } from "./read_settings.ts";

/** The media server that calls go through. */
export interface LiveKitConfig {
  readonly server: string;
  readonly key: string;
  readonly secret: Secret;
}

/** What clients may send as a user's token besides this server's own tokens. */
export type AuthConfig =
  | { readonly kind: "tokens" }
  | { readonly kind: "shared-secret"; readonly secret: Secret }
  | {
    readonly kind: "jwt";
    readonly key:
      | { readonly kind: "secret"; readonly secret: Secret }
      | { readonly kind: "jwks"; readonly url: string };
    readonly issuer: string;
    readonly audience: string;
    /** Name of the claim that holds the login. */
    readonly claim: string;
  }
  /** Anything: for development, on the loopback address only. */
  | { readonly kind: "none" };

/** How people in a browser prove who they are. */
export interface SignInConfig {
  readonly passwords: boolean;
  /** Whether strangers whom a provider knows get an account. */
  readonly openToAll: boolean;
  readonly gitHub: GitHubConfig | undefined;
  readonly oidc: OidcConfig | undefined;
}

/** An OAuth app of GitHub. */
export interface GitHubConfig {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly url: string;
  readonly apiUrl: string;
}

/** A client at an OpenID Connect provider. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** For the sign-in page. */
  readonly name: string;
}

/** An account at Stripe. */
export interface BillingConfig {
  readonly apiKey: Secret;
  readonly webhookSecret: Secret;
  /** Stripe's ids by names of ours. */
  readonly prices: ReadonlyMap<string, string>;
  readonly url: string;
}

/** Servers that answer in our stead. [transport 7.1.7] [transport 7.2.4] */
export interface Upstreams {
  readonly extensions: string | undefined;
  readonly site: string | undefined;
  readonly cloud: string | undefined;
}

/** The program's configuration, checked. */
export interface Config {
  /** What this process serves. [transport 6.3.3] */
  readonly mode: "all" | "api" | "collab";
  /** Where the collaboration process of a split installation is, without a slash at its end. */
  readonly collabUrl: string | undefined;
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string;
  /** URL without a slash at its end, perhaps with a path; undefined: take it from each request. */
  readonly publicUrl: string | undefined;
  /** Web pages elsewhere that may use the API of accounts. [transport 11.2] */
  readonly webOrigins: readonly string[];
  readonly dataDir: string;
  readonly database: DatabaseLocation;
  /** Connections to a database that has any. */
  readonly databaseConnections: number;
  /** Guards the routes for scripts; they are closed without it. */
  readonly apiToken: Secret | undefined;
  readonly maxConnections: number;
  /** HTTP requests in a minute, 0 without a limit. */
  readonly requestLimits: { readonly address: number; readonly user: number };
  /** PEM files with which the server encrypts by itself. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly log: {
    readonly level: "debug" | "info" | "warning" | "error";
    readonly format: "text" | "json";
  };
  readonly liveKit: LiveKitConfig | undefined;
  /** Which peers' `X-Forwarded-For` is believed. */
  readonly trustedProxies: "none" | "loopback" | "private";
  readonly auth: AuthConfig;
  readonly signIn: SignInConfig;
  /** Who counts as staff in Zed. [transport 3.4.6] */
  readonly staff: "none" | "admins" | "all";
  /** Root channel that new users join as guests. [channels 2.7] */
  readonly welcomeChannel: number | undefined;
  /** Signs tokens for a model proxy; there are no models without it. [transport 9] */
  readonly llmApiSecret: Secret | undefined;
  /** Seed of telemetry's checksum. [transport 7.4.1] */
  readonly checksumSeed: Secret | undefined;
  /** Whether reports of clients are kept. [transport 7.4] */
  readonly storesTelemetry: boolean;
  /** Where requests are sent on to, if at all; URLs without a slash at their end. */
  readonly upstreams: Upstreams;
  /** Folder of the registry's archives; undefined for the one in the data folder. */
  readonly extensionsDir: string | undefined;
  readonly agents: AgentPolicy;
  /** Nobody pays without it. */
  readonly billing: BillingConfig | undefined;
  /** Where the archives are in place of a folder. */
  readonly blobStore: BlobStoreConfig | undefined;
  readonly times: ProtocolTimes;
}

/** A bucket of an S3-compatible store. */
export interface BlobStoreConfig {
  /** Without a slash at its end. */
  readonly url: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: Secret;
}

/** Where the data is: all that the commands beside `serve` need to know. */
export type DataConfig = Pick<Config, "dataDir" | "database">;

type SettingName = keyof typeof settings;

type Values = SettingsOf<typeof settings>;

/** Names of the settings of {@link loadDataConfig}. */
export const dataSettings = ["dataDir", "database"] as const satisfies readonly SettingName[];

const dataTable = { dataDir: settings.dataDir, database: settings.database };

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
  const values = readSettings(settings, args, env, problems);
  const data = locateData(values, env, os, problems);
  const { liveKitServer: server, liveKitKey: key, liveKitSecret } = values;
  const liveKit = server && key && liveKitSecret
    ? { server, key, secret: liveKitSecret }
    : undefined;
  if (liveKit === undefined && (server || key || liveKitSecret)) {
    problems.push("LIVEKIT_SERVER, LIVEKIT_KEY and LIVEKIT_SECRET must be given together");
  }
  const { tlsCert, tlsKey } = values;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    problems.push("TLS_CERT and TLS_KEY must be given together");
  }
  const { stripeApiKey, stripeWebhookSecret, stripePriceIds } = values;
  const billing = stripeApiKey && stripeWebhookSecret && stripePriceIds
    ? {
      apiKey: stripeApiKey,
      webhookSecret: stripeWebhookSecret,
      prices: stripePriceIds,
      url: values.stripeUrl,
    }
    : undefined;
  if (billing === undefined && (stripeApiKey || stripeWebhookSecret || stripePriceIds)) {
    problems.push(
      "STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET and STRIPE_PRICE_IDS must be given together",
    );
  }
  const blobStore = blobStoreConfig(values, problems);
  const signIn = signInConfig(values, problems);
  const auth = authConfig(values, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    ...data,
    mode: values.mode,
    collabUrl: values.collabUrl,
    port: values.port,
    host: values.host,
    publicUrl: values.publicUrl,
    webOrigins: values.webOrigins ?? [],
    apiToken: values.apiToken,
    databaseConnections: values.databaseConnections,
    maxConnections: values.maxConnections,
    requestLimits: { address: values.addressRequests, user: values.userRequests },
    tls: tlsCert && tlsKey ? { certFile: tlsCert, keyFile: tlsKey } : undefined,
    log: { level: values.logLevel, format: values.logFormat },
    liveKit,
    trustedProxies: values.trustedProxies,
    auth,
    signIn,
    staff: values.staff,
    billing,
    welcomeChannel: values.welcomeChannel,
    llmApiSecret: values.llmApiSecret,
    checksumSeed: values.checksumSeed,
    storesTelemetry: values.telemetry === "store",
    extensionsDir: values.extensionsDir,
    blobStore,
    upstreams: {
      extensions: values.extensionsUpstream,
      site: values.siteUpstream,
      cloud: values.cloudUpstream,
    },
    agents: {
      batching: values.agentBatching === "on",
      retention: values.agentRetentionDays * 86_400_000,
      retainedEvents: values.agentRetainedEvents,
      eventsPerSecond: values.agentEventsPerSecond,
    },
    times: scaledTimes(values.timeScale),
  };
}

function authConfig(values: Values, problems: string[]): AuthConfig {
  const { auth: kind, authSecret, authJwksUrl, authIssuer, authAudience, authClaim } = values;
  switch (kind) {
    case "tokens":
      return { kind };
    case "none":
      if (!/^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/.test(values.host) || values.publicUrl) {
        problems.push(
          "AUTH_STRATEGY=none lets everybody in as anybody: it needs a loopback HTTP_HOST and no PUBLIC_URL",
        );
      }
      return { kind };
    case "shared-secret":
      if (authSecret === undefined) problems.push("AUTH_STRATEGY=shared-secret needs AUTH_SECRET");
      else if (headerSecret.safeParse(authSecret.reveal()).success) {
        return { kind, secret: authSecret };
      } else problems.push(`AUTH_SECRET: ${HEADER_WORD}`);
      return { kind: "tokens" };
    case "jwt": {
      const key = authJwksUrl !== undefined
        ? { kind: "jwks" as const, url: authJwksUrl }
        : authSecret && { kind: "secret" as const, secret: authSecret };
      if (key && !(authJwksUrl && authSecret) && authIssuer && authAudience) {
        return { kind, key, issuer: authIssuer, audience: authAudience, claim: authClaim };
      }
      problems.push(
        "AUTH_STRATEGY=jwt needs AUTH_ISSUER, AUTH_AUDIENCE and one of AUTH_SECRET and AUTH_JWKS_URL",
      );
      return { kind: "tokens" };
    }
  }
}

function signInConfig(values: Values, problems: string[]): SignInConfig {
  const { gitHubClientId, gitHubClientSecret, oidcIssuer, oidcClientId, oidcClientSecret } = values;
  const gitHub = gitHubClientId && gitHubClientSecret
    ? {
      clientId: gitHubClientId,
      clientSecret: gitHubClientSecret,
      url: values.gitHubUrl,
      apiUrl: values.gitHubApiUrl,
    }
    : undefined;
  if (gitHub === undefined && (gitHubClientId || gitHubClientSecret)) {
    problems.push("GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET must be given together");
  }
  const oidc = oidcIssuer && oidcClientId && oidcClientSecret
    ? {
      issuer: oidcIssuer,
      clientId: oidcClientId,
      clientSecret: oidcClientSecret,
      name: values.oidcName,
    }
    : undefined;
  if (oidc === undefined && (oidcIssuer || oidcClientId || oidcClientSecret)) {
    problems.push("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be given together");
  }
  return {
    passwords: values.passwordSignIn === "on",
    openToAll: values.signUp === "open",
    gitHub,
    oidc,
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
  const data = locateData(readSettings(dataTable, args, env, problems), env, os, problems);
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

/** The part of `--help` that lists the settings. */
export function configHelp(): string {
  return settingsHelp(settings);
}

/** `docs/CONFIGURATION.md`. */
export function configDocument(): string {
  return `<!-- Generated by scripts/gen_config_docs.ts from lib/settings_table.ts and lib/local_settings_table.ts; do not edit. -->
# Configuration

A flag beats its environment variable, which beats the default. An empty variable counts as not set.
Flags are visible to everybody on the machine: give secrets as variables.

| flag | variable | default | meaning |
|---|---|---|---|
${settingsRows(settings)}

The data folder, where none is given:

| system | folder |
|---|---|
| Linux and other Unix | \`$XDG_DATA_HOME/parley\`, else \`~/.local/share/parley\` |
| macOS | \`~/Library/Application Support/Parley\` |
| Windows | \`%LOCALAPPDATA%\\Parley\` |

\`parley user\` reads the same \`--data-dir\` and \`--database-url\`, so that it finds the server's data.

## Local mode

The settings of \`parley serve-local\`; all others have the values above.

| flag | variable | default | meaning |
|---|---|---|---|
${settingsRows(localSettings)}
| \`--insecure-no-pairing\` | | off | Lets other machines in without a code; warns at every start. |

The data folder, where none is given, is \`local\` in the one above.
`;
}

function blobStoreConfig(values: Values, problems: string[]): BlobStoreConfig | undefined {
  const {
    blobStoreUrl: url,
    blobStoreBucket: bucket,
    blobStoreRegion: region,
    blobStoreAccessKey: accessKey,
    blobStoreSecretKey: secretKey,
  } = values;
  if (url && bucket && accessKey && secretKey) {
    return { url, bucket, region, accessKey, secretKey };
  }
  if (url || bucket || accessKey || secretKey) {
    problems.push(
      "BLOB_STORE_URL, BLOB_STORE_BUCKET, BLOB_STORE_ACCESS_KEY and BLOB_STORE_SECRET_KEY " +
        "must be given together",
    );
  }
  return undefined;
}
