import { assertEquals, assertRejects } from "@std/assert";
import { createZstdCompress, zstdDecompressSync } from "node:zlib";
import { buffer } from "node:stream/consumers";
import { handshakeHeaders } from "../../../client/connect.ts";
import { discoverRpcUrl } from "../../../client/discovery.ts";
import { ConnectError } from "../../../client/errors.ts";
import { fetchClient } from "../../../client/http/fetch_client.ts";
import type { HttpClient } from "../../../client/http/http_client.ts";
import { HTTP_CONNECT_TIMEOUT, nodeHttpClient } from "../../../client/node/http_client.ts";
import { encode } from "../../../proto/mod.ts";
import { decodeEnvelope } from "../../../rpc/decode_envelope.ts";
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

Deno.test("[transport 12.5] frames without a content size are read, of many blocks too; those sent are raw", async () => {
  const { peer, server } = await scriptedPair();
  const sent: Uint8Array[] = [];
  const near = server.socket.other;
  const send = near.send.bind(near);
  near.send = (bytes) => {
    sent.push(bytes);
    send(bytes);
  };
  // As Zed's: one stream, ended without its size having been said; text that takes several blocks.
  const logins = Array.from({ length: 20_000 }, (_, at) => `user-${at}-${(at * 7919) % 1013}`);
  const answer = peer.request("GetUsers", { userIds: [1n] });
  const request = await server.take(1);
  const plain = encode("Envelope", {
    id: 1,
    respondingTo: request.id,
    usersResponse: {
      users: logins.map((githubLogin, at) => ({ id: BigInt(at), githubLogin, avatarUrl: "" })),
    },
  });
  const stream = createZstdCompress();
  for (let at = 0; at < plain.length; at += 65_536) stream.write(plain.subarray(at, at + 65_536));
  stream.end();
  const frame = new Uint8Array(await buffer(stream));
  assertEquals((frame[4] as number) >> 6, 0, "no content size");
  assertEquals((frame[4] as number) & 0x20, 0, "not a single segment");
  server.socket.send(frame);
  assertEquals((await answer).users.map(({ githubLogin }) => githubLogin), logins);
  // What goes out: a frame of raw blocks, which any decoder reads.
  const [bytes] = sent as [Uint8Array];
  const opened = new Uint8Array(zstdDecompressSync(bytes));
  assertEquals(decodeEnvelope(opened).id, 0);
  assertEquals(bytes.length - opened.length < 16, true, "stored, not compressed");
  peer.close();
});

Deno.test("[transport 12.6] each answer finds its request by the id, in whatever order they come", async () => {
  const { peer, server } = await scriptedPair();
  const count = 300;
  const answers = Array.from(
    { length: count },
    (_, at) => peer.request("GetUsers", { userIds: [BigInt(at)] }),
  );
  await server.take(count);
  assertEquals(server.received.map(({ id }) => id), Array.from({ length: count }, (_, at) => at));
  // Backwards, and between them answers to ids that nobody asked with, up to the largest.
  for (let at = count - 1; at >= 0; at--) {
    server.send("UsersResponse", { users: [{ id: BigInt(at) }] }, at);
    server.send("UsersResponse", {}, 0xffff_ffff - at);
  }
  const got = await Promise.all(answers);
  assertEquals(got.map(({ users }) => users[0]?.id), answers.map((_, at) => BigInt(at)));
  peer.close();
});

/** A server that sends on, and says what it was asked. */
function redirecting() {
  const asked: { path: string; method: string; text: string; headers: Headers }[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const text = await request.text();
      asked.push({ path: pathname, method: request.method, text, headers: request.headers });
      const [, kind, count = "0"] = /^\/(\d+)\/(\d+)$/.exec(pathname) ?? [];
      if (kind === undefined) return new Response("here");
      const left = Number(count) - 1;
      const other = searchParams.get("other");
      const location = left > 0 ? `/${kind}/${left}` : other ?? "/end";
      return new Response("gone", { status: Number(kind), headers: { location } });
    },
  );
  return { asked, server, at: (path: string) => `http://127.0.0.1:${server.addr.port}${path}` };
}

const clients: [string, () => HttpClient][] = [
  ["Node's sockets", () => nodeHttpClient({ environment })],
  ["fetch", () => fetchClient()],
];

