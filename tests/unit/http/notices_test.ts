import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Notices, type NoticeSocket } from "../../../http/client_api/notices.ts";
import { type HttpServer, withHttp } from "../../support/http.ts";
import type { TestUser } from "../../support/server.ts";
import { waitUntil } from "../../support/wait_until.ts";

/** A client's socket for notices, byte for byte. */
class RawNotices implements Disposable {
  readonly #connection: Deno.TcpConn;
  head = "";
  /** What came behind the handshake. */
  bytes: number[] = [];
  ended = false;
  readonly #reading: Promise<void>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  static async open({ url }: HttpServer, user: TestUser): Promise<RawNotices> {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const socket = new RawNotices(connection);
    await socket.write(
      `GET /client/users/connect HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
        `Authorization: ${user.id} ${user.token}\r\nx-zed-protocol-version: 0\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await waitUntil(() => socket.head !== "");
    return socket;
  }

  async write(data: string | Uint8Array): Promise<void> {
    await this.#connection.write(
      typeof data === "string" ? new TextEncoder().encode(data) : data,
    );
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(4096);
    let text = "";
    for (;;) {
      const count = await this.#connection.read(buffer).catch(() => null);
      if (count === null) break;
      if (this.head !== "") {
        this.bytes.push(...buffer.subarray(0, count));
        continue;
      }
      text += String.fromCharCode(...buffer.subarray(0, count));
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      this.head = text.slice(0, end);
      this.bytes.push(...[...text.slice(end + 4)].map((c) => c.charCodeAt(0)));
    }
    this.ended = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#reading;
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch { /* closed by the server */ }
  }
}

/** An unmasked binary frame around the CBOR text "UserUpdated". */
const USER_UPDATED = [
  0x82,
  12,
  ...[0x6b, 0x55, 0x73, 0x65, 0x72, 0x55, 0x70, 0x64, 0x61, 0x74, 0x65, 0x64],
];

Deno.test("[transport 3.7.1, T14] the notices' handshake is answered plainly", async () => {
  await withHttp([], async (http) => {
    const ann = await http.server.addUser("ann");
    await using socket = await RawNotices.open(http, ann);
    const lines = socket.head.split("\r\n");
    assertEquals(lines[0], "HTTP/1.1 101 Switching Protocols");
    assert(lines.some((line) => /^connection: upgrade$/i.test(line)), socket.head);
    assert(lines.some((line) => /^upgrade: websocket$/i.test(line)), socket.head);
    assert(lines.includes("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), socket.head);
    assertNotMatch(socket.head, /sec-websocket-(extensions|protocol)/i);
  });
});

Deno.test("[transport 3.7.2, 3.7.3, 3.7.4] a changed account is told to its own sockets only; pings are answered", async () => {
  await withHttp([], async (http) => {
    const ann = await http.server.addUser("ann");
    const bob = await http.server.addUser("bob");
    await using first = await RawNotices.open(http, ann);
    await using second = await RawNotices.open(http, ann);
    await using other = await RawNotices.open(http, bob);
    const { notices } = http.server.server;
    await waitUntil(() => notices.size === 3);
    // What a client may send besides pings does no harm.
    await first.write(new Uint8Array([0x81, 0x81, 0, 0, 0, 0, 0x78]));
    await first.write(new Uint8Array([0x89, 0x80, 1, 2, 3, 4]));
    await waitUntil(() => first.bytes.length > 0);
    assertEquals(first.bytes.splice(0), [0x8a, 0]);
    notices.userChanged(ann.id);
    await waitUntil(() => first.bytes.length >= 14 && second.bytes.length >= 14);
    assertEquals([first.bytes, second.bytes], [USER_UPDATED, USER_UPDATED]);
    notices.userChanged(bob.id);
    await waitUntil(() => other.bytes.length >= 14);
    assertEquals(other.bytes, USER_UPDATED);
  });
});

Deno.test("[transport 3.7.1] sockets are counted out when they end, and end with account and server", async () => {
  await withHttp([], async (http) => {
    const ann = await http.server.addUser("ann");
    const bob = await http.server.addUser("bob");
    const { notices } = http.server.server;
    {
      await using _gone = await RawNotices.open(http, ann);
      await waitUntil(() => notices.size === 1);
    }
    await waitUntil(() => notices.size === 0);
    {
      await using polite = await RawNotices.open(http, ann);
      await waitUntil(() => notices.size === 1);
      await polite.write(new Uint8Array([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
      await waitUntil(() => notices.size === 0);
    }
    await using removed = await RawNotices.open(http, ann);
    await using stays = await RawNotices.open(http, bob);
    await waitUntil(() => notices.size === 2);
    notices.endUser(ann.id);
    assertEquals(notices.size, 1);
    await waitUntil(() => removed.bytes[0] === 0x88);
    notices.endAll();
    await waitUntil(() => stays.bytes[0] === 0x88);
  });
});

Deno.test("[transport 3.4.7] the notices' route answers at once whatever is asked", async () => {
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const plain = await ask("/client/users/connect", { as: ann });
    assertEquals(plain.status, 426);
    assertMatch(await plain.text(), /WebSocket/);
  });
});

Deno.test("[transport 3.7.1] one user cannot take the places of all", () => {
  const notices = new Notices(40);
  const socket = (): NoticeSocket => ({ send: () => {}, close: () => {} });
  let mine = 0;
  while (notices.hasRoom(1)) {
    notices.add(1, socket());
    mine++;
  }
  assertEquals(mine, 32);
  assert(notices.hasRoom(2));
  for (let i = 0; i < 8; i++) notices.add(2, socket());
  assert(!notices.hasRoom(3));
  notices.endUser(1);
  assert(notices.hasRoom(1) && notices.hasRoom(3));
});
