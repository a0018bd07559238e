import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { TestServer } from "./server.ts";
import { Stage } from "./stage.ts";
import type { TestPeer } from "./test_peer.ts";

const MEMBER = 1;

/** Channel 1 of the first user with the others as members; everybody has subscribed. */
export async function channelOf<const N extends readonly [string, ...string[]]>(
  server: TestServer,
  ...names: N
): Promise<{ readonly stage: Stage; readonly peers: { readonly [K in keyof N]: TestPeer } }> {
  const stage = new Stage(server);
  const peers: TestPeer[] = [];
  for (const name of names) peers.push(await stage.enter(name));
  const [a, ...others] = peers as [TestPeer, ...TestPeer[]];
  await a.call("CreateChannel", { name: "root" });
  const known = new Set([a.userId]);
  for (const other of others) {
    if (known.has(other.userId)) continue;
    known.add(other.userId);
    const invite = { channelId: 1n, userId: other.userId, role: MEMBER };
    await a.call("InviteChannelMember", invite);
    await other.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  }
  for (const peer of peers) peer.send("SubscribeToChannels", {});
  await stage.silence();
  return { stage, peers: peers as { [K in keyof N]: TestPeer } };
}

/** A nonce that needs all of its bits. */
export function nonce(number: number): Init<MessageTypes["Nonce"]> {
  return { upperHalf: 0xffff_ffff_ffff_ffffn, lowerHalf: BigInt(number) };
}

export function mention(
  start: number,
  end: number,
  userId: bigint,
): Init<MessageTypes["ChatMention"]> {
  return { range: { start: BigInt(start), end: BigInt(end) }, userId };
}

/** What to send to say something in channel 1; each with a nonce of its own, by `number`. */
export function saying(
  number: number,
  body: string,
  more: Init<MessageTypes["SendChannelMessage"]> = {},
): Init<MessageTypes["SendChannelMessage"]> {
  return { channelId: 1n, body, nonce: nonce(number), ...more };
}
