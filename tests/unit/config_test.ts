import { agentPolicy } from "../../lib/agent_policy.ts";
import {
  assert,
  assertEquals,
  assertNotMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { serveHelp } from "../../cli/serve.ts";
import { ConfigError, type Environment } from "../../lib/read_settings.ts";
import { defaultDataDir, loadDataConfig } from "../../lib/data_location.ts";
import { loadConfig } from "../../lib/load_config.ts";
import { settings } from "../../lib/settings_table.ts";
import { protocolTimes } from "../../lib/times.ts";
import { configDocument, run } from "../../scripts/gen_config_docs.ts";

const home: Environment = { HOME: "/home/u" };

function problems(args: readonly string[], env: Environment = {}): readonly string[] {
  return assertThrows(() => loadConfig(args, { ...home, ...env }, "linux"), ConfigError).problems;
}

Deno.test("[issue 3 run] the defaults are those that the issue names", () => {
  assertEquals(loadConfig([], home, "linux"), {
    port: 8080,
    mode: "all",
    billing: undefined,
    collabUrl: undefined,
    host: "127.0.0.1",
    publicUrl: undefined,
    webOrigins: [],
    dataDir: "/home/u/.local/share/parley",
    database: { kind: "sqlite", path: "/home/u/.local/share/parley/parley.sqlite" },
    databaseConnections: 10,
    apiToken: undefined,
    maxConnections: 10_000,
    requestLimits: { address: 6_000, user: 1_200 },
    tls: undefined,
    log: { level: "info", format: "text" },
    liveKit: undefined,
    trustedProxies: "loopback",
    auth: { kind: "tokens" },
    signIn: { passwords: true, openToAll: false, gitHub: undefined, oidc: undefined },
    staff: "admins",
    welcomeChannel: undefined,
    llmApiSecret: undefined,
    checksumSeed: undefined,
    storesTelemetry: false,
    extensionsDir: undefined,
    blobStore: undefined,
    upstreams: { extensions: undefined, site: undefined, cloud: undefined },
    agents: agentPolicy,
    times: protocolTimes,
  });
});

Deno.test("[issue 3 run] every setting is read from its flag and from its variable; the flag wins", () => {
  const samples: Record<keyof typeof settings, readonly [string, string]> = {
    mode: ["api", "collab"],
    stripeApiKey: ["a", "b"],
    stripeWebhookSecret: ["a", "b"],
    stripePriceIds: ["a=p1", "b=p2"],
    stripeUrl: ["http://a.example", "http://b.example"],
    collabUrl: ["http://a.example", "http://b.example"],
    port: ["1", "2"],
    host: ["a", "b"],
    publicUrl: ["https://a.example", "https://b.example"],
    webOrigins: ["https://a.example", "https://b.example,http://c"],
    dataDir: ["/a", "/b"],
    database: ["sqlite:/a/x", "sqlite:/b/x"],
    apiToken: ["a", "b"],
    databaseConnections: ["3", "4"],
    maxConnections: ["1", "2"],
    addressRequests: ["5", "6"],
    userRequests: ["7", "8"],
    tlsCert: ["/a/cert.pem", "/b/cert.pem"],
    tlsKey: ["/a/key.pem", "/b/key.pem"],
    agentBatching: ["on", "off"],
    agentRetentionDays: ["1", "2"],
    agentRetainedEvents: ["100", "200"],
    agentEventsPerSecond: ["1", "2"],
    trustedProxies: ["none", "private"],
    auth: ["shared-secret", "jwt"],
    authSecret: ["a".repeat(16), ""],
    authJwksUrl: ["https://a.example/keys", "https://b.example/keys"],
    authIssuer: ["a", "b"],
    authAudience: ["a", "b"],
    authClaim: ["a", "b"],
    passwordSignIn: ["on", "off"],
    signUp: ["open", "closed"],
    gitHubClientId: ["a", "b"],
    gitHubClientSecret: ["a", "b"],
    gitHubUrl: ["https://a.example", "https://b.example"],
    gitHubApiUrl: ["https://a.example/api/v3", "https://b.example/api/v3"],
    oidcIssuer: ["https://a.example/realm/", "https://b.example/realm"],
    oidcClientId: ["a", "b"],
    oidcClientSecret: ["a", "b"],
    oidcName: ["a", "b"],
    staff: ["all", "admins"],
    welcomeChannel: ["1", "2"],
    llmApiSecret: ["a".repeat(16), "b".repeat(16)],
    checksumSeed: ["a", "b"],
    telemetry: ["store", "drop"],
    extensionsDir: ["/srv/a", "/srv/b"],
    blobStoreUrl: ["https://a.example/", "https://b.example"],
    blobStoreBucket: ["a", "b"],
    blobStoreRegion: ["a", "b"],
    blobStoreAccessKey: ["a", "b"],
    blobStoreSecretKey: ["a", "b"],
    extensionsUpstream: ["https://a.example/x", "https://b.example"],
    siteUpstream: ["https://a.example/", "https://b.example/s/"],
    cloudUpstream: ["https://a.example", "https://b.example"],
    logLevel: ["debug", "error"],
    logFormat: ["json", "text"],
    liveKitServer: ["wss://a.example", "wss://b.example"],
    liveKitKey: ["a", "b"],
    liveKitSecret: ["a", "b"],
    timeScale: ["0.5", "2"],
  };
  const names = Object.keys(settings) as (keyof typeof settings)[];
  const flags = names.map((name) => `--${settings[name].flag}=${samples[name][0]}`);
  const env = Object.fromEntries(names.map((name) => [settings[name].env, samples[name][1]]));
  const read = (args: readonly string[], env: Environment) => {
    const config = loadConfig(args, env, "linux");
    return {
      ...config,
      apiToken: config.apiToken?.reveal(),
      auth: "secret" in config.auth
        ? { ...config.auth, secret: config.auth.secret.reveal() }
        : config.auth,
      signIn: {
        ...config.signIn,
        gitHub: {
          ...config.signIn.gitHub,
          clientSecret: config.signIn.gitHub?.clientSecret.reveal(),
        },
        oidc: { ...config.signIn.oidc, clientSecret: config.signIn.oidc?.clientSecret.reveal() },
      },
      llmApiSecret: config.llmApiSecret?.reveal(),
      blobStore: { ...config.blobStore, secretKey: config.blobStore?.secretKey.reveal() },
      checksumSeed: config.checksumSeed?.reveal(),
      billing: {
        ...config.billing,
        apiKey: config.billing?.apiKey.reveal(),
        webhookSecret: config.billing?.webhookSecret.reveal(),
      },
      liveKit: { ...config.liveKit, secret: config.liveKit?.secret.reveal() },
      times: config.times.idle,
    };
  };
  const fromFlags = {
    mode: "api" as const,
    billing: {
      apiKey: "a",
      webhookSecret: "a",
      prices: new Map([["a", "p1"]]),
      url: "http://a.example",
    },
    collabUrl: "http://a.example",
    port: 1,
    host: "a",
    publicUrl: "https://a.example",
    webOrigins: ["https://a.example"],
    dataDir: "/a",
    database: { kind: "sqlite", path: "/a/x" } as const,
    apiToken: "a",
    databaseConnections: 3,
    maxConnections: 1,
    requestLimits: { address: 5, user: 7 },
    tls: { certFile: "/a/cert.pem", keyFile: "/a/key.pem" },
    log: { level: "debug", format: "json" } as const,
    liveKit: { server: "wss://a.example", key: "a", secret: "a" },
    trustedProxies: "none" as const,
    auth: { kind: "shared-secret" as const, secret: "a".repeat(16) },
    signIn: {
      passwords: true,
      openToAll: true,
      gitHub: {
        clientId: "a",
        clientSecret: "a",
        url: "https://a.example",
        apiUrl: "https://a.example/api/v3",
      },
      oidc: {
        issuer: "https://a.example/realm/",
        clientId: "a",
        clientSecret: "a",
        name: "a",
      },
    },
    staff: "all" as const,
    welcomeChannel: 1,
    llmApiSecret: "a".repeat(16),
    checksumSeed: "a",
    storesTelemetry: true,
    extensionsDir: "/srv/a",
    blobStore: {
      url: "https://a.example",
      bucket: "a",
      region: "a",
      accessKey: "a",
      secretKey: "a",
    },
    upstreams: {
      extensions: "https://a.example/x",
      site: "https://a.example",
      cloud: "https://a.example",
    },
    agents: { batching: true, retention: 86_400_000, retainedEvents: 100, eventsPerSecond: 1 },
    times: 5_000,
  };
  const fromEnv = {
    mode: "collab" as const,
    billing: {
      apiKey: "b",
      webhookSecret: "b",
      prices: new Map([["b", "p2"]]),
      url: "http://b.example",
    },
    collabUrl: "http://b.example",
    port: 2,
    host: "b",
    publicUrl: "https://b.example",
    webOrigins: ["https://b.example", "http://c"],
    dataDir: "/b",
    database: { kind: "sqlite", path: "/b/x" } as const,
    apiToken: "b",
    databaseConnections: 4,
    maxConnections: 2,
    requestLimits: { address: 6, user: 8 },
    tls: { certFile: "/b/cert.pem", keyFile: "/b/key.pem" },
    log: { level: "error", format: "text" } as const,
    liveKit: { server: "wss://b.example", key: "b", secret: "b" },
    trustedProxies: "private" as const,
    auth: {
      kind: "jwt" as const,
      key: { kind: "jwks" as const, url: "https://b.example/keys" },
      issuer: "b",
      audience: "b",
      claim: "b",
    },
    signIn: {
      passwords: false,
      openToAll: false,
      gitHub: {
        clientId: "b",
        clientSecret: "b",
        url: "https://b.example",
        apiUrl: "https://b.example/api/v3",
      },
      oidc: {
        issuer: "https://b.example/realm",
        clientId: "b",
        clientSecret: "b",
        name: "b",
      },
    },
    staff: "admins" as const,
    welcomeChannel: 2,
    llmApiSecret: "b".repeat(16),
    checksumSeed: "b",
    storesTelemetry: false,
    extensionsDir: "/srv/b",
    blobStore: {
      url: "https://b.example",
      bucket: "b",
      region: "b",
      accessKey: "b",
      secretKey: "b",
    },
    upstreams: {
      extensions: "https://b.example",
      site: "https://b.example/s",
      cloud: "https://b.example",
    },
    agents: { batching: false, retention: 172_800_000, retainedEvents: 200, eventsPerSecond: 2 },
    times: 20_000,
  };
  assertEquals(read(flags, {}), fromFlags);
  assertEquals(read(flags, env), fromFlags);
  assertEquals(read([], env), fromEnv);
  const apart = flags.flatMap((flag) => flag.split(/=(.*)/s).slice(0, 2));
  assertEquals(read(apart, env), fromFlags);
});

Deno.test("[issue 3 run] an IPv6 address to listen on may be written as in URLs", () => {
  const hosts = ["::1", "[::1]", "[::]", "127.0.0.1"].map((host) =>
    loadConfig(["--host", host], { HOME: "/home/a" }).host
  );
  assertEquals(hosts, ["::1", "::1", "::", "127.0.0.1"]);
});

Deno.test("[issue 3 run] an empty variable counts as not set", () => {
  const config = loadConfig(
    [],
    { ...home, HTTP_PORT: "", API_TOKEN: "", LIVEKIT_KEY: "" },
    "linux",
  );
  assertEquals([config.port, config.apiToken, config.liveKit], [8080, undefined, undefined]);
});

Deno.test("[issue 3 run] all problems are told at once, each with its source and what is expected", () => {
  const found = problems(["--port", "70000", "--nonsense", "--log-format", "xml"], {
    HTTP_PORT: "also wrong, but not used",
    MAX_CONCURRENT_CONNECTIONS: "0",
    PUBLIC_URL: "parley.example",
    LIVEKIT_KEY: "k",
    GITHUB_CLIENT_ID: "x",
    OIDC_ISSUER: "https://id.example",
  });
  assertEquals(found.length, 8);
  for (
    const part of [
      "--nonsense is not an option",
      '--port="70000": must be a whole number from 0 to 65535',
      '--log-format="xml": must be one of text, json',
      'MAX_CONCURRENT_CONNECTIONS="0": must be a whole number from 1',
      'PUBLIC_URL="parley.example": must be an http: or https: URL',
      "LIVEKIT_SERVER, LIVEKIT_KEY and LIVEKIT_SECRET must be given together",
      "GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET must be given together",
      "OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be given together",
    ]
  ) {
    assertStringIncludes(found.join("\n"), part);
  }
  const error = new ConfigError(found);
  for (const problem of found) assertStringIncludes(error.message, problem);
});

Deno.test("[issue 3 run] each bad value is refused", () => {
  const bad: [string, string][] = [
    ...["", "-1", "65536", "1e3", " 1", "0x10", "1.5", "abc"].map((v) =>
      ["--port", v] as [string, string]
    ),
    ...["0", "1000001", "x"].map((v) => ["--max-concurrent-connections", v] as [string, string]),
    ...["ftp://x", "https://x/path?q", "https://x?", "https://x#f", "https://u:p@x", "x"].map((v) =>
      ["--public-url", v] as [string, string]
    ),
    ...["mysql://x", "sqlite:", "x.sqlite"].map((v) => ["--database-url", v] as [string, string]),
    ...["", "fifteen letters"].map((v) => ["--llm-api-secret", v] as [string, string]),
    ...["two words", "line\nbreak", "schlüssel"].map((v) => ["--api-token", v] as [string, string]),
    ["--staff", "some"],
    ["--welcome-channel", "0"],
    ["--trusted-proxies", "10.0.0.1"],
    ["--extensions-upstream", "zed.dev"],
    ...["trace", "INFO"].map((v) => ["--log-level", v] as [string, string]),
    ...["0", "-1", "x"].map((v) => ["--time-scale", v] as [string, string]),
  ];
  for (const [flag, value] of bad) {
    assertEquals(problems([`${flag}=${value}`]).length, 1, `${flag}=${value}`);
  }
  assertStringIncludes(problems(["--port"])[0]!, "--port needs a value");
  assertStringIncludes(problems(["--port=1", "--port=2"])[0]!, "more than once");
  assertStringIncludes(problems(["stray"])[0]!, "stray is not an option");
});

Deno.test("[transport 8.1.2] the public URL may have a path; a slash at its end is dropped", () => {
  for (
    const url of ["https://x.example/zed", "https://x.example/zed/", "https://x.example/zed//"]
  ) {
    assertEquals(
      loadConfig([`--public-url=${url}`], home, "linux").publicUrl,
      "https://x.example/zed",
    );
  }
  assertEquals(
    loadConfig(["--public-url=https://X.example:443/"], home, "linux").publicUrl,
    "https://x.example",
  );
});

Deno.test("[issue 4 strategies] a way to authenticate needs its settings, and no other one's", () => {
  const secret = ["--auth-secret", "s".repeat(16)];
  const claims = ["--auth-issuer=i", "--auth-audience=a"];
  const jwks = ["--auth-jwks-url", "https://x.example/keys"];
  const bad = [
    ["shared-secret"],
    ["jwt"],
    ["jwt", ...secret],
    ["jwt", ...claims],
    ["jwt", ...claims, ...secret, ...jwks],
    ["none", "--host=0.0.0.0"],
    ["none", "--host=192.168.0.2"],
    ["none", "--public-url=https://x.example"],
  ];
  for (const args of bad) {
    const [problem] = problems(["--auth", ...args]);
    assertStringIncludes(problem!, `AUTH_STRATEGY=${args[0]}`);
  }
  const good = [
    ["tokens"],
    ["none"],
    ["none", "--host=::1"],
    ["shared-secret", ...secret],
    ["jwt", ...claims, ...secret],
    ["jwt", ...claims, ...jwks],
  ];
  for (const args of good) {
    assertEquals(loadConfig(["--auth", ...args], home, "linux").auth.kind as string, args[0]);
  }
});

Deno.test("[issue 4 postgres] PostgreSQL is named without its password, wherever it is printed", () => {
  for (const scheme of ["postgres", "postgresql"]) {
    const url = `${scheme}://u:hunter2@db:5433/parley?sslmode=require`;
    const { database } = loadConfig([], { ...home, DATABASE_URL: url }, "linux");
    assert(database.kind === "postgres");
    assertEquals(database.url.reveal(), url);
    assertEquals(database.name, "postgres://u@db:5433/parley");
    assertNotMatch(
      Deno.inspect(database) + JSON.stringify(database) + `${database.url}`,
      /hunter2/,
    );
  }
  for (const url of ["postgres://u:hunter2@db", "postgres:///parley", "postgres:hunter2"]) {
    const found = problems([], { DATABASE_URL: url });
    assertEquals(found.length, 1);
    assertStringIncludes(found[0]!, "DATABASE_URL: must be postgres://");
    assertNotMatch(found[0]!, /hunter2/);
  }
});

Deno.test("[issue 3 run] the database is where the URL says", () => {
  const path = (url: string) => {
    const { database } = loadConfig([`--database-url=${url}`], home, "linux");
    return database.kind === "sqlite" ? database.path : undefined;
  };
  assertEquals(path("sqlite:relative/p.db"), "relative/p.db");
  assertEquals(path("sqlite:/abs/p.db"), "/abs/p.db");
  assertEquals(path("sqlite:///abs/p.db"), "/abs/p.db");
  assertEquals(path("sqlite::memory:"), ":memory:");
  assertEquals(path("sqlite:C:\\p.db"), "C:\\p.db");
});

Deno.test("[issue 3 run] the data folder is where each system's users expect it", () => {
  assertEquals(defaultDataDir({ HOME: "/h" }, "linux"), "/h/.local/share/parley");
  assertEquals(defaultDataDir({ HOME: "/h", XDG_DATA_HOME: "/x" }, "linux"), "/x/parley");
  assertEquals(
    defaultDataDir({ HOME: "/h", XDG_DATA_HOME: "relative" }, "linux"),
    "/h/.local/share/parley",
    "the XDG specification ignores relative paths",
  );
  assertEquals(
    defaultDataDir({ HOME: "/h", XDG_DATA_HOME: "/x" }, "darwin"),
    "/h/Library/Application Support/Parley",
  );
  assertEquals(defaultDataDir({ LOCALAPPDATA: "C:\\L" }, "windows"), "C:\\L\\Parley");
  assertEquals(
    defaultDataDir({ USERPROFILE: "C:\\U" }, "windows"),
    "C:\\U\\AppData\\Local\\Parley",
  );
  assertEquals(
    loadConfig([], { LOCALAPPDATA: "C:\\L" }, "windows").database,
    { kind: "sqlite", path: "C:\\L\\Parley\\parley.sqlite" },
  );
  for (const os of ["linux", "darwin", "windows"] as const) {
    assertEquals(defaultDataDir({}, os), undefined);
    const error = assertThrows(() => loadConfig([], {}, os), ConfigError);
    assertStringIncludes(error.message, "--data-dir");
  }
});

Deno.test("[issue 3 run] other commands read where the data is, and stumble over nothing else", () => {
  const env = { ...home, HTTP_PORT: "nonsense" };
  assertEquals(loadDataConfig(["--data-dir=/d"], env, "linux"), {
    dataDir: "/d",
    database: { kind: "sqlite", path: "/d/parley.sqlite" },
  });
  assertThrows(() => loadDataConfig(["--port=1"], env, "linux"), ConfigError);
});

Deno.test("[issue 3 run] secrets are not printed, by whatever way", () => {
  const config = loadConfig([], {
    ...home,
    API_TOKEN: "hunter2",
    LIVEKIT_SERVER: "wss://l.example",
    LIVEKIT_KEY: "key",
    LIVEKIT_SECRET: "hunter2",
  }, "linux");
  assertEquals(config.apiToken?.reveal(), "hunter2");
  const printed = [
    Deno.inspect(config, { depth: 10, showHidden: true }),
    JSON.stringify(config),
    `${config.apiToken}`,
  ];
  for (const text of printed) assertNotMatch(text, /hunter2/);
});

Deno.test("[design 1.9] the time scale reaches every time of the protocol", () => {
  const { times } = loadConfig(["--time-scale=0.01"], home, "linux");
  for (const [name, ms] of Object.entries(protocolTimes)) {
    assertEquals(times[name as keyof typeof times], ms * 0.01, name);
  }
});

Deno.test("[issue 3 run] help and document list every setting but the hidden ones", async () => {
  for (const setting of Object.values(settings)) {
    const hidden = "hidden" in setting;
    for (const text of [serveHelp(), configDocument()]) {
      assertEquals(text.includes(`--${setting.flag} `), !hidden, setting.flag);
      assertEquals(text.includes(setting.env), !hidden, setting.env);
    }
  }
  assertEquals(await run(true), [], "stale: deno task gen");
});

Deno.test("[issue 4 sign-in] a secret that no header can carry is refused at the start, and is not shown", () => {
  const shared = (secret: string) => () =>
    loadConfig(["--auth=shared-secret"], { HOME: "/home/u", AUTH_SECRET: secret }, "linux");
  for (const secret of ["sixteen letters or", "sixteen-letters-ör"]) {
    const { message } = assertThrows(shared(secret), ConfigError);
    assertStringIncludes(message, "AUTH_SECRET: must be printable ASCII without spaces");
    assertEquals(message.includes(secret), false);
  }
  assertEquals(shared("sixteen-letters-or")().auth.kind, "shared-secret");
  // A key that only signs may be any text.
  const jwt = loadConfig(
    ["--auth=jwt", "--auth-issuer=i", "--auth-audience=a"],
    { HOME: "/home/u", AUTH_SECRET: "sixteen letters or" },
    "linux",
  );
  assertEquals(jwt.auth.kind, "jwt");
});

Deno.test("[transport 11.2] origins of web pages are origins and nothing more", () => {
  const config = loadConfig(["--web-origins", "https://a.example, http://b:81"], home, "linux");
  assertEquals(config.webOrigins, ["https://a.example", "http://b:81"]);
  for (const wrong of ["*", "a.example", "https://a.example/", "https://a.example/x", "null"]) {
    assertThrows(
      () => loadConfig(["--web-origins", wrong], home, "linux"),
      Error,
      "must be origins",
    );
  }
});
