import { assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../../client/errors.ts";
import { denoTransport } from "../../../client/transport_deno.ts";
import { TcpRelay } from "../../support/tcp_relay.ts";
import { waitUntil } from "../../support/wait_until.ts";
import type { Socket } from "../../../client/transport.ts";

interface Heard {
  readonly messages: Uint8Array[];
  end: string | undefined;
}

function listen(socket: Socket): Heard {
  const heard: Heard = { messages: [], end: undefined };
  socket.listen({
    message: (bytes) => void heard.messages.push(bytes),
    closed: (reason) => void (heard.end = reason),
  });
  return heard;
}

/** A server whose sockets the test drives. */
function webSocketServer(onSocket: (socket: WebSocket) => void) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => onSocket(socket);
    return response;
  });
  const { port } = server.addr;
  return {
    url: new URL(`ws://127.0.0.1:${port}/rpc`),
    port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const { signal } = new AbortController();

Deno.test("[transport 1.6.1] messages of all sizes go both ways, in order", async () => {
  await using server = webSocketServer((socket) => {
    socket.onmessage = ({ data }) => socket.send(data);
  });
  const socket = await denoTransport.connect(server.url, {}, signal);
  const heard = listen(socket);
  const sent = [0, 1, 125, 126, 65_535, 65_536, 300_000, 3].map((length, index) =>
    new Uint8Array(length).fill(index)
  );
  for (const bytes of sent) socket.send(bytes);
  await waitUntil(() => heard.messages.length === sent.length, { describe: "the echoes" });
  assertEquals(heard.messages, sent);
  assertEquals(socket.bufferedAmount, 0);
  socket.close();
  await waitUntil(() => heard.end !== undefined, { describe: "the end" });
  assertEquals(heard.end, "closed by this client");
});

Deno.test("[transport 1.6.7] texts are dropped, and what came before a listener is kept", async () => {
  await using server = webSocketServer((socket) => {
    socket.send("text");
    socket.send(new Uint8Array([1]));
    socket.send(new Uint8Array([2]));
  });
  const socket = await denoTransport.connect(server.url, {}, signal);
  const heard = listen(socket);
  await waitUntil(() => heard.messages.length === 2, { describe: "both messages" });
  assertEquals(heard.messages.map(([first]) => first), [1, 2]);
  socket.close();
});

Deno.test("[transport 1.6.9] a close frame and a connection that just ends are the same", async () => {
  await using server = webSocketServer((socket) => {
    socket.onmessage = () => socket.close(1000, "bye");
  });
  const closed = await denoTransport.connect(server.url, {}, signal);
  const closedHeard = listen(closed);
  closed.send(new Uint8Array(1));
  await waitUntil(() => closedHeard.end !== undefined, { describe: "the end" });
  assertEquals(closedHeard.end, "connection closed");
  await using relay = new TcpRelay({ hostname: "127.0.0.1", port: server.port });
  const url = new URL(relay.url.replace("http", "ws"));
  const cut = await denoTransport.connect(url, {}, signal);
  const cutHeard = listen(cut);
  relay.cut();
  await waitUntil(() => cutHeard.end !== undefined, { describe: "the end" });
  cut.send(new Uint8Array(1));
  cut.close();
});

Deno.test("[transport 2.6.2] what was sent before a close still goes out", async () => {
  const received: number[] = [];
  await using server = webSocketServer((socket) => {
    socket.onmessage = ({ data }) => void received.push((data as ArrayBuffer).byteLength);
  });
  const socket = await denoTransport.connect(server.url, {}, signal);
  const heard = listen(socket);
  for (const length of [10, 200_000, 20]) socket.send(new Uint8Array(length));
  socket.close();
  await waitUntil(() => received.length === 3 && heard.end !== undefined, { describe: "all" });
  assertEquals(received, [10, 200_000, 20]);
});

Deno.test("[transport 1.7] a client that says nothing sends pings", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pings = Promise.withResolvers<number[]>();
  const serving = (async () => {
    using connection = await listener.accept();
    const buffer = new Uint8Array(4096);
    const head = new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] ?? "";
    const text = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const accept = new Uint8Array(await crypto.subtle.digest("SHA-1", text)).toBase64();
    await connection.write(
      new TextEncoder().encode(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      ),
    );
    const count = await connection.read(buffer) ?? 0;
    pings.resolve([...buffer.subarray(0, Math.min(count, 2))]);
    // Stays until the client goes.
    while (await connection.read(buffer) !== null);
  })().catch(() => {});
  const url = new URL(`ws://127.0.0.1:${listener.addr.port}/rpc`);
  const socket = await denoTransport.connect(url, {}, signal);
  listen(socket);
  assertEquals(await pings.promise, [0x89, 0x80]);
  socket.close();
  listener.close();
  await serving;
});

Deno.test("[transport 1.2] what answers with something else is no server", async () => {
  for (
    const answer of [
      "SSH-2.0-OpenSSH\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
      "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
      "",
    ]
  ) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer));
    })();
    const url = new URL(`ws://127.0.0.1:${listener.addr.port}/rpc`);
    await assertRejects(
      () => denoTransport.connect(url, {}, signal),
      ConnectError,
      "Cannot connect",
    );
    await serving;
    listener.close();
    await assertRejects(() => denoTransport.connect(url, {}, signal), ConnectError, "Cannot reach");
  }
});
