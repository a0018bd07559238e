/** Calls that ring. [rooms 10.2] */
import { assertEquals } from "@std/assert";
import { createTestTree } from "./channel_world.ts";
import { type Client, World } from "./world.ts";

Deno.test("[rooms 10.2.8, 4.2] a call that nobody who was asked can show stops on the devices that came later", async () => {
  await using world = await World.start();
  const { roomId, clients } = await world.meet("host", "ann");
  const [host, ann] = clients as [Client, Client];
  ann.send("LeaveRoom", {});
  await world.settle();
  const call = host.send("Call", { roomId, calledUserId: BigInt(ann.userId) });
  await world.settle();
  ann.find("IncomingCall");
  const later = await world.connect("ann");
  assertEquals(later.find("IncomingCall").value.roomId, roomId);
  ann.connection.socketClosed();
  await world.settle();
  const answer = host.take().find(({ respondingTo }) => respondingTo === call);
  assertEquals(answer?.name, "Error");
  assertEquals(later.find("CallCanceled").value.roomId, roomId);
});

Deno.test("[rooms 9.8a] a ring that is declined changes no list of a channel's call: only who joins or leaves does", async () => {
  await using world = await World.start();
  const { root, owner, member } = await createTestTree(world);
  member.send("RequestContact", { responderId: BigInt(owner.userId) });
  await world.settle();
  owner.send("RespondToContactRequest", { requesterId: BigInt(member.userId), response: 0 });
  owner.send("JoinChannel", { channelId: root });
  await world.settle();
  const { id: roomId } = owner.find("JoinRoomResponse").value.room as { id: bigint };
  owner.send("Call", { roomId, calledUserId: BigInt(member.userId) });
  await world.settle();
  member.take();
  member.send("SubscribeToChannels", {});
  await world.settle();
  // Whoever subscribes is told of those who are being rung, too. [channels 6.4]
  assertEquals(member.find("UpdateChannels").value.channelParticipants, [
    { channelId: root, participantUserIds: [BigInt(owner.userId), BigInt(member.userId)] },
  ]);
  for (const client of [owner, member]) client.take();
  member.send("DeclineCall", { roomId });
  await world.settle();
  for (const client of [owner, member]) {
    assertEquals(client.take().some(({ name }) => name === "UpdateChannels"), false);
  }
});
