import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import { message, payloadField } from "../../rpc/frame.ts";
import { examine, expectTroubles, isHandshake, signIn, throughProxy } from "../support/doctor.ts";
import { answer, HeaderProxy, withHeader, without } from "../support/header_proxy.ts";
import { startServer } from "../support/server.ts";

Deno.test("[transport 1.5.1] doctor: WebSocket handshakes that do not get through", async () => {
  const dropUpgrade = (head: string) =>
    withHeader(without(without(head, "upgrade"), "connection"), "connection: close");
  const instead = (told: string) => (head: string) => isHandshake(head) ? { answer: told } : head;
  for (
    const [request, says] of [
      [dropUpgrade, "302"],
      [instead(answer(426)), "426"],
      [instead(answer(404)), "404"],
      [instead(answer(502)), "502"],
      [instead(""), "without an answer"],
      [instead(answer(401, "", { "www-authenticate": "Basic" })), "401"],
    ] as const
  ) {
    const report = await throughProxy({ request });
    expectTroubles(report, ["failure upgrade"]);
    assertStringIncludes(report.step("upgrade")!.text, says);
  }
});

Deno.test("[transport 1.5.5] [transport 5.4] doctor: headers that a proxy eats", async () => {
  for (const name of ["authorization", "x-zed-protocol-version", "x-zed-app-version"]) {
    const report = await throughProxy({ request: (head) => without(head, name) });
    expectTroubles(report, ["failure headers"]);
    const { text } = report.steps.find(({ outcome }) => outcome === "failure")!;
    assertStringIncludes(text.toLowerCase(), `${name} `);
  }
  // The optional ones may be missing.
  const optional = ["x-zed-release-channel", "user-agent"];
  expectTroubles(
    await throughProxy({ request: (head) => optional.reduce(without, head) }),
    [],
  );
});

Deno.test("[transport 5.4.1] doctor: a status that makes clients repeat wrong credentials", async () => {
  const report = await throughProxy({
    response: (head) => head.replace(/^HTTP\/1.1 401 .*/, "HTTP/1.1 400 Bad Request"),
    request: (head) =>
      isHandshake(head) && !/^authorization/im.test(head)
        ? { answer: answer(401, "missing authorization header") }
        : head,
  });
  assertEquals(report.step("headers")!.outcome, "warning");
});

Deno.test("[transport 1.2.3] [transport 11.3] doctor: answers to the handshake that no Zed takes", async () => {
  const on101 = (change: (head: string) => string) => (head: string) =>
    head.startsWith("HTTP/1.1 101") ? change(head) : head;
  for (
    const [response, says] of [
      [
        on101((head) => withHeader(head, "sec-websocket-extensions: permessage-deflate")),
        "permessage-deflate",
      ],
      [on101((head) => withHeader(head, "sec-websocket-protocol: chat")), "chat"],
      [on101((head) => without(head, "sec-websocket-accept")), "Sec-WebSocket-Accept"],
      [on101((head) => without(head, "upgrade")), "Upgrade"],
    ] as const
  ) {
    const report = await throughProxy({ response });
    expectTroubles(report, ["failure handshake"]);
    assertStringIncludes(report.step("handshake")!.text, says);
  }
});

Deno.test("[transport 1.5.1] doctor: a server that is full", async () => {
  await using server = await startServer({ flags: ["--max-concurrent-connections", "1"] });
  await server.connect("bob");
  const report = await examine([server.url, ...await signIn(server)]);
  expectTroubles(report, ["failure handshake"]);
  assertStringIncludes(report.step("handshake")!.text, "503");
});

Deno.test("[transport T4] doctor: the account route refuses what /rpc takes", async () => {
  const me = (told: string) => (head: string) =>
    head.startsWith("GET /client/users/me ") ? { answer: told } : head;
  const refused = await throughProxy({ request: me(answer(401)) });
  expectTroubles(refused, ["failure account"]);
  const fine = await throughProxy({ request: me(answer(200, "{}")) });
  assertEquals(fine.troubles, []);
  const missing = await throughProxy({ request: me(answer(404)) });
  assertEquals(missing.troubles, ["warning account"]);
  const ended = await throughProxy({ request: me("") });
  assertEquals(ended.troubles, ["warning account"]);
});

