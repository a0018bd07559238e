/** Who is let in, and with which status the others are refused. [rooms 3] [transport 1.5] [transport 5.4] */
import { assertEquals } from "@std/assert";
import { startServer, type TestServer, type TestUser } from "../support/server.ts";
import { HANDSHAKE, RawClient } from "../support/raw_client.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import { waitUntil } from "../support/wait_until.ts";

type Headers = Readonly<Record<string, string>>;

const GOOD: Headers = {
  "x-zed-protocol-version": "68",
  "x-zed-app-version": "1.10.0+stable.123.abcdef",
  "x-zed-release-channel": "stable",
};

function signedIn({ id, token }: TestUser): Headers {
  return { ...GOOD, authorization: `${id} ${token}` };
}

/** Status of a handshake with these headers. */
async function status(server: TestServer, headers: Headers): Promise<number> {
  using client = await RawClient.connect(server.url);
  return (await client.upgrade(headers)).status;
}

function without(headers: Headers, name: string): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

Deno.test("[rooms S10, 3.1, 1.4] [transport 5.4, 5.4.1, 5.2.1] wrong or malformed credentials are 401, whatever else is wrong", async () => {
  await using server = await startServer();
  const a = await server.addUser("a");
  const b = await server.addUser("b");
  const good = signedIn(a);
  const authorization = (value: string) => status(server, { ...good, authorization: value });
  assertEquals(await status(server, without(good, "authorization")), 401);
  for (
    const value of [
      `${a.id}`,
      `${a.id} `,
      ` ${a.token}`,
      `abc ${a.token}`,
      `dev-server-token ${a.token}`,
      `${a.id} nonsense`,
      `${a.id} {"version":1,"id":1,"token":"x"}`,
      `${a.id} ${b.token}`,
      `${b.id} ${a.token}`,
      `99 ${a.token}`,
      `0 ${a.token}`,
      `-1 ${a.token}`,
      `1e0 ${a.token}`,
      `4294967297 ${a.token}`,
      `18446744073709551617 ${a.token}`,
      `Bearer ${a.token}`,
      `${a.id} ADMIN_TOKEN:secret`,
    ]
  ) assertEquals(await authorization(value), 401, value);
  // Credentials come before everything else.
  assertEquals(
    await status(server, { authorization: `${a.id} x`, "x-zed-protocol-version": "1" }),
    401,
  );
  assertEquals(await authorization(`${a.id}   ${a.token}  `), 101);
});

Deno.test("[rooms S10, 3.2, 3.3] [transport 1.5.2, 1.5.3, 1.5.4, T9, 10.1.2] protocol and version come next, with 400 and 426", async () => {
  await using server = await startServer();
  const good = signedIn(await server.addUser("a"));
  const protocol = (value: string) => status(server, { ...good, "x-zed-protocol-version": value });
  const version = (value: string) => status(server, { ...good, "x-zed-app-version": value });
  assertEquals(await status(server, without(good, "x-zed-protocol-version")), 400);
  for (const value of ["", "abc", "-68", "68.0", "0x44"]) assertEquals(await protocol(value), 400);
  for (const value of ["0", "67", "69", "999999999"]) assertEquals(await protocol(value), 426);
  assertEquals(await status(server, without(good, "x-zed-app-version")), 426);
  for (const value of ["", "abc", "1", "1.2", "1.2.x", "0.156.9", "0.157.0-pre", "0.9.0"]) {
    assertEquals(await version(value), 426, value);
  }
  for (
    const value of ["0.157.0", "0.191.0", "0.204.1", "1.10.0", "1.10.0+stable.1.abc", "1.2.3-pre.1"]
  ) assertEquals(await version(value), 101, value);
  // 400 for the protocol is decided before 426 for the version.
  assertEquals(
    await status(server, { ...good, "x-zed-protocol-version": "x", "x-zed-app-version": "x" }),
    400,
  );
});

Deno.test("[rooms 3.6] [transport 1.2.2a, 1.2.3, 1.5.5, 11.3, 11.4] optional headers may be absent; the answer names no extension", async () => {
  await using server = await startServer();
  const { authorization } = signedIn(await server.addUser("a"));
  using client = await RawClient.connect(server.url);
  const { status, headers } = await client.upgrade({
    authorization: authorization as string,
    "x-zed-protocol-version": "68",
    "x-zed-app-version": "0.191.0",
    "sec-websocket-extensions": "permessage-deflate",
    "sec-websocket-protocol": "chat",
  });
  assertEquals(status, 101);
  assertEquals(headers.get("sec-websocket-extensions"), null);
  assertEquals(headers.get("sec-websocket-protocol"), null);
  assertEquals((await client.readFrame())?.opcode, 2);
});

