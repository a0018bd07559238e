/** Every setting of the program, in one table; flags, environment and documents come from it. */
import { z } from "zod";
import {
  databaseUrl,
  oneOf,
  secret,
  secretKey,
  serverUrl,
  setting,
  webUrl,
  wholeNumber,
  words,
} from "./setting.ts";

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
    schema: words,
    default: "127.0.0.1",
    description: "Address to listen on; 0.0.0.0 lets other machines connect.",
  }),
  publicUrl: setting({
    flag: "public-url",
    env: "PUBLIC_URL",
    value: "<url>",
    schema: webUrl,
    defaultText: "from each request's Host header",
    description:
      "URL under which clients reach the server, where a proxy stands before it; it may have a path.",
  }),
  dataDir: setting({
    flag: "data-dir",
    env: "PARLEY_DATA_DIR",
    value: "<folder>",
    schema: words,
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
  trustedProxies: setting({
    flag: "trusted-proxies",
    env: "TRUSTED_PROXIES",
    value: "<which>",
    schema: oneOf(["none", "loopback", "private"]),
    default: "loopback",
    description:
      "Whose X-Forwarded-For is believed when attempts to sign in are counted: loopback, " +
      "private (addresses of private networks too) or none.",
  }),
  staff: setting({
    flag: "staff",
    env: "STAFF",
    value: "<who>",
    schema: oneOf(["none", "admins", "all"]),
    default: "none",
    description:
      "Who counts as staff in Zed: none, admins or all. Staff connect by themselves after signing " +
      "in, and get the editor's unfinished features as well.",
  }),
  llmApiSecret: setting({
    flag: "llm-api-secret",
    env: "LLM_API_SECRET",
    value: "<secret>",
    schema: secretKey(16),
    defaultText: "none: there are no models",
    description: "Key that signs the tokens for a model proxy of your own (JWT, HS256).",
    secret: true,
  }),
  checksumSeed: setting({
    flag: "client-checksum-seed",
    env: "ZED_CLIENT_CHECKSUM_SEED",
    value: "<secret>",
    schema: secret,
    defaultText: "none: nothing is checked",
    description: "Seed of the checksum of telemetry, for clients that were built with it.",
    secret: true,
  }),
  extensionsUpstream: setting({
    flag: "extensions-upstream",
    env: "EXTENSIONS_UPSTREAM",
    value: "<url>",
    schema: webUrl,
    defaultText: "none: the registry is empty",
    description:
      "Where requests for extensions are sent on to; https://api.zed.dev keeps Zed's gallery.",
  }),
  siteUpstream: setting({
    flag: "site-upstream",
    env: "SITE_UPSTREAM",
    value: "<url>",
    schema: webUrl,
    defaultText: "none: small pages of this server",
    description:
      "Where documentation, release notes and updates of 2025 are sent on to, such as https://zed.dev.",
  }),
  cloudUpstream: setting({
    flag: "cloud-upstream",
    env: "CLOUD_UPSTREAM",
    value: "<url>",
    schema: webUrl,
    defaultText: "none: no updates are offered",
    description: "Where updates of 2026 are sent on to, such as https://cloud.zed.dev.",
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
    schema: words,
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
