/** Reads the configuration by the table of settings. */
import type { AuthConfig, BlobStoreConfig, Config, SignInConfig } from "./config.ts";
import { locateData } from "./data_location.ts";
import { ConfigError, type Environment, readSettings, type SettingsOf } from "./read_settings.ts";
import { HEADER_WORD, headerSecret } from "./setting.ts";
import { settings } from "./settings_table.ts";
import { scaledTimes } from "./times.ts";

type Values = SettingsOf<typeof settings>;

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
  checkTogether({
    LIVEKIT_SERVER: server,
    LIVEKIT_KEY: key,
    LIVEKIT_SECRET: liveKitSecret,
  }, problems);
  const { tlsCert, tlsKey } = values;
  checkTogether({ TLS_CERT: tlsCert, TLS_KEY: tlsKey }, problems);
  const { stripeApiKey, stripeWebhookSecret, stripePriceIds } = values;
  const billing = stripeApiKey && stripeWebhookSecret && stripePriceIds
    ? {
      apiKey: stripeApiKey,
      webhookSecret: stripeWebhookSecret,
      prices: stripePriceIds,
      url: values.stripeUrl,
    }
    : undefined;
  checkTogether({
    STRIPE_API_KEY: stripeApiKey,
    STRIPE_WEBHOOK_SECRET: stripeWebhookSecret,
    STRIPE_PRICE_IDS: stripePriceIds,
  }, problems);
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
  checkTogether({
    GITHUB_CLIENT_ID: gitHubClientId,
    GITHUB_CLIENT_SECRET: gitHubClientSecret,
  }, problems);
  const oidc = oidcIssuer && oidcClientId && oidcClientSecret
    ? {
      issuer: oidcIssuer,
      clientId: oidcClientId,
      clientSecret: oidcClientSecret,
      name: values.oidcName,
    }
    : undefined;
  checkTogether({
    OIDC_ISSUER: oidcIssuer,
    OIDC_CLIENT_ID: oidcClientId,
    OIDC_CLIENT_SECRET: oidcClientSecret,
  }, problems);
  return {
    passwords: values.passwordSignIn === "on",
    openToAll: values.signUp === "open",
    gitHub,
    oidc,
  };
}

function blobStoreConfig(values: Values, problems: string[]): BlobStoreConfig | undefined {
  const {
    blobStoreUrl: url,
    blobStoreBucket: bucket,
    blobStoreRegion: region,
    blobStoreAccessKey: accessKey,
    blobStoreSecretKey: secretKey,
  } = values;
  checkTogether({
    BLOB_STORE_URL: url,
    BLOB_STORE_BUCKET: bucket,
    BLOB_STORE_ACCESS_KEY: accessKey,
    BLOB_STORE_SECRET_KEY: secretKey,
  }, problems);
  return url && bucket && accessKey && secretKey
    ? { url, bucket, region, accessKey, secretKey }
    : undefined;
}

/** Settings that make sense with each other only: all are given, or none. */
function checkTogether(values: Readonly<Record<string, unknown>>, problems: string[]): void {
  const names = Object.keys(values);
  const given = names.filter((name) => values[name] !== undefined);
  if (given.length === 0 || given.length === names.length) return;
  problems.push(`${names.slice(0, -1).join(", ")} and ${names.at(-1)} must be given together`);
}
