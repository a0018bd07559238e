import type { Client, World } from "./world.ts";

/** A client hears of its channels from now on; what it was told is taken. */
export async function subscribe(world: World, ...clients: readonly Client[]): Promise<void> {
  for (const client of clients) client.send("SubscribeToChannels", {});
  await world.settle();
  for (const client of clients) client.take();
}

/** Channel 1, `root`, of `owner`, with `member` as a Member; both have subscribed. */
export async function createTestTree(
  world: World,
): Promise<{ readonly root: bigint; readonly owner: Client; readonly member: Client }> {
  const owner = await world.connect("owner");
  const member = await world.connect("member");
  owner.send("CreateChannel", { name: "root" });
  await world.settle();
  const { id: root } = owner.find("CreateChannelResponse").value.channel as { id: bigint };
  owner.send("InviteChannelMember", { channelId: root, userId: BigInt(member.userId), role: 1 });
  await world.settle();
  member.send("RespondToChannelInvite", { channelId: root, accept: true });
  await subscribe(world, owner, member);
  return { root, owner, member };
}
