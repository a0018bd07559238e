import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { runServe } from "../../cli/serve.ts";
import { createToken } from "../../db/access_tokens.ts";
import { ConfigError } from "../../lib/read_settings.ts";
import { loadConfig } from "../../lib/load_config.ts";
import { notesOn } from "../../lib/reference_settings.ts";
import { AdminApi } from "../support/admin_api.ts";
import { askAt, redirectOf, statusOf } from "../support/http.ts";
import { startServer } from "../support/server.ts";
import { TestPeer } from "../support/test_peer.ts";

const KEY = ["--api-token", "hunter2"];

Deno.test("[transport 6.3.3] collab and api serve their parts of one database, and what concerns connections is passed on", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "parley-modes-" });
  try {
    await using collab = await startServer({ dataDir, flags: [...KEY, "--mode", "collab"] });
    await using api = await startServer({
      dataDir,
      flags: [...KEY, "--mode", "api", "--collab-url", collab.url],
    });
    const ann = await collab.addUser("ann");
    const status = (url: string, path: string, options = {}) => statusOf(askAt(url, path, options));
    const names = await Promise.all(
      [collab, api].map(async ({ url }) => (await (await askAt(url, "/")).text()).split(" ")[0]),
    );
    assertEquals(names, ["parley:collab", "parley:api"]);
    for (const { url } of [collab, api]) assertEquals(await status(url, "/healthz"), 200);
    assertEquals([await status(collab.url, "/metrics"), await status(api.url, "/metrics")], [
      200,
      404,
    ]);
    const me = (url: string) => status(url, "/client/users/me", { as: ann });
    assertEquals([await me(collab.url), await me(api.url)], [404, 200]);
    assertEquals(
      [await status(collab.url, "/sign_in"), await status(api.url, "/sign_in")],
      [404, 200],
    );
    assertEquals(await redirectOf(askAt(collab.url, "/rpc")), [302, `${collab.url}/rpc`]);
    assertEquals(await redirectOf(askAt(api.url, "/rpc")), [302, `${collab.url}/rpc`]);
    assertEquals(await status(api.url, "/client/users/connect", { as: ann }), 404);

    const laptop = await createToken(api.server.store, ann.id);
    const there = await TestPeer.connect({ url: collab.url, user: { ...ann, token: laptop } });
    const stays = await collab.raw("ann");
    const admin = await AdminApi.open(api.url);
    assertEquals((await admin.call("GET", "/server")).mode, "collab");
    assertEquals((await admin.call("GET", "/connections")).connections.length, 2);
    assertEquals((await admin.ask("GET", "/users/99")).status, 404);
    const [entry] = (await admin.call("GET", "/audit")).entries;
    assertEquals(entry, undefined);
    assertEquals(
      await status(api.url, "/signout", { method: "POST", as: `${ann.id} ${laptop}` }),
      204,
    );
    await there.closed;
    assertEquals(stays.end, undefined);
    const made = await admin.call("POST", "/users", { login: "bob" });
    const [created] = (await admin.call("GET", `/audit?target=/users/${made.id}`)).entries;
    assertEquals([created.action, created.client_address], ["user.create", "127.0.0.1"]);
    // The part without connections takes no start of the server.
    assertEquals([api.server.actors.epoch, await collab.server.store.startEpoch()], [0, 2]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("[transport 6.3.3] the api part says what it needs when it does not know the other part, or that is away", async () => {
  await using alone = await startServer({ flags: [...KEY, "--mode", "api"] });
  const as = "token hunter2";
  assertEquals(await statusOf(askAt(alone.url, "/rpc")), 404);
  const refused = await askAt(alone.url, "/rpc_server_snapshot", { as });
  assertEquals([refused.status, (await refused.text()).includes("COLLAB_URL")], [503, true]);
  await using away = await startServer({
    flags: [...KEY, "--mode", "api", "--collab-url", "http://127.0.0.1:1"],
  });
  assertEquals(await statusOf(askAt(away.url, "/rpc_server_snapshot", { as })), 503);
  const ann = await away.addUser("ann");
  assertEquals(await statusOf(askAt(away.url, "/client/users/me", { as: ann })), 200);
});

Deno.test("[transport 6.3.3] serve takes its mode as a word, and the reference server's variables", async () => {
  const output = { result: () => {}, note: () => {} };
  for (const mode of ["all", "api", "collab"]) {
    const refused = await assertRejects(
      () => runServe([mode, "--port", "x"], { HOME: "/home/u" }, output),
      ConfigError,
    );
    assertEquals(refused.problems.length, 1, refused.message);
    assertStringIncludes(refused.message, "--port");
  }
  await assertRejects(() => runServe(["both"], {}, output), ConfigError, "both");
  const names = {
    HTTP_PORT: "8080",
    API_TOKEN: "secret",
    DATABASE_URL: "postgres://u:p@h/d",
    DATABASE_MAX_CONNECTIONS: "5",
    LIVEKIT_SERVER: "https://l",
    LIVEKIT_KEY: "k",
    LIVEKIT_SECRET: "s",
    LLM_API_SECRET: "sixteen letters!",
    ZED_CLIENT_CHECKSUM_SEED: "seed",
    GITHUB_CLIENT_ID: "i",
    GITHUB_CLIENT_SECRET: "s",
    SEED_PATH: "seed.json",
    AUTO_JOIN_CHANNEL_ID: "4",
    BLOB_STORE_URL: "https://s3.example",
    BLOB_STORE_BUCKET: "b",
    BLOB_STORE_REGION: "r",
    BLOB_STORE_ACCESS_KEY: "a",
    BLOB_STORE_SECRET_KEY: "s",
  };
  const unused = {
    INVITE_LINK_PREFIX: "x",
    ZED_ENVIRONMENT: "production",
    KINESIS_STREAM: "x",
    LLM_DATABASE_URL: "x",
    MIGRATIONS_PATH: "x",
    SUPERMAVEN_ADMIN_API_KEY: "x",
    USER_BACKFILLER_GITHUB_ACCESS_TOKEN: "x",
  };
  const config = loadConfig([], { HOME: "/home/u", ...names, ...unused }, "linux");
  assertEquals(config.welcomeChannel, 4);
  const own = loadConfig([], { HOME: "/home/u", ...names, WELCOME_CHANNEL: "5" }, "linux");
  assertEquals(own.welcomeChannel, 5);
  assertThrows(
    () => loadConfig([], { HOME: "/home/u", AUTO_JOIN_CHANNEL_ID: "no" }, "linux"),
    ConfigError,
    "AUTO_JOIN_CHANNEL_ID",
  );
  const notes = notesOn({ ...names, ...unused, PATH: "/bin", MIGRATIONS: "x" });
  assertEquals(notes.map((note) => note.split(" ")[0]), Object.keys(unused).sort());
  assertEquals(notesOn({ ZED_ENVIRONMENT: "" }), []);
});
