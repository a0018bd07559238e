/** What is asked over HTTP: the redirect, health, metrics, impersonation, the end of an account. */
import { assert, assertEquals } from "@std/assert";
import { openSqlite } from "../../db/sqlite/open.ts";
import { failingStore } from "../support/failing_store.ts";
import { RawClient } from "../support/raw_client.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { TestPeer } from "../support/test_peer.ts";

/** Where a plain GET is sent to. */
async function location(
  server: TestServer,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  using client = await RawClient.connect(server.url);
  await client.request(path, { host: "inner:1234", ...headers });
  const { status, headers: answer } = await client.response();
  assertEquals(status, 302);
  return answer.get("location");
}

Deno.test("[rooms 3.9] [transport 1.1.4, 1.1.5, 1.1.6, 1.1.8, T1] a plain GET of /rpc is redirected to an absolute http address", async () => {
  await using server = await startServer();
  for (const path of ["/rpc", "//rpc", "/rpc?", "/rpc?preview=1", "/rpc?nightly=1"]) {
    assertEquals(await location(server, path), "http://inner:1234/rpc", path);
  }
  // Another upgrade than to a WebSocket is a plain GET.
  const other = { connection: "Upgrade", upgrade: "h2c" };
  assertEquals(await location(server, "/rpc", other), "http://inner:1234/rpc");
});

Deno.test("[transport 1.1.8] the address is what the proxy tells", async () => {
  await using server = await startServer();
  const to = (headers: Readonly<Record<string, string>>) => location(server, "/rpc", headers);
  assertEquals(await to({ "x-forwarded-proto": "https" }), "https://inner:1234/rpc");
  assertEquals(
    await to({ "x-forwarded-proto": "https", "x-forwarded-host": "code.example" }),
    "https://code.example/rpc",
  );
  assertEquals(
    await to({ "x-forwarded-proto": "https, http", "x-forwarded-host": "a.example, b.example" }),
    "https://a.example/rpc",
  );
  // Never ws, and never what is no host.
  assertEquals(await to({ "x-forwarded-proto": "wss" }), "http://inner:1234/rpc");
  for (const host of ["", "a b", "a/b?c", "\u00e4", "evil@host:1"]) {
    const text = await to({ "x-forwarded-host": host });
    assert(/^http:\/\/[a-z0-9.:-]+\/rpc$/.test(text ?? ""), `${host} led to ${text}`);
  }
});

Deno.test("[transport 1.1.8] a configured public address wins over everything", async () => {
  await using server = await startServer({ flags: ["--public-url", "https://code.example"] });
  const told = { "x-forwarded-proto": "http", "x-forwarded-host": "other.example" };
  assertEquals(await location(server, "/rpc", told), "https://code.example/rpc");
});

Deno.test("[transport 1.1.8] requests with impossible hosts are answered and harm nothing", async () => {
  await using server = await startServer();
  const peer = await server.raw("a");
  for (const host of ["a b", "[", "\u00e4", ":", "x:99999999", "%"]) {
    using client = await RawClient.connect(server.url);
    await client.request("/rpc", { host });
    const { status } = await client.response();
    assert(status === 302 || status === 400, `${host}: ${status}`);
  }
  assertEquals((await peer.ask("Ping", {})).name, "Ack");
});

Deno.test("[rooms 17b] [transport 6.3a, 6.3b] / and /healthz answer in one line", async () => {
  await using server = await startServer();
  const root = await (await fetch(server.url)).text();
  assert(/^parley:all v\d/.test(root));
  const health = await fetch(`${server.url}/healthz`);
  assertEquals([health.status, await health.text()], [200, "ok"]);
});

Deno.test("[rooms 17b] [transport 6.3b, 5.4.0] without its database: health is red, handshakes are 503, who is there stays", async () => {
  const { store, ...control } = failing(await openSqlite({ path: ":memory:" }));
  try {
    await using server = await startServer({ parts: { store } });
    const a = await server.raw("a");
    const user = await server.addUser("a");
    control.away(true);
    const health = await fetch(`${server.url}/healthz`);
    assertEquals(health.status, 503);
    await health.body?.cancel();
    using client = await RawClient.connect(server.url);
    const { status } = await client.upgrade({
      authorization: `${user.id} ${user.token}`,
      "x-zed-protocol-version": "68",
      "x-zed-app-version": "1.0.0",
    });
    assertEquals(status, 503);
    assertEquals((await a.ask("Ping", {})).name, "Ack");
    assertEquals((await a.ask("FuzzySearchUsers", { query: "abcd" })).name, "Error");
    control.away(false);
    const again = await fetch(`${server.url}/healthz`);
    assertEquals([again.status, await again.text()], [200, "ok"]);
    await (await server.raw("a")).settle();
  } finally {
    await store.close();
  }
});

function failing(...args: Parameters<typeof failingStore>) {
  const wrapped = failingStore(...args);
  return {
    store: wrapped.store,
    away: (away: boolean) => {
      wrapped.away = away;
    },
  };
}

