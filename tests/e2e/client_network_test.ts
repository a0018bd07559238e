import { assert, assertEquals, assertRejects } from "@std/assert";
import { CollabClient } from "../../client/collab_client.ts";
import { ConnectError, UnauthorizedError } from "../../client/errors.ts";
import { nodeHttpClient } from "../../client/node/http_client.ts";
import type { Network } from "../../client/node/network.ts";
import { parseProxy, proxyAddress } from "../../client/node/proxy.ts";
import { connect } from "../../client/connect.ts";
import { createDenoTransport, denoTransport } from "../../client/transport_deno.ts";
import { nodeTransport } from "../../client/node/transport.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { TestProxy, type TestProxyOptions } from "../support/test_proxy.ts";

const tlsFile = (name: string) =>
  Deno.readTextFileSync(new URL(`../data/tls/${name}`, import.meta.url));
const authority = tlsFile("authority.pem");
const certificate = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
const nothing = () => undefined;

/** Makes a client that goes over the network given, asks something, and ends. */
async function ask(
  server: TestServer,
  network: Network,
  options: { readonly serverUrl?: string; readonly rpcUrl?: string } = {},
): Promise<void> {
  const user = await server.addUser("ann");
  const http = nodeHttpClient(network);
  const client = await CollabClient.connect({
    serverUrl: server.url,
    credentials: { userId: user.id, token: user.token },
    transport: nodeTransport(network),
    http,
    // One WebSocket each, so that they can be counted.
    notices: false,
    ...options,
  });
  try {
    const { users } = await client.request("GetUsers", { userIds: [client.userId] });
    assertEquals(users[0]?.githubLogin, "ann");
  } finally {
    await client[Symbol.asyncDispose]();
    http.close();
  }
}

/** Where the server really is. */
function targetOf(server: TestServer): { hostname: string; port: number } {
  return { hostname: "127.0.0.1", port: Number(new URL(server.url).port) };
}

/** A proxy of HTTPS in front of the server, as operators have one. */
async function withTls(body: (server: TestServer, secureUrl: string) => Promise<void>) {
  await using front = new TlsFront();
  await using server = await startServer({ flags: ["--public-url", front.url] });
  front.target = targetOf(server);
  await body(server, front.url);
}

class TlsFront implements AsyncDisposable {
  readonly #listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate });
  readonly #done: Promise<void>;
  target: { hostname: string; port: number } | undefined;
  readonly #open = new Set<Deno.Conn>();

  constructor() {
    this.#done = this.#accept();
  }

  get url(): string {
    return `https://localhost:${this.port}`;
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#done;
  }

