import { assertEquals } from "@std/assert";
import { message, payloadField } from "../../rpc/frame.ts";
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import { HANDSHAKE, Opcode, RawClient } from "./raw_client.ts";
import { startServer, type TestServer, type TestServerOptions } from "./server.ts";
import { Stage } from "./stage.ts";
import { SteppedClock } from "./stepped_clock.ts";
import type { TestPeer } from "./test_peer.ts";

/**
 * Two clients at work in a room, host and guest of a project, and a third one among them that
 * misbehaves: whatever it does, the two must not notice. Time stands still, so that nobody is removed.
 */
export class Bystanders implements AsyncDisposable {
  readonly clock: SteppedClock;
  readonly server: TestServer;
  readonly stage: Stage;
  readonly host: TestPeer;
  readonly guest: TestPeer;
  /** In the room and in the project, as a member. */
  readonly sender: TestPeer;
  readonly roomId: bigint;
  readonly projectId: bigint;
  readonly #raw: RawClient[] = [];

  private constructor(
    clock: SteppedClock,
    stage: Stage,
    peers: readonly [TestPeer, TestPeer, TestPeer],
    roomId: bigint,
    projectId: bigint,
  ) {
    this.clock = clock;
    this.stage = stage;
    this.server = stage.server;
    [this.host, this.guest, this.sender] = peers;
    this.roomId = roomId;
    this.projectId = projectId;
  }

  static async open(options: TestServerOptions = {}): Promise<Bystanders> {
    const clock = new SteppedClock();
    const server = await startServer({ ...options, parts: { clock, ...options.parts } });
    try {
      const stage = new Stage(server);
      const { roomId, peers } = await stage.meet("A1", "B1", "C1");
      const [host, guest, sender] = peers;
      const worktrees = [{ id: 1n, rootName: "app", visible: true }];
      const { projectId } = await host.call("ShareProject", { roomId, worktrees });
      await guest.call("JoinProject", { projectId });
      await sender.call("JoinProject", { projectId });
      await stage.silence();
      return new Bystanders(clock, stage, peers, roomId, projectId);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Host and guest were told nothing, and still work together. */
  async assertUndisturbed(): Promise<void> {
    const { host, guest, stage, projectId } = this;
    assertEquals(await stage.heardBy("A1", "B1"), { A1: [], B1: [] });
    const update = { projectId, bufferId: 1n, operations: [] };
    assertEquals((await host.ask("UpdateBuffer", update)).name, "Ack");
    const opening = guest.send("OpenBufferById", { projectId, id: 1n });
    host.reply(await host.next("OpenBufferById"), "OpenBufferResponse", { bufferId: 7n });
    assertEquals((await guest.answer(opening)).name, "OpenBufferResponse");
    assertEquals(await stage.heardBy("A1", "B1"), {
      A1: [],
      B1: ["UpdateBuffer from A1", "↩ OpenBufferResponse"],
    });
  }

  /** A connection of that user, byte by byte, that has shaken hands. */
  async raw(login: string): Promise<RawClient> {
    const user = await this.server.addUser(login);
    const client = await signIn(this.server.url, user);
    this.#raw.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The server's end waits for what is still open, as it is when a test fails.
    for (const client of this.#raw) client.close();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Shakes hands as a user would. */
export async function signIn(
  url: string,
  { id, token }: { readonly id: number; readonly token: string },
): Promise<RawClient> {
  const client = await RawClient.connect(url);
  await client.request("/rpc", { ...HANDSHAKE, ...signInHeaders(id, token) });
  const { status } = await client.response();
  assertEquals(status, 101);
  return client;
}

/** What a client of 2026 says of itself. */
export function signInHeaders(id: number, token: string): Readonly<Record<string, string>> {
  return {
    authorization: `${id} ${token}`,
    "x-zed-protocol-version": "68",
    "x-zed-app-version": "1.10.0",
  };
}

/** Sends one message in one frame. */
export async function sendRaw<N extends MessageName>(
  client: RawClient,
  id: number,
  name: N,
  value: Init<MessageTypes[N]>,
): Promise<void> {
  const field = payloadField(messageInfo(name).tag as number, encode(name, value));
  await client.frame(Opcode.BINARY, message(id, -1, -1, 0, field));
}
