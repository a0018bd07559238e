import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { connect, type ConnectOptions } from "../../../client/connect.ts";
import { discoverRpcUrl, webSocketUrl } from "../../../client/discovery.ts";
import {
  ConnectError,
  OverloadedError,
  UnauthorizedError,
  UpgradeRequiredError,
} from "../../../client/errors.ts";
import { denoTransport } from "../../../client/transport_deno.ts";
import { encode, messageInfo } from "../../../proto/mod.ts";
import { message, payloadField } from "../../../rpc/frame.ts";

interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly url: string; readonly headers: Headers }[];
}

function serve(answer: (request: Request) => Response): TestServer {
  const requests: { url: string; headers: Headers }[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    // Read now: a request cannot be read once it is answered.
    requests.push({ url: request.url, headers: new Headers([...request.headers]) });
    return answer(request);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function redirect(location: string, status = 302): Response {
  return new Response(null, { status, headers: { location } });
}

/** Upgrades, and sends what is given. */
function upgrade(request: Request, send: readonly (string | Uint8Array)[]): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => {
    for (const item of send) socket.send(item as string);
  };
  return response;
}

const hello = message(
  0,
  -1,
  -1,
  0,
  payloadField(messageInfo("Hello").tag!, encode("Hello", { peerId: { ownerId: 2, id: 9 } })),
);

const options = (
  serverUrl: string,
  more: Partial<ConnectOptions> = {},
): ConnectOptions => ({
  transport: denoTransport,
  credentials: { userId: 12, token: "secret" },
  serverUrl,
  ...more,
});

const { signal } = new AbortController();

Deno.test("[transport 1.1.2] discovery asks /rpc, with a query by channel, and goes nowhere else", async () => {
  for (
    const [releaseChannel, query] of [
      ["stable", ""],
      ["dev", ""],
      [undefined, ""],
      ["preview", "?preview=1"],
      ["nightly", "?nightly=1"],
    ] as const
  ) {
    await using server = serve(() => redirect("https://parley.example/rpc?x=1"));
    const url = await discoverRpcUrl(server.url, { signal, releaseChannel });
    assertEquals(url.href, "wss://parley.example/rpc?x=1");
    assertEquals(server.requests.map((request) => request.url), [`${server.url}/rpc${query}`]);
    const headers = server.requests[0]?.headers;
    assertEquals([headers?.get("authorization"), headers?.get("upgrade")], [null, null]);
  }
});

Deno.test("[transport 1.1.4] any redirect will do, any other status will not", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    await using server = serve(() => redirect("http://h:81/a", status));
    assertEquals((await discoverRpcUrl(server.url, { signal })).href, "ws://h:81/a");
  }
  for (const status of [200, 401, 404, 426, 500]) {
    await using server = serve(() => new Response("no", { status }));
    const error = await assertRejects(
      () => discoverRpcUrl(server.url, { signal }),
      ConnectError,
      `Unexpected /rpc response status ${status}`,
    );
    // 401 and 426 mean something only in the handshake.
    assertEquals(error.constructor, ConnectError);
  }
});

Deno.test("[transport 1.1.5] Location is there, and absolute", async () => {
  await using without = serve(() => new Response(null, { status: 302 }));
  await assertRejects(
    () => discoverRpcUrl(without.url, { signal }),
    ConnectError,
    "Missing location header",
  );
  await using relative = serve(() => redirect("/rpc"));
  await assertRejects(
    () => discoverRpcUrl(relative.url, { signal }),
    ConnectError,
    "it is not absolute",
  );
});

Deno.test("[transport 1.1.6] Location is http or https and becomes ws or wss", () => {
  assertEquals(webSocketUrl("https://h/rpc?a=1").href, "wss://h/rpc?a=1");
  assertEquals(webSocketUrl("http://h:8080/rpc").href, "ws://h:8080/rpc");
  for (const url of ["ws://h/rpc", "wss://h/rpc", "ftp://h/rpc"]) {
    assertThrows(() => webSocketUrl(url), ConnectError, "Invalid rpc url");
  }
});

Deno.test("[transport 1.2.2] the handshake has the client's headers", async () => {
  await using server = serve((request) =>
    request.headers.get("upgrade") === "websocket"
      ? upgrade(request, ["a text is ignored", hello])
      : redirect(request.url)
  );
  await using peer = await connect(options(server.url, { appVersion: "1.10.0+stable.1.abc" }));
  assertEquals(peer.peerId, { ownerId: 2, id: 9 });
  const headers = server.requests[1]!.headers;
  const names = [
    "authorization",
    "x-zed-protocol-version",
    "x-zed-app-version",
    "x-zed-release-channel",
  ];
  assertEquals(
    names.map((name) => headers.get(name)),
    ["12 secret", "68", "1.10.0+stable.1.abc", "stable"],
  );
  for (const name of ["sec-websocket-protocol", "sec-websocket-extensions", "origin"]) {
    assertEquals(headers.get(name), null);
  }
});

Deno.test("[transport 1.2.4] a token that no header can hold fails the attempt", async () => {
  const credentials = { userId: 1, token: "a\nb" };
  await assertRejects(
    () => connect(options("", { rpcUrl: "http://127.0.0.1:9/rpc", credentials })),
    ConnectError,
    "no header can hold",
  );
});

Deno.test("[transport 1.5.1] refused handshakes have errors of their own", async () => {
  const cases = [
    [401, UnauthorizedError],
    [426, UpgradeRequiredError],
    [503, OverloadedError],
    [400, ConnectError],
    [302, ConnectError],
  ] as const;
  for (const [status, kind] of cases) {
    await using server = serve((request) => {
      if (request.headers.get("upgrade") === null) return redirect(request.url);
      return status === 302 ? redirect(request.url) : new Response("no", { status });
    });
    const error = await assertRejects(() => connect(options(server.url)), ConnectError);
    assertEquals(error.constructor, kind);
  }
});

Deno.test("[transport 1.8.2] a connection without Hello is none", async () => {
  const ack = message(0, -1, -1, 0, payloadField(messageInfo("Ack").tag!, new Uint8Array()));
  await using server = serve((request) => upgrade(request, [ack]));
  const error = await assertRejects(
    () => connect(options("", { rpcUrl: `${server.url}/rpc` })),
    ConnectError,
  );
  assertEquals(error.message, "Unusable hello message received: another came first");
});

Deno.test("[transport 1.7] an attempt ends at its limit, in whatever phase it is", async () => {
  await using silent = serve((request) => upgrade(request, []));
  const late = await assertRejects(
    () => connect(options("", { rpcUrl: `${silent.url}/rpc`, timeout: 200 })),
    ConnectError,
  );
  assertEquals(late.message.endsWith("no hello within 200 ms"), true);
  const abort = new AbortController();
  const attempt = connect(options("", { rpcUrl: `${silent.url}/rpc`, signal: abort.signal }));
  abort.abort(new TypeError("Changed my mind"));
  assertInstanceOf(await attempt.catch((error) => error), TypeError);
});