  async #accept(): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const near of this.#listener) all.push(this.#pass(near));
    await Promise.all(all);
  }

  async #pass(near: Deno.TlsConn): Promise<void> {
    this.#open.add(near);
    const far = await Deno.connect(this.target!);
    this.#open.add(far);
    await Promise.race([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)])
      .catch(() => {});
    for (const connection of [near, far]) {
      close(connection);
      this.#open.delete(connection);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}

Deno.test("[transport 1.3.3] plain http needs nothing; a wrong token is refused here as elsewhere", async () => {
  await using server = await startServer();
  await ask(server, { environment: nothing });
  await assertRejects(
    () =>
      CollabClient.connect({
        serverUrl: server.url,
        generation: "2025",
        credentials: { userId: 1, token: "wrong" },
        transport: nodeTransport({ environment: nothing }),
      }),
    UnauthorizedError,
  );
});

Deno.test("[transport 1.2.1] TCP, TLS by an authority of its own, then the handshake", async () => {
  await withTls(async (server, serverUrl) => {
    await ask(server, { environment: nothing, ca: [authority] }, { serverUrl });
    const refused = await assertRejects(
      () => ask(server, { environment: nothing }, { serverUrl }),
      ConnectError,
    );
    assert(/certificate|issuer/i.test(refused.message), refused.message);

    const user = await server.addUser("ann");
    const options = {
      serverUrl,
      rpcUrl: `${serverUrl}/rpc`,
      credentials: { userId: user.id, token: user.token },
    };
    const peer = await connect({ ...options, transport: createDenoTransport({ ca: [authority] }) });
    assertEquals((await peer.request("GetUsers", { userIds: [BigInt(user.id)] })).users.length, 1);
    await peer[Symbol.asyncDispose]();
    const distrusted = await assertRejects(
      () => connect({ ...options, transport: denoTransport }),
      ConnectError,
    );
    assert(/certificate|issuer/i.test(distrusted.message), distrusted.message);
  });
});

// The SOCKS library leaves the timer of its time limit behind, which keeps no process alive.
Deno.test({
  name: "[transport 1.4.2] SOCKS in all variants: who resolves the name, and who logs in",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using server = await startServer();
    const { port } = targetOf(server);
    const rpcUrl = `http://localhost:${port}/rpc`;
    const rows: [scheme: string, version: string, host: string, isName: boolean, login: string][] =
      [
        ["socks4://ann@", "socks4", "127.0.0.1", false, "ann"],
        ["socks4a://", "socks4", "localhost", true, ""],
        ["socks5h://", "socks5", "localhost", true, ""],
        ["socks5://", "socks5", "127.0.0.1", false, ""],
        ["socks://", "socks5", "127.0.0.1", false, ""],
        ["socks5h://ann:p%40ss@", "socks5", "localhost", true, "ann:p@ss"],
      ];
    for (const [scheme, version, host, isName, login] of rows) {
      await using proxy = new TestProxy({
        kind: "socks",
        target: targetOf(server),
        ...(login.includes(":") && { login }),
      });
      const network = { proxy: `${scheme}${proxy.address}`, environment: nothing };
      await ask(server, network, { rpcUrl });
      const { asked } = proxy;
      assert(asked.length >= 2, `${scheme}: plain requests go through it too`);
      const socket = asked.find(({ target }) => target === `${host}:${port}`);
      assertEquals(
        [socket?.version, socket?.isName, socket?.login],
        [version, isName, login],
        scheme,
      );
    }
    // A user without a password does not log in at a SOCKS5 proxy that wants a login.
    await using strict = new TestProxy({ kind: "socks", target: targetOf(server), login: "ann:x" });
    await assertRejects(
      () => ask(server, { proxy: `socks5://ann@${strict.address}`, environment: nothing }),
      ConnectError,
    );
    assertEquals(strict.asked, []);
  },
});

Deno.test("[transport 1.4.3] HTTP proxies by CONNECT, with a login, also over TLS, also to TLS", async () => {
  await withTls(async (server, serverUrl) => {
    const { port } = new URL(serverUrl);
    const far = { hostname: "127.0.0.1", port: Number(port) };
    for (const tls of [undefined, certificate]) {
      const scheme = tls === undefined ? "http" : "https";
      await using proxy = new TestProxy({ kind: "http", target: far, ...(tls && { tls }) });
      const host = tls === undefined
        ? proxy.address
        : proxy.address.replace("127.0.0.1", "localhost");
      await ask(server, {
        proxy: `${scheme}://ann:p%40ss@${host}`,
        environment: nothing,
        ca: [authority],
      }, { serverUrl });
      assert(proxy.asked.length >= 2);
      for (const { target, login, head } of proxy.asked) {
        assertEquals([target, login], [`localhost:${port}`, "ann:p@ss"]);
        assertEquals(head.slice(0, 2), [`Host: localhost:${port}`, "Proxy-Connection: Keep-Alive"]);
      }
    }
  });
});

Deno.test("[transport 1.4.3] a proxy that refuses, or says too much, fails the attempt", async () => {
  await using server = await startServer();
  const answers: [string, string][] = [
    ["HTTP/1.1 407 Login\r\n\r\n", "it answers 407"],
    ["HTTP/1.1 201 Created\r\n\r\n", "it answers 201"],
    ["hello\r\n\r\n", "it does not speak HTTP"],
    [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(4096)}\r\n\r\n`, "longer than 4096 bytes"],
    [`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(17)}\r\n`, "too many headers"],
  ];
  for (const [answer, text] of answers) {
    const options: TestProxyOptions = { kind: "http", target: targetOf(server), answer };
    await using proxy = new TestProxy(options);
    await assertRejects(
      () => ask(server, { proxy: `http://${proxy.address}`, environment: nothing }),
      ConnectError,
      text,
    );
  }
});

