import { assert } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { ServerParts } from "../../server.ts";
import { bringIn, callTogether } from "./call.ts";
import { startServer, type TestServer } from "./server.ts";
import { SteppedClock } from "./stepped_clock.ts";
import { settle, type TestPeer, type TestPeerOptions } from "./test_peer.ts";
import { waitUntil } from "./wait_until.ts";
import { wire } from "./wire.ts";

/** How a {@link Scene} begins. */
export interface SceneOptions {
  /** Guests who have joined the project; one unless told otherwise. */
  readonly guests?: number;
  /** What is shared; one worktree with the id 100 unless told otherwise. */
  readonly share?: Init<MessageTypes["ShareProject"]>;
  readonly peer?: TestPeerOptions;
  /** What the server is given beside the clock. */
  readonly parts?: Omit<ServerParts, "clock">;
}

/** Features of a client of 2026. */
export const FEATURES = ["new-style-anchors"];

const WORKTREE = { id: 100n, rootName: "app", visible: true, absPath: "/home/host/app" };

/** Numbers of the roles in a room. */
export const Role = { Admin: 0, Member: 1, Guest: 2, Banned: 3, Talker: 4 } as const;

/**
 * A host and its guests in a room of the host, with a shared project that all guests have joined. Time
 * stands still unless the test moves the clock.
 */
export class Scene implements AsyncDisposable {
  readonly clock: SteppedClock;
  readonly server: TestServer;
  readonly host: TestPeer;
  readonly guests: TestPeer[] = [];
  roomId = 0n;
  projectId = 0n;
  readonly #peers: TestPeer[] = [];
  readonly #options: TestPeerOptions;

  private constructor(
    clock: SteppedClock,
    server: TestServer,
    host: TestPeer,
    options: SceneOptions,
  ) {
    this.clock = clock;
    this.server = server;
    this.host = host;
    this.#options = options.peer ?? {};
    this.#peers.push(host);
  }

  /** Sets it up; everybody ends with nothing fresh. */
  static async open(options: SceneOptions = {}): Promise<Scene> {
    const clock = new SteppedClock();
    const server = await startServer({ parts: { ...options.parts, clock } });
    try {
      const host = await server.raw("host", options.peer);
      const scene = new Scene(clock, server, host, options);
      for (let index = 1; index <= (options.guests ?? 1); index++) {
        scene.guests.push(await scene.connect(`guest${index}`));
      }
      scene.roomId = await callTogether(host, ...scene.guests);
      scene.projectId = await scene.share(host, options.share);
      for (const guest of scene.guests) await scene.join(guest);
      await scene.quiet();
      return scene;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The first guest. */
  get guest(): TestPeer {
    return this.guests[0] as TestPeer;
  }

  /** Connects somebody, who is known to {@link told} from then on. */
  async connect(login: string, options: TestPeerOptions = {}): Promise<TestPeer> {
    const peer = await this.server.raw(login, { ...this.#options, ...options });
    this.#peers.push(peer);
    return peer;
  }

  /** Connects somebody new and brings him into the room. */
  async enter(login: string, options: TestPeerOptions = {}): Promise<TestPeer> {
    const peer = await this.connect(login, options);
    await this.host.call("RequestContact", { responderId: peer.userId });
    await peer.call("RespondToContactRequest", { requesterId: this.host.userId, response: 0 });
    await bringIn(this.roomId, this.host, peer);
    await this.quiet();
    return peer;
  }

  /** Shares a project as a client of 2026 does. */
  async share(host: TestPeer, more: Init<MessageTypes["ShareProject"]> = {}): Promise<bigint> {
    const { projectId } = await host.call("ShareProject", {
      roomId: this.roomId,
      worktrees: [WORKTREE],
      features: FEATURES,
      ...more,
    });
    return projectId;
  }

  /** Joins the scene's project as a client of 2026 does. */
  async join(
    peer: TestPeer,
    projectId = this.projectId,
  ): Promise<MessageTypes["JoinProjectResponse"]> {
    return await peer.call("JoinProject", { projectId, features: FEATURES });
  }

  /** Waits until nothing is under way any more, and forgets what came. */
  async quiet(): Promise<void> {
    const open = this.#peers.filter(({ end }) => end === undefined);
    await settle(...open, ...open);
    for (const peer of open) peer.skip();
  }

  /**
   * What a peer was told since the last time, in short: `UpdateProject from host`, `Ack re 5`. Whoever
   * else may have sent something settles first, in the order given.
   */
  async told(peer: TestPeer, ...senders: readonly TestPeer[]): Promise<string[]> {
    await settle(...senders, peer);
    for (const [index, { id }] of peer.received.entries()) {
      const before = peer.received[index - 1];
      assert(before === undefined || before.id < id, `${peer.login}: ${before?.id} before ${id}`);
    }
    const lines = peer.fresh().map(({ name, respondingTo, originalSenderId }) => {
      const sender = originalSenderId === undefined ? "" : ` from ${this.nameOf(originalSenderId)}`;
      return `${name}${respondingTo === undefined ? "" : ` re ${respondingTo}`}${sender}`;
    });
    peer.skip();
    return lines;
  }

  /** The login of whose connection a peer id is. */
  nameOf(peerId: { readonly ownerId: number; readonly id: number }): string {
    const peer = this.#peers.find((one) =>
      one.peerId.ownerId === peerId.ownerId && one.peerId.id === peerId.id
    );
    return peer?.login ?? `${peerId.ownerId}:${peerId.id}`;
  }

  /** Changes a participant's role; nothing of it is fresh afterwards. */
  async setRole(peer: TestPeer, role: number): Promise<void> {
    await this.host.call("SetRoomParticipantRole", {
      roomId: this.roomId,
      userId: peer.userId,
      role,
    });
    await this.quiet();
  }

  /** Cuts a connection; resolves when the server has noticed. */
  async lose(peer: TestPeer): Promise<void> {
    const before = this.server.server.actors.registry.connections.size;
    await peer.close();
    await waitUntil(
      () => this.server.server.actors.registry.connections.size < before,
      { describe: `the server to notice the loss of ${peer.login}` },
    );
  }

  /** Sends a chunk of a tree and waits for its Ack. */
  async updateWorktree(more: Init<MessageTypes["UpdateWorktree"]>): Promise<void> {
    await this.host.call("UpdateWorktree", this.worktreeUpdate(more));
  }

  /** The scene's worktree with something changed. */
  worktreeUpdate(more: Init<MessageTypes["UpdateWorktree"]>): Init<MessageTypes["UpdateWorktree"]> {
    return {
      projectId: this.projectId,
      worktreeId: 100n,
      rootName: "app",
      absPath: "/home/host/app",
      scanId: 1n,
      isLastUpdate: true,
      ...more,
    };
  }

  /** Ends the server and every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** An entry with what matters in most tests. */
export function entry(
  id: bigint,
  path: string,
  more: Init<MessageTypes["Entry"]> = {},
): MessageTypes["Entry"] {
  return wire("Entry", { id, path, inode: id, mtime: { seconds: 5n, nanos: 6 }, ...more });
}

/** Many entries with ids and paths that count. */
export function entries(count: number, first = 1n): MessageTypes["Entry"][] {
  return Array.from(
    { length: count },
    (_, index) => entry(first + BigInt(index), `file${first + BigInt(index)}`),
  );
}
