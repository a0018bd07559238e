/** Channels that become public. [channels 7.4] */
import { assertEquals } from "@std/assert";
import { edit } from "../../support/notes.ts";
import { createTestTree, subscribe } from "./channel_world.ts";
import { type Client, World } from "./world.ts";

/** What a client was told of channels, without what is empty. */
function toldOfChannels(client: Client): Record<string, unknown>[] {
  return client.take().filter(({ name }) => name === "UpdateChannels").map(({ value }) =>
    Object.fromEntries(
      Object.entries(value).filter(([, list]) => (list as unknown[]).length > 0),
    )
  );
}

Deno.test("[channels 7.4, 6.2] who sees a channel for the first time hears also of its call, its notes and its chat", async () => {
  await using world = await World.start();
  const { root, owner, member } = await createTestTree(world);
  const guest = await world.connect("guest");
  await subscribe(world, guest);
  owner.send("InviteChannelMember", { channelId: root, userId: BigInt(guest.userId), role: 2 });
  guest.send("RespondToChannelInvite", { channelId: root, accept: true });
  owner.send("JoinChannelBuffer", { channelId: root });
  owner.send("JoinChannelChat", { channelId: root });
  await world.settle();
  owner.send("UpdateChannelBuffer", {
    channelId: root,
    operations: [edit([8, 2], [], [0, 0], "x")],
  });
  owner.send("SendChannelMessage", { channelId: root, body: "hello", nonce: { lowerHalf: 1n } });
  owner.send("JoinChannel", { channelId: root });
  await world.settle();
  for (const client of [member, guest]) client.take();
  owner.send("SetChannelVisibility", { channelId: root, visibility: 0 });
  await world.settle();
  const channels = [
    { id: root, name: "root", visibility: 0, channelOrder: 1, parentPath: [] },
  ];
  assertEquals(toldOfChannels(member), [{ channels }]);
  assertEquals(toldOfChannels(guest), [{
    channels,
    channelParticipants: [{ channelId: root, participantUserIds: [BigInt(owner.userId)] }],
    latestChannelMessageIds: [{ channelId: root, messageId: 1n }],
    latestChannelBufferVersions: [
      { channelId: root, epoch: 0n, version: [{ replicaId: 8, timestamp: 2 }] },
    ],
  }]);
  // It is nothing new any more.
  owner.send("SetChannelVisibility", { channelId: root, visibility: 0 });
  await world.settle();
  assertEquals(toldOfChannels(guest), [{ channels }]);
});
