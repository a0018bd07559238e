/** The settings of the local mode, and what it warns of. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { warnings } from "../../../cli/serve_local.ts";
import { ConfigError } from "../../../lib/read_settings.ts";
import { defaultLocalDataDir, loadLocalConfig } from "../../../lib/local_config.ts";

const home = { HOME: "/home/ada" };
const load = (args: readonly string[] = [], env: Record<string, string> = home) =>
  loadLocalConfig(args, env, "linux");

Deno.test("[local 1] [local 1a] nothing has to be given: loopback's port 45454, a file in the user's data folder", () => {
  const { server, pairing, interfaces, allowNetworks } = load();
  assertEquals([server.host, server.port], ["127.0.0.1", 45454]);
  const folder = "/home/ada/.local/share/parley/local";
  assertEquals(server.dataDir, folder);
  assertEquals(server.database, { kind: "sqlite", path: `${folder}/parley.sqlite` });
  assertEquals([pairing, interfaces, allowNetworks], [true, undefined, undefined]);
  assertEquals([server.liveKit, server.signIn.passwords, server.trustedProxies], [
    undefined,
    false,
    "none",
  ]);
  assertEquals(warnings(load()), []);
});

Deno.test("[local 1a] each system has its place for a user's data", () => {
  assertEquals(
    defaultLocalDataDir({ HOME: "/Users/ada" }, "darwin"),
    "/Users/ada/Library/Application Support/Parley/local",
  );
  assertEquals(
    defaultLocalDataDir({ LOCALAPPDATA: "C:\\Users\\ada\\AppData\\Local" }, "windows"),
    "C:\\Users\\ada\\AppData\\Local\\Parley\\local",
  );
  assertEquals(defaultLocalDataDir({}, "linux"), undefined);
  assertStringIncludes(assertThrows(() => load([], {}), ConfigError).message, "give --data-dir");
});

Deno.test("[local 1a] in memory only when asked, also as the original configuration writes it; and warned of", () => {
  for (const url of ["sqlite::memory:", "sqlite::memory:?mode=rwc"]) {
    const config = load(["--database-url", url]);
    assertEquals(config.server.database, { kind: "sqlite", path: ":memory:" });
    assertStringIncludes(warnings(config).join("\n"), "WARNING: the database is in memory");
  }
});

Deno.test("[local 1d] the settings of LocalCollabConfig have their names, as flags and in the environment", () => {
  const liveKit = { LIVEKIT_SERVER: "wss://media", LIVEKIT_KEY: "k", LIVEKIT_SECRET: "s" };
  const flags = load([
    ...["--port", "5000", "--database-url", "sqlite:/srv/x.sqlite", "--require-auth", "true"],
    ...["--enable-livekit", "true", "--mdns-enabled", "false"],
  ], { ...home, ...liveKit });
  const environment = load([], {
    ...home,
    ...liveKit,
    PORT: "5000",
    DATABASE_URL: "sqlite:/srv/x.sqlite",
    REQUIRE_AUTH: "true",
    ENABLE_LIVEKIT: "true",
    MDNS_ENABLED: "false",
  });
  for (const { server, requireAuth, mdnsEnabled } of [flags, environment]) {
    assertEquals(server.port, 5000);
    assertEquals(server.database, { kind: "sqlite", path: "/srv/x.sqlite" });
    assertEquals(server.liveKit?.server, "wss://media");
    assertEquals([requireAuth, mdnsEnabled], [true, false]);
  }
  const { requireAuth, mdnsEnabled, server } = load();
  assertEquals([requireAuth, mdnsEnabled, server.liveKit], [false, true, undefined]);
});

Deno.test("[local 1] what a server with accounts needs is not taken from its environment", () => {
  const { server } = load([], { ...home, HOST: "0.0.0.0", LIVEKIT_KEY: "k", API_TOKEN: "t" });
  assertEquals([server.host, server.liveKit], ["127.0.0.1", undefined]);
});

Deno.test("[local 3d] [local 5] who switches pairing off is warned, unless nobody else can come", () => {
  const open = load(["--insecure-no-pairing"]);
  assertEquals(open.pairing, false);
  assertStringIncludes(warnings(open).join("\n"), "WARNING: pairing is switched off");
  assertEquals(warnings(load(["--insecure-no-pairing", "--interfaces", "none"])), []);
});

Deno.test("[local 5] interfaces and networks are lists", () => {
  const { interfaces, allowNetworks } = load([
    ...["--interfaces", "eth0, wlan0", "--allow-networks", "192.168.1.0/24,fd00::/8"],
  ]);
  assertEquals(interfaces, ["eth0", "wlan0"]);
  assertEquals(allowNetworks, ["192.168.1.0/24", "fd00::/8"]);
  assertEquals(load(["--interfaces", "none"]).interfaces, []);
});

Deno.test("[local 1d] everything that is wrong is told at once", () => {
  const { problems } = assertThrows(
    () =>
      load([
        ...["--port", "99999", "--require-auth", "yes", "--database-url", "postgres://h/d"],
        ...["--enable-livekit", "true", "--allow-networks", "10.0.0.0/40", "--frobnicate"],
      ]),
    ConfigError,
  );
  const said = problems.join("\n");
  for (
    const word of [
      "--port",
      "--require-auth",
      "for PostgreSQL use serve",
      "ENABLE_LIVEKIT=true needs LIVEKIT_SERVER",
      "10.0.0.0/40",
      "--frobnicate",
    ]
  ) assertStringIncludes(said, word);
});