Deno.test("[rooms 17a] [transport 6.3c] /metrics counts connections and projects of who is no admin", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  await server.addUser("boss", { admin: true });
  const boss = await stage.enter("Boss1");
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  await a.call("ShareProject", { roomId, worktrees: [] });
  const bossRoom = await boss.call("CreateRoom", {});
  await boss.call("ShareProject", { roomId: bossRoom.room?.id as bigint, worktrees: [] });
  const gauge = async (name: string) => {
    const response = await fetch(`${server.url}/metrics`);
    assert(response.headers.get("content-type")?.startsWith("text/plain"));
    const value = new RegExp(`^${name} (\\d+)$`, "m").exec(await response.text());
    return Number(value?.[1]);
  };
  assertEquals([await gauge("connections"), await gauge("shared_projects")], [2, 1]);
  await a.call("LeaveRoom", {});
  await stage.lose("A1");
  assertEquals([await gauge("connections"), await gauge("shared_projects")], [1, 0]);
  await boss.call("LeaveRoom", {});
  assertEquals(await gauge("shared_projects"), 0);
});

Deno.test("[rooms 17a, 15.7] the count of projects survives a restart", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  await server.addUser("boss", { admin: true });
  for (const name of ["A1", "Boss1"]) {
    const peer = await stage.enter(name);
    const { room } = await peer.call("CreateRoom", {});
    await peer.call("ShareProject", { roomId: room?.id as bigint, worktrees: [] });
  }
  await server.restart();
  assertEquals(server.server.metrics.sharedProjects.value, 1);
});

Deno.test("[transport 4.3.3] impersonation gives a token that works, to who has the API token", async () => {
  await using server = await startServer({ flags: ["--api-token", "s".repeat(32)] });
  const { id } = await server.addUser("a");
  const post = async (token: string | undefined, body: string) => {
    const response = await fetch(`${server.url}/internal/users/impersonate`, {
      method: "POST",
      body,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    });
    return { status: response.status, answer: await response.json().catch(() => undefined) };
  };
  const good = JSON.stringify({ github_login: "a" });
  const { status, answer } = await post("s".repeat(32), good);
  assertEquals([status, answer.user_id], [200, id]);
  const user = { id, login: "a", token: answer.access_token as string };
  const peer = await TestPeer.connect({ url: server.url, user });
  assertEquals(peer.userId, BigInt(id));
  await peer.close();
  assertEquals((await post(undefined, good)).status, 401);
  assertEquals((await post("s".repeat(31), good)).status, 401);
  assertEquals((await post("s".repeat(32), "no JSON")).status, 400);
  assertEquals((await post("s".repeat(32), JSON.stringify({ github_login: "z" }))).status, 404);
});

Deno.test("[transport 4.3.3] without an API token nobody is impersonated", async () => {
  await using server = await startServer();
  const response = await fetch(`${server.url}/internal/users/impersonate`, {
    method: "POST",
    headers: { authorization: "Bearer " },
    body: JSON.stringify({ github_login: "a" }),
  });
  await response.body?.cancel();
  assertEquals(response.status, 404);
});

Deno.test("[rooms 7a, 18a] a removed account is gone at once: connections, seat, contacts", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const { projectId } = await b.call("ShareProject", { roomId, worktrees: [] });
  await a.call("JoinProject", { projectId });
  const second = await stage.enter("B2");
  await stage.silence();
  const { url, adminSecret } = JSON.parse(
    await Deno.readTextFile(`${server.dataDir}/server.json`),
  ) as { url: string; adminSecret: string };
  const removed = await fetch(`${url}/internal/admin/users/b`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${adminSecret}` },
  });
  assertEquals(removed.status, 200);
  await removed.body?.cancel();
  await Promise.all([b.closed, second.closed]);
  assertEquals(await stage.heard("A1"), [
    "UnshareProject 1",
    "RoomUpdated A1 0 Admin",
    "UpdateContacts no contact b",
  ]);
  assertEquals((await a.call("GetUsers", { userIds: [b.userId] })).users, []);
  const user = await server.addUser("b");
  using client = await RawClient.connect(server.url);
  const { status } = await client.upgrade({
    authorization: `${user.id} ${user.token}`,
    "x-zed-protocol-version": "68",
    "x-zed-app-version": "1.0.0",
  });
  assertEquals(status, 401);
});

Deno.test("[rooms 18a] a removed account that was away leaves the contacts of those who are there", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await stage.friends("A1", "B1");
  await stage.lose("B1");
  const { actors, store } = server.server;
  await store.removeUser(2);
  actors.removeUser(2);
  assertEquals(await stage.heard("A1"), ["UpdateContacts no contact b"]);
  await stage.enter("A2");
  assertEquals(await stage.heard("A2"), ["UpdateContacts"]);
  assertEquals((await a.ask("RemoveContact", { userId: 2n })).name, "Error");
});
