import { assertEquals, assertRejects } from "@std/assert";
import { handshakeHeaders } from "../../../client/connect.ts";
import { discoverRpcUrl } from "../../../client/discovery.ts";
import { ConnectError } from "../../../client/errors.ts";
import { HTTP_CONNECT_TIMEOUT, nodeHttpClient } from "../../../client/node/http_client.ts";
import { scriptedPair } from "../../support/scripted_server.ts";
import { SteppedClock } from "../../support/stepped_clock.ts";
import { waitUntil } from "../../support/wait_until.ts";

const environment = () => undefined;

Deno.test("[transport 12.2] without a word the client is a stable 1.0.0 of protocol 68", () => {
  assertEquals(handshakeHeaders({ credentials: { userId: 1, token: "a" } }), {
    "authorization": "1 a",
    "x-zed-protocol-version": "68",
    "x-zed-app-version": "1.0.0",
    "x-zed-release-channel": "stable",
  });
});

Deno.test("[transport 1.1.7] path and query of the target are kept, and its port", async () => {
  const { signal } = new AbortController();
  const at = async (location: string) =>
    (await discoverRpcUrl("https://h", {
      signal,
      http: {
        request: () => Promise.resolve(new Response(null, { status: 302, headers: { location } })),
        close() {},
      },
    })).href;
  assertEquals(await at("https://x/a/b%20c?d=e&f"), "wss://x/a/b%20c?d=e&f");
  assertEquals(await at("http://x:81/?q"), "ws://x:81/?q");
  assertEquals(new URL(await at("http://x:80/rpc")).port, "");
});

Deno.test("[transport 8.2.1, 8.2.2, 8.2.5] 10 s to connect and no limit after; a name; no cookies, nothing encoded", async () => {
  const clock = new SteppedClock();
  const userAgent = "Zed/1.10.0 (linux; x86_64)";
  const asked: Headers[] = [];
  const release = Promise.withResolvers<void>();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      asked.push(new Headers([...request.headers]));
      await release.promise;
      return new Response("late", { headers: { "set-cookie": "a=b" } });
    },
  );
  const http = nodeHttpClient({ environment, clock, userAgent });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const slow = http.request(url);
  await waitUntil(() => asked.length === 1);
  assertEquals(clock.timers, 0, "connected: no limit any more");
  clock.advance(3_600_000);
  release.resolve();
  assertEquals(await (await slow).text(), "late");
  await (await http.request(url)).text();
  for (const headers of asked) {
    assertEquals(headers.get("user-agent"), userAgent);
    assertEquals([headers.get("cookie"), headers.get("accept-encoding")], [null, null]);
  }
  // A proxy that takes the connection and says nothing.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stuck = nodeHttpClient({
    environment,
    clock,
    proxy: `http://127.0.0.1:${silent.addr.port}`,
  });
  const failing = stuck.request(url);
  failing.catch(() => {});
  const connection = await silent.accept();
  clock.advance(HTTP_CONNECT_TIMEOUT - 1);
  clock.advance(1);
  await assertRejects(() => failing, ConnectError, "no connection in 10000 ms");
  connection.close();
});

Deno.test("[transport 2.7.1, 2.7.2, 2.7.5, 2.7.8] handlers are bound to a type or to one entity, and start in order", async () => {
  const { peer, server } = await scriptedPair();
  const order: string[] = [];
  peer.onMessage("UpdateContacts", async () => {
    order.push("contacts");
    await Promise.resolve();
  });
  const pending = peer.subscribe("project", 5n);
  const channel = peer.subscribe("channel", 5n);
  channel.attach({ messages: { UpdateChannelBuffer: () => void order.push("channel 5") } });
  peer.subscribe("project", 6n).attach({
    messages: { UnshareProject: () => void order.push("project 6") },
    requests: { UpdateBuffer: () => (order.push("buffer 6"), {}) },
  });
  server.send("UnshareProject", { projectId: 5n });
  server.send("UpdateContacts", {});
  server.send("UnshareProject", { projectId: 6n });
  server.send("UpdateChannelBuffer", { channelId: 5n });
  const id = server.send("UpdateBuffer", { projectId: 6n, bufferId: 1n });
  const answer = await server.take(1);
  assertEquals([answer.name, answer.respondingTo], ["Ack", id]);
  assertEquals(order, ["contacts", "project 6", "channel 5", "buffer 6"]);
  pending.attach({ messages: { UnshareProject: () => void order.push("project 5") } });
  assertEquals(order.at(-1), "project 5");
  await peer[Symbol.asyncDispose]();
});