Deno.test("[rooms 3.5] a request that is no proper WebSocket handshake is 400 behind all other checks", async () => {
  await using server = await startServer();
  const good = signedIn(await server.addUser("a"));
  const lacking = ["sec-websocket-key", "sec-websocket-version", "connection"];
  for (const name of lacking) {
    for (const headers of [good, { ...good, authorization: "1 x" }]) {
      using client = await RawClient.connect(server.url);
      await client.request("/rpc", { ...without(HANDSHAKE, name), ...headers });
      const { status } = await client.response();
      assertEquals(status, headers === good ? 400 : 401, name);
    }
  }
  for (const path of ["/rpc", "/client/users/connect"]) {
    using client = await RawClient.connect(server.url);
    const old = await client.upgrade({ ...good, "sec-websocket-version": "8" }, path);
    assertEquals([old.status, old.headers.get("sec-websocket-version")], [400, "13"], path);
  }
  assertEquals(server.server.actors.registry.connections.size, 0);
});

Deno.test("[transport 5.4] [rooms 3.5] refused handshakes are counted by their status", async () => {
  await using server = await startServer();
  const good = signedIn(await server.addUser("a"));
  await status(server, { ...good, authorization: "1 x" });
  await status(server, { ...good, "x-zed-protocol-version": "67" });
  await status(server, { ...good, "x-zed-protocol-version": "67" });
  const { refusedHandshakes } = server.server.metrics;
  assertEquals([refusedHandshakes.value("401"), refusedHandshakes.value("426")], [1, 2]);
});

Deno.test("[rooms S10, 3.4] a 513th handshake at once is 503, and places are given back", async () => {
  await using server = await startServer();
  const good = signedIn(await server.addUser("a"));
  // Handshakes end once the initial pushes are queued, which wait for the account: it never comes.
  const { actors } = server.server;
  const hold = Promise.withResolvers<never>();
  hold.promise.catch(() => {});
  const find = actors.directory.find.bind(actors.directory);
  actors.directory.find = () => hold.promise;
  const clients = await Promise.all(
    Array.from({ length: 512 }, () => RawClient.connect(server.url)),
  );
  const statuses = await Promise.all(clients.map((client) => client.upgrade(good)));
  assertEquals(statuses.filter(({ status }) => status === 101).length, 512);
  assertEquals(await status(server, good), 503);
  assertEquals(await status(server, { ...good, authorization: "1 x" }), 401);
  actors.directory.find = find;
  for (const client of clients) client.close();
  await waitUntil(async () => (await status(server, good)) === 101, {
    describe: "a place to be free",
  });
});

Deno.test("[transport 1.7, 11.5] [rooms 3.4] a handshake that does not end in time loses its place", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const good = signedIn(await server.addUser("a"));
  const { actors, metrics } = server.server;
  const hold = Promise.withResolvers<never>();
  hold.promise.catch(() => {});
  actors.directory.find = () => hold.promise;
  using client = await RawClient.connect(server.url);
  assertEquals((await client.upgrade(good)).status, 101);
  clock.advance(actors.times.handshake);
  await client.dropped();
  assertEquals(metrics.droppedConnections.value("handshake_timeout"), 1);
});

Deno.test("[rooms 7a] MAX_CONCURRENT_CONNECTIONS bounds the open connections of all users, with 503", async () => {
  await using server = await startServer({ flags: ["--max-concurrent-connections", "3"] });
  const good = signedIn(await server.addUser("a"));
  const open = [await server.raw("a"), await server.raw("a"), await server.raw("b")];
  using refused = await RawClient.connect(server.url);
  const answer = await refused.upgrade(good);
  assertEquals([answer.status, answer.headers.get("retry-after")], [503, "5"]);
  // Wrong credentials are told as such, also when the server is full.
  assertEquals(await status(server, { ...good, authorization: "1 x" }), 401);
  await Promise.all(open.map((peer) => peer.settle()));
  await open[0]?.close();
  await waitUntil(async () => (await status(server, good)) === 101, {
    describe: "a place to be free",
  });
  await Promise.all(open.slice(1).map((peer) => peer.settle()));
});
