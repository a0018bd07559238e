/** The settings of the local mode, in one table. The first five are the owner's. [seeds DM-14..18] */
import { parseNetwork } from "./network.ts";
import { databaseUrl, oneOf, setting, wholeNumber, words } from "./setting.ts";
import { settings } from "./settings_table.ts";

const flag = oneOf(["true", "false"]).transform((text) => text === "true");

/** The settings, by the name that the program knows them by, in the order of the help. */
export const localSettings = {
  port: setting({
    flag: "port",
    env: "PORT",
    value: "<number>",
    schema: wholeNumber(0, 65_535),
    default: "45454",
    description: "TCP port of everything; 0 takes any free one.",
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
  requireAuth: setting({
    flag: "require-auth",
    env: "REQUIRE_AUTH",
    value: "<true/false>",
    schema: flag,
    default: "false",
    description: "Whether this machine's own programs need a pairing code too.",
  }),
  enableLiveKit: setting({
    flag: "enable-livekit",
    env: "ENABLE_LIVEKIT",
    value: "<true/false>",
    schema: flag,
    default: "false",
    description:
      "Whether calls go through a media server; needs LIVEKIT_SERVER, LIVEKIT_KEY and LIVEKIT_SECRET.",
  }),
  mdnsEnabled: setting({
    flag: "mdns-enabled",
    env: "MDNS_ENABLED",
    value: "<true/false>",
    schema: flag,
    default: "true",
    description: "Whether other machines discover the server by multicast DNS.",
  }),
  name: setting({
    flag: "name",
    env: "SERVER_NAME",
    value: "<name>",
    schema: words,
    defaultText: "Parley on <host>",
    description: "What people see of the server.",
  }),
  interfaces: setting({
    flag: "interfaces",
    env: "INTERFACES",
    value: "<names>",
    schema: words.transform((text) => text.split(",").map((name) => name.trim())),
    defaultText: "all",
    description:
      "Network interfaces to listen on besides loopback, with commas; none for loopback.",
  }),
  allowNetworks: setting({
    flag: "allow-networks",
    env: "ALLOW_NETWORKS",
    value: "<networks>",
    schema: words.transform((text) => text.split(",").map((network) => network.trim()))
      .refine(
        (networks) => networks.every((network) => parseNetwork(network) !== undefined),
        "must be networks such as 192.168.1.0/24 or fd00::/8, with commas",
      ),
    defaultText: "those of the interfaces",
    description: "Networks whose machines may come, such as 192.168.1.0/24, with commas.",
  }),
  dataDir: settings.dataDir,
  logLevel: setting({ ...settings.logLevel, default: "warning" }),
  logFormat: settings.logFormat,
  timeScale: settings.timeScale,
} as const;
