/** People around a channel that has a call. */
import type { Stage } from "./stage.ts";
import type { TestPeer } from "./test_peer.ts";

/** The channel that {@link gather} makes. */
export const ONE = { channelId: 1n };

const PUBLIC = 0;
const MEMBER = 1;

/** As the channel list of a client does when it is shown. */
export async function subscribe(stage: Stage, ...peers: readonly TestPeer[]): Promise<void> {
  for (const peer of peers) peer.send("SubscribeToChannels", {});
  await stage.silence();
}

/** The first one makes channel 1, which is public; the others are members of it. All are contacts. */
export async function gather<const N extends readonly string[]>(
  stage: Stage,
  ...names: N
): Promise<{ [K in keyof N]: TestPeer }> {
  const peers = await stage.friends(...names);
  const [host, ...others] = peers as unknown as [TestPeer, ...TestPeer[]];
  await host.call("CreateChannel", { name: "zed" });
  await host.call("SetChannelVisibility", { ...ONE, visibility: PUBLIC });
  for (const { userId } of others) {
    await host.call("InviteChannelMember", { ...ONE, userId, role: MEMBER });
  }
  for (const other of others) await other.call("RespondToChannelInvite", { ...ONE, accept: true });
  await subscribe(stage, host, ...others);
  return peers;
}
