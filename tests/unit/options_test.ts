import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../lib/read_settings.ts";
import { loadConfig } from "../../lib/load_config.ts";
import { loadLocalConfig } from "../../lib/local_config.ts";
import {
  localConfig,
  type LocalOptions,
  serverConfig,
  type ServerOptions,
} from "../../lib/options.ts";
import { settings } from "../../lib/settings_table.ts";

const dataDir = "/data";

function problemsOf(body: () => unknown): readonly string[] {
  return assertThrows(body, ConfigError).problems;
}

Deno.test("[local 7] without options a configuration has the defaults of the settings table", () => {
  assertEquals(serverConfig({ dataDir }), loadConfig(["--data-dir", dataDir], {}));
  assertEquals(localConfig({ dataDir }), loadLocalConfig(["--data-dir", dataDir], {}));
});

Deno.test("[local 7] options are the settings by their names, as values", () => {
  const config = serverConfig({
    dataDir,
    port: 0,
    database: "sqlite::memory:",
    apiToken: "-word",
    webOrigins: ["https://a.example", "https://b.example"],
    passwordSignIn: "off",
    liveKitServer: undefined,
    timeScale: 0.5,
  });
  assertEquals(config.port, 0);
  assertEquals(config.database, { kind: "sqlite", path: ":memory:" });
  assertEquals(config.apiToken?.reveal(), "-word");
  assertEquals(config.webOrigins, ["https://a.example", "https://b.example"]);
  assertEquals(config.signIn.passwords, false);
  assertEquals(serverConfig({ dataDir, webOrigins: [] }).webOrigins, []);
  const local = localConfig({
    dataDir,
    requireAuth: true,
    pairing: false,
    mdnsEnabled: false,
    interfaces: ["none"],
    enableLiveKit: true,
    liveKitServer: "http://127.0.0.1:7880",
    liveKitKey: "key",
    liveKitSecret: "secret",
  });
  assertEquals(
    [local.requireAuth, local.pairing, local.mdnsEnabled, local.interfaces],
    [true, false, false, []],
  );
  assertEquals(local.server.liveKit?.secret.reveal(), "secret");
});

Deno.test("[local 7] every setting of the table has an option", () => {
  for (const name of Object.keys(settings)) {
    const found = problemsOf(() => serverConfig({ [name]: {} } as unknown as ServerOptions));
    assertEquals(found[0], `${name} must be a text, a number, true, false or a list of texts`);
  }
});

Deno.test("[local 7] errors name options, all at once, and no secret", () => {
  const wrong = {
    dataDir,
    port: 70_000,
    prot: 1,
    publicUrl: "",
    toString: "",
  } as ServerOptions;
  assertEquals(problemsOf(() => serverConfig(wrong)), [
    "prot is no setting: docs/CONFIGURATION.md has all",
    "publicUrl must not be empty",
    "toString is no setting: docs/CONFIGURATION.md has all",
  ]);
  assertEquals(
    problemsOf(() =>
      serverConfig({ dataDir, port: 70_000, apiToken: "two words", liveKitKey: "k" })
    ),
    [
      'port="70000": must be a whole number from 0 to 65535',
      "apiToken: must be printable ASCII without spaces: clients send it as a word of an HTTP header",
      "liveKitServer, liveKitKey and liveKitSecret must be given together",
    ],
  );
  assertEquals(problemsOf(() => serverConfig({} as ServerOptions)), [
    "dataDir is missing: name a folder for the server's data",
  ]);
  assertEquals(problemsOf(() => localConfig({ dataDir, enableLiveKit: true } as LocalOptions)), [
    "enableLiveKit=true needs liveKitServer, liveKitKey, liveKitSecret",
  ]);
  assertEquals(
    problemsOf(() => localConfig({ dataDir, database: "postgres://u:p@host/db" })),
    ["database: the local mode keeps its data in SQLite; for PostgreSQL use serve"],
  );
});
