/** The program's configuration, as the rest of it sees it. */
import type { AgentPolicy } from "./agent_policy.ts";
import type { DatabaseLocation, Secret } from "./setting.ts";
import type { ProtocolTimes } from "./times.ts";

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