for (const [name, make] of clients) {
  Deno.test(`[transport 8.2.3] [issue 7 redirects] at most ten redirects, none where none is wanted (${name})`, async () => {
    const { server, asked, at } = redirecting();
    await using _server = server;
    const http = make();
    const text = async (path: string, redirects?: number) =>
      await (await http.request(at(path), redirects === undefined ? {} : { redirects })).text();
    assertEquals(await text("/302/10"), "here");
    await assertRejects(() => text("/302/11"), ConnectError, "sent on more than 10 times");
    assertEquals(await text("/302/30", 100), "here");
    const first = await http.request(at("/307/1"), { redirects: 0 });
    assertEquals([first.status, first.headers.get("location")], [307, "/end"]);
    await first.body?.cancel();
    await assertRejects(
      () => text("/302/1?other=ftp://h/"),
      ConnectError,
      'sent on to "ftp://h/"',
    );
    assertEquals(asked.at(-1)?.path, "/302/1");
    http.close();
  });

  Deno.test(`[transport 8.2.3] [issue 7 redirects] method and body stay for 307 and 308, credentials with their host (${name})`, async () => {
    const [here, there] = [redirecting(), redirecting()];
    await using _here = here.server;
    await using _there = there.server;
    const http = make();
    const headers = { authorization: "1 t", "content-type": "text/plain", "x-mine": "1" };
    const ask = async (path: string) => {
      const request = { method: "POST", headers, body: "body" } as const;
      await (await http.request(here.at(path), request)).text();
    };
    for (
      const [kind, method, text] of [
        [301, "GET", ""],
        [302, "GET", ""],
        [303, "GET", ""],
        [307, "POST", "body"],
        [308, "POST", "body"],
      ] as const
    ) {
      await ask(`/${kind}/1`);
      const end = here.asked.at(-1)!;
      assertEquals([end.path, end.method, end.text], ["/end", method, text], `${kind}`);
      assertEquals(end.headers.get("authorization"), "1 t");
      assertEquals(end.headers.get("content-type") !== null, method === "POST");
      await ask(`/${kind}/1?other=${there.at("/far")}`);
      const far = there.asked.at(-1)!;
      assertEquals([far.path, far.method, far.text], ["/far", method, text], `${kind}`);
      assertEquals([far.headers.get("authorization"), far.headers.get("x-mine")], [null, "1"]);
    }
    http.close();
  });

  Deno.test(`[issue 7 redirects] a body that is a stream goes out as it comes, and cannot go out twice (${name})`, async () => {
    const { server, asked, at } = redirecting();
    await using _server = server;
    const http = make();
    const chunks = ["one ", "two ", "three"].map((text) => new TextEncoder().encode(text));
    const streamed = async (path: string) => {
      const body = ReadableStream.from(chunks);
      return await (await http.request(at(path), { method: "POST", body })).text();
    };
    assertEquals(await streamed("/end"), "here");
    assertEquals(asked.at(-1)?.text, "one two three");
    assertEquals(asked.at(-1)?.headers.get("content-length"), null);
    // Each piece arrives before the next one is there.
    const arrived: string[] = [];
    await using slow = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        for await (const piece of request.body!) arrived.push(new TextDecoder().decode(piece));
        return new Response("all");
      },
    );
    const { readable, writable } = new TransformStream<
      Uint8Array<ArrayBuffer>,
      Uint8Array<ArrayBuffer>
    >();
    const writer = writable.getWriter();
    const all = http.request(`http://127.0.0.1:${slow.addr.port}/`, {
      method: "POST",
      body: readable,
    });
    for (const [index, chunk] of chunks.entries()) {
      await writer.write(chunk);
      await waitUntil(() => arrived.length === index + 1);
    }
    await writer.close();
    assertEquals(await (await all).text(), "all");
    assertEquals(await streamed("/303/1"), "here");
    assertEquals([asked.at(-1)?.method, asked.at(-1)?.text], ["GET", ""]);
    await assertRejects(() => streamed("/307/1"), ConnectError, "the body was a stream");
    http.close();
  });
}

for (const [name, make] of clients) {
  Deno.test(`[transport 8.2] an answer that is none fails its request, and nothing else (${name})`, async () => {
    using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const answers = [
      "HTTP/1.1 600 Odd\r\ncontent-length: 0\r\n\r\n",
      "HTTP/1.1 999 Odder\r\ncontent-length: 3\r\n\r\nabc",
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\n",
      "",
    ];
    const serving = (async () => {
      for (const answer of answers) {
        const connection = await listener.accept();
        await connection.read(new Uint8Array(4_096));
        await connection.write(new TextEncoder().encode(answer));
        connection.close();
      }
    })();
    const http = make();
    const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/`;
    for (const answer of answers) {
      const body = async () => {
        const response = await http.request(url);
        await response.body?.cancel();
        // Some platforms take more statuses than others.
        throw new ConnectError(`taken: ${response.status}`);
      };
      await assertRejects(body, ConnectError, undefined, answer);
    }
    await serving;
    http.close();
  });
}
