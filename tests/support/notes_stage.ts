import type { Init, MessageTypes } from "../../proto/mod.ts";
import { Stage } from "./stage.ts";
import { startServer, type TestServer, type TestServerOptions } from "./server.ts";
import { SteppedClock } from "./stepped_clock.ts";
import type { TestPeer } from "./test_peer.ts";

const PUBLIC = 0;
const MEMBER = 1;

/** A server on which time stands still, with channel 1 and those who belong to it. */
export class NotesStage extends Stage implements AsyncDisposable {
  readonly clock: SteppedClock;

  private constructor(server: TestServer, clock: SteppedClock) {
    super(server);
    this.clock = clock;
  }

  static async open(options: TestServerOptions = {}): Promise<NotesStage> {
    const clock = new SteppedClock();
    return new NotesStage(await startServer({ ...options, parts: { clock } }), clock);
  }

  /** `A1` makes channel 1, which is public; the others are members. All have subscribed. */
  async gather<const N extends readonly string[]>(
    ...names: N
  ): Promise<{ [K in keyof N]: TestPeer }> {
    const peers: TestPeer[] = [];
    for (const name of names) peers.push(await this.enter(name));
    const [owner, ...others] = peers as [TestPeer, ...TestPeer[]];
    await owner.call("CreateChannel", { name: "zed" });
    await owner.call("SetChannelVisibility", { channelId: 1n, visibility: PUBLIC });
    const known = new Set([owner.userId]);
    for (const other of others) {
      if (known.has(other.userId)) continue;
      known.add(other.userId);
      await this.invite(owner, other, MEMBER);
    }
    await this.subscribe(...peers);
    return peers as unknown as { [K in keyof N]: TestPeer };
  }

  /** Brings somebody into channel 1. */
  async invite(owner: TestPeer, other: TestPeer, role: number): Promise<void> {
    await owner.call("InviteChannelMember", { channelId: 1n, userId: other.userId, role });
    await other.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  }

  /** Everybody hears of channels; what they are told is passed over. */
  async subscribe(...peers: readonly TestPeer[]): Promise<void> {
    for (const peer of peers) peer.send("SubscribeToChannels", {});
    await this.silence();
  }

  /** Time goes on, and what comes of it has happened. */
  async pass(milliseconds: number): Promise<void> {
    await this.quiet();
    this.clock.advance(milliseconds);
    await this.quiet();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** Opens the notes of channel 1. */
export function open(peer: TestPeer): Promise<MessageTypes["JoinChannelBufferResponse"]> {
  return peer.call("JoinChannelBuffer", { channelId: 1n });
}

/** Writes into the notes of channel 1, in one batch. */
export function write(peer: TestPeer, ...operations: Init<MessageTypes["Operation"]>[]): void {
  peer.send("UpdateChannelBuffer", { channelId: 1n, operations });
}

/** Comes back to the notes of channel 1, having seen `version`. */
export function comeBack(
  peer: TestPeer,
  version: readonly (readonly [replicaId: number, timestamp: number])[],
  epoch = 0n,
): Promise<MessageTypes["RejoinChannelBuffersResponse"]> {
  const entries = version.map(([replicaId, timestamp]) => ({ replicaId, timestamp }));
  return peer.call("RejoinChannelBuffers", {
    buffers: [{ channelId: 1n, epoch, version: entries }],
  });
}