/** A WebSocket server that says only what the test tells it to. */
async function withTalker(
  opened: (socket: WebSocket) => void,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const sockets: WebSocket[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok");
    if (pathname !== "/rpc") return new Response("", { status: 404 });
    if (!request.headers.has("upgrade")) {
      return new Response(null, { status: 302, headers: { location: `${origin}/rpc` } });
    }
    const [id] = request.headers.get("authorization")?.split(" ") ?? [];
    if (id !== "7") return new Response("invalid credentials", { status: 401 });
    const { socket, response } = Deno.upgradeWebSocket(request);
    sockets.push(socket);
    socket.onopen = () => opened(socket);
    return response;
  });
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    for (const socket of sockets) socket.close();
    await server.shutdown();
  }
}

function encoded<N extends MessageName>(
  name: N,
  value: Init<MessageTypes[N]>,
  respondingTo = -1,
): Uint8Array<ArrayBuffer> {
  const field = payloadField(messageInfo(name).tag as number, encode(name, value));
  return message(0, respondingTo, -1, 0, field) as Uint8Array<ArrayBuffer>;
}

const SIGN_IN = ["--login", "7", "--token", "any"];
const hello = encoded("Hello", { peerId: { ownerId: 1, id: 5 } });

Deno.test("[transport 1.8.1, 1.8.2] [transport 11.5] doctor: no Hello, or something else first", async () => {
  const cases: readonly [(socket: WebSocket) => void, string][] = [
    [() => {}, "Nothing came within"],
    [(socket) => socket.close(4000, "not today"), "4000 not today"],
    [(socket) => socket.send(new Uint8Array([1, 2, 3])), "cannot read"],
    [(socket) => socket.send(encoded("Ack", {})), "another came first"],
    [(socket) => socket.send("a text is ignored"), "Nothing came within"],
  ];
  for (const [opened, says] of cases) {
    await withTalker(opened, async (url) => {
      const sessionPatience = says.startsWith("Nothing") ? 500 : 10_000;
      const report = await examine([url, ...SIGN_IN], { sessionPatience });
      expectTroubles(report, ["failure hello"]);
      assertStringIncludes(report.step("hello")!.text, says);
    });
  }
});

Deno.test("[rooms 4.2] doctor: requests that are not answered, contacts that do not come", async () => {
  await withTalker((socket) => socket.send(hello), async (url) => {
    expectTroubles(await examine([url, ...SIGN_IN], { sessionPatience: 2_000 }), [
      "failure pushes",
    ]);
  });
  await withTalker((socket) => {
    socket.onmessage = () => socket.send(encoded("Ack", {}, 0));
    socket.send(hello);
  }, async (url) => {
    const report = await examine([url, ...SIGN_IN]);
    expectTroubles(report, ["failure pushes"]);
    assertStringIncludes(report.step("pushes")!.text, "contacts did not come");
  });
});

Deno.test("[transport 1.6.8] [transport 1.7.2] doctor: pings that nobody answers; frames that came compressed", async () => {
  const frame = (bytes: Uint8Array, first = 0x82) =>
    new Uint8Array([first, bytes.length, ...bytes]);
  /** After the real server's 101, plays these frames instead of passing the connection on. */
  const play = async (frames: readonly Uint8Array[], sessionPatience: number) => {
    await using server = await startServer();
    await using between = new HeaderProxy({
      target: server.url,
      request: (head) => {
        if (head.startsWith("GET /client/")) return { answer: answer(200, "{}") };
        const key = /^sec-websocket-key: (\S+)/im.exec(head)?.[1];
        if (key === undefined || !/^authorization: 7 /im.test(head)) return head;
        return { answer: acceptance(key), frames };
      },
    });
    return await examine([between.url, ...SIGN_IN], { sessionPatience });
  };
  const contacts = encoded("UpdateContacts", {});
  const alive = [frame(hello), frame(contacts), frame(encoded("Ack", {}, 0))];
  const report = await play(alive, 2_000);
  expectTroubles(report, ["failure liveness"]);
  const compressed = await play([frame(hello, 0xc2)], 10_000);
  expectTroubles(compressed, ["failure hello"]);
  assertStringIncludes(compressed.step("hello")!.text, "uses an extension");
});

function acceptance(key: string): string {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  return "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" +
    `sec-websocket-accept: ${accept}\r\n\r\n`;
}