Deno.test("[transport 1.4.4] a proxy that cannot be understood or reached fails the attempt, never a direct connection", async () => {
  await using server = await startServer();
  const unclear = ["ftp://127.0.0.1:1", "quic://h", "nonsense", "http://", "http://ann:100%@h"];
  for (const address of unclear) {
    await assertRejects(
      () => ask(server, { environment: (name) => name === "ALL_PROXY" ? address : undefined }),
      ConnectError,
      "Cannot use the proxy",
      address,
    );
  }
  await assertRejects(
    () => ask(server, { proxy: "http://127.0.0.1:1", environment: nothing }),
    ConnectError,
    "through the proxy 127.0.0.1:1",
  );
  const secret = await assertRejects(
    () => ask(server, { environment: () => "ftp://ann:secret@host" }),
    ConnectError,
  );
  assert(!secret.message.includes("secret"), secret.message);
  // Not a single handshake reached the server.
  assertEquals(server.server.actors.registry.users.size, 0);
});

Deno.test("[transport 1.4.1] the setting first, then the first variable that is set; NO_PROXY is not for the WebSocket", async () => {
  const all = {
    ALL_PROXY: "http://a",
    all_proxy: "http://b",
    HTTPS_PROXY: "http://c",
    https_proxy: "http://d",
    HTTP_PROXY: "http://e",
    http_proxy: "http://f",
  };
  const names = Object.keys(all) as (keyof typeof all)[];
  for (const [index, first] of names.entries()) {
    const left = new Map(names.slice(index).map((name) => [name as string, all[name]]));
    assertEquals(proxyAddress(undefined, (name) => left.get(name)), all[first]);
    assertEquals(proxyAddress("  ", (name) => left.get(name)), all[first]);
    assertEquals(proxyAddress("no address", (name) => left.get(name)), all[first]);
    assertEquals(proxyAddress(" http://own ", (name) => left.get(name)), "http://own");
  }
  assertEquals(proxyAddress(undefined, nothing), undefined);
  assertEquals(parseProxy("socks5h://h").port, 1080);

  await using server = await startServer();
  await using proxy = new TestProxy({ kind: "http", target: targetOf(server) });
  const environment = (name: string) =>
    name === "HTTP_PROXY" ? `http://${proxy.address}` : name === "NO_PROXY" ? "*" : undefined;
  await ask(server, { environment });
  assertEquals(proxy.asked.length, 1, "only the WebSocket went through the proxy");
});

Deno.test("[transport 1.4.5] local targets go through the proxy too", async () => {
  await using server = await startServer();
  await using proxy = new TestProxy({ kind: "http", target: targetOf(server) });
  const rpcUrl = `http://localhost:${targetOf(server).port}/rpc`;
  await ask(server, { proxy: `http://${proxy.address}`, environment: nothing }, { rpcUrl });
  assert(proxy.asked.some(({ target }) => target.startsWith("localhost:")));
});

Deno.test("[transport 8.2.4] plain requests use the proxy, except to the hosts of NO_PROXY; localhost is no exception", async () => {
  await using server = await startServer();
  await using proxy = new TestProxy({ kind: "http", target: targetOf(server) });
  const asked = async (noProxy: string) => {
    proxy.asked.length = 0;
    const http = nodeHttpClient({
      environment: (name) =>
        name === "http_proxy"
          ? `http://${proxy.address}`
          : name === "no_proxy"
          ? noProxy
          : undefined,
    });
    const response = await http.request(`http://localhost:${targetOf(server).port}/healthz`);
    assertEquals([response.status, await response.text()], [200, "ok"]);
    return proxy.asked.length;
  };
  assertEquals(await asked(""), 1);
  assertEquals(await asked("example.org"), 1);
  assertEquals(await asked("example.org, localhost"), 0);
  assertEquals(await asked("*"), 0);
  await assertRejects(
    () => nodeHttpClient({ proxy: "gopher://h", environment: nothing }).request(server.url),
    ConnectError,
    "Cannot use the proxy",
  );
});
