import { assertEquals, assertRejects } from "@std/assert";
import { ConnectError, ConnectionClosedError, UnauthorizedError } from "../../../client/errors.ts";
import type { HttpClient } from "../../../client/http/http_client.ts";
import { keepAlive, PING_INTERVAL } from "../../../client/keep_alive.ts";
import { Peer } from "../../../client/peer.ts";
import type { Socket, SocketListener } from "../../../client/transport.ts";
import { type PlatformSocket, webTransport } from "../../../client/transport_web.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { scriptedPair } from "../../support/scripted_server.ts";
import { SteppedClock } from "../../support/stepped_clock.ts";

Deno.test("[transport 1.7.3, 12.3] without pings the server is asked every 5 s, and has 10 s to answer", async () => {
  const clock = new SteppedClock();
  const { peer, server } = await scriptedPair({ clock });
  keepAlive(peer, clock);
  clock.advance(4_999);
  assertEquals(server.received.length, 0);
  clock.advance(1);
  const ping = await server.take(1);
  assertEquals(ping.name, "Ping");
  server.send("Ack", {}, ping.id);
  // The answer has arrived once a request behind it is answered.
  const asked = peer.request("GetUsers", { userIds: [] });
  server.send("UsersResponse", {}, (await server.take(2)).id);
  await asked;
  clock.advance(5_000);
  await server.take(3);
  clock.advance(9_999);
  assertEquals(peer.isClosed, false);
  clock.advance(1);
  assertEquals(await peer.closed, "delay between messages too long");
  assertEquals(peer.isEndedHere, false);
  assertEquals(clock.timers, 0);
});

/** A socket that never says that it has ended, as one does whose good-bye the network swallows. */
class SilentSocket implements Socket {
  readonly bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  closings = 0;
  listener: SocketListener | undefined;

  send(message: Uint8Array): void {
    this.sent.push(message);
  }

  close(): void {
    this.closings++;
  }

  listen(listener: SocketListener): void {
    this.listener = listener;
  }
}

Deno.test("[transport 12.3] a silent server is given up at once, whenever its socket gets around to end", async () => {
  const clock = new SteppedClock();
  const socket = new SilentSocket();
  const peer = new Peer(socket, { clock });
  keepAlive(peer, clock);
  const asked = assertRejects(() => peer.request("GetUsers", {}), ConnectionClosedError);
  clock.advance(PING_INTERVAL + 10_000);
  assertEquals(peer.isClosed, true);
  await asked;
  assertEquals(await peer.closed, "delay between messages too long");
  assertEquals([peer.isEndedHere, socket.closings], [false, 1]);
  assertEquals(clock.timers, 0);
  // What it still brings comes to nobody, and so does its own end.
  socket.listener?.message(new Uint8Array(3));
  socket.listener?.closed("a minute later");
});

Deno.test("[transport 12.3] a connection that has ended is not asked for signs of life", async () => {
  const clock = new SteppedClock();
  const socket = new SilentSocket();
  const peer = new Peer(socket, { clock });
  keepAlive(peer, clock);
  // Closed on this side: the socket may still have to say that it has ended.
  peer.close();
  const { length } = socket.sent;
  for (let round = 0; round < 5; round++) clock.advance(PING_INTERVAL);
  assertEquals([socket.sent.length - length, clock.timers], [0, 0]);
  socket.listener?.closed("closed by this client");
  assertEquals(await peer.closed, "closed by this client");
});

/** A WebSocket whose network the test is. */
class FakeSocket extends EventTarget {
  binaryType: BinaryType = "blob";
  bufferedAmount = 0;
  readyState = 0;
  isClosed = false;
  readonly sent: Uint8Array[] = [];

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.bufferedAmount += bytes.length;
  }

  close(): void {
    this.isClosed = true;
  }
}

const answer = (status: number, body: unknown): HttpClient => ({
  request: () => Promise.resolve(new Response(JSON.stringify(body), { status })),
  close() {},
});

async function openPage(clock: FakeClock) {
  const fake = new FakeSocket();
  const urls: string[] = [];
  const transport = webTransport({
    clock,
    http: answer(200, { ticket: "t" }),
    open: (url) => {
      urls.push(url);
      queueMicrotask(() => fake.open());
      return fake as unknown as PlatformSocket;
    },
  });
  const { signal } = new AbortController();
  const socket = await transport.connect(new URL("wss://h/p/rpc?a=1"), {}, signal);
  assertEquals(urls, ["wss://h/p/rpc?a=1&ticket=t"]);
  return { fake, socket };
}

Deno.test("[transport 12.4] sending never waits; what the network does not take for 2 s ends it", async () => {
  const clock = new FakeClock();
  const { fake, socket } = await openPage(clock);
  const ends: string[] = [];
  socket.listen({ message() {}, closed: (reason) => void ends.push(reason) });
  for (let index = 0; index < 10_000; index++) socket.send(new Uint8Array(1000));
  assertEquals(socket.bufferedAmount, 10_000_000);
  // Slow is not stuck: it shrinks a little, while more is sent.
  for (let round = 0; round < 5; round++) {
    fake.bufferedAmount -= 1;
    socket.send(new Uint8Array(1000));
    clock.advance(2_000);
    assertEquals(ends, []);
  }
  // Stuck: growing only.
  socket.send(new Uint8Array(1000));
  clock.advance(2_000);
  assertEquals(ends, ["the network does not take what is sent"]);
  assertEquals([fake.isClosed, socket.bufferedAmount, clock.timers], [true, 0, 0]);
});

Deno.test("[transport 12.3] a page's connection ends with the word, though its WebSocket never says so", async () => {
  const clock = new FakeClock();
  const { fake, socket } = await openPage(clock);
  const peer = new Peer(socket);
  peer.drop("delay between messages too long");
  assertEquals(await peer.closed, "delay between messages too long");
  assertEquals(fake.isClosed, true);
  // What is still said on it comes to nobody.
  fake.dispatchEvent(new MessageEvent("message", { data: new ArrayBuffer(3) }));
  fake.dispatchEvent(new Event("close"));
});

Deno.test("[transport 12.1] a page learns of refusals where it asks for its ticket", async () => {
  const { signal } = new AbortController();
  const connect = (status: number, body: unknown = {}) =>
    webTransport({ http: answer(status, body) }).connect(new URL("wss://h/rpc"), {}, signal);
  await assertRejects(() => connect(401), UnauthorizedError);
  await assertRejects(() => connect(404), ConnectError, "404");
  await assertRejects(() => connect(200), ConnectError, "no tickets");
  await assertRejects(() => connect(200, null), ConnectError, "no tickets");
  // A network that wants one to sign in first answers with a page of its own.
  const portal: HttpClient = {
    request: () => Promise.resolve(new Response("<html>Welcome to the train")),
    close() {},
  };
  await assertRejects(
    () => webTransport({ http: portal }).connect(new URL("wss://h/rpc"), {}, signal),
    ConnectError,
    "no tickets",
  );
});
