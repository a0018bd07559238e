/** What a server that died has left of requests and invitations that were taken back. */
import { assertEquals } from "@std/assert";
import type { RowOf } from "../../../db/tables.ts";
import { createTestTree } from "./channel_world.ts";
import { World } from "./world.ts";

function row(
  id: number,
  recipientId: number,
  kind: string,
  entityId: number,
  isRead = false,
): RowOf<"notifications"> {
  return {
    id,
    recipient_id: recipientId,
    created_at: 0,
    kind,
    entity_id: entityId,
    content: "{}",
    is_read: isRead,
    response: null,
  };
}

Deno.test("[channels 3.8, 4.4, 7.9] [design 6a] what asks for something that was taken back before a crash is gone after it, and nothing asks twice", async () => {
  await using world = await World.start();
  const { owner, root } = await createTestTree(world);
  const guest = await world.connect("guest");
  guest.connection.socketClosed();
  await world.clock.advanceAsync(30_000);
  await world.settle();
  owner.send("CreateChannel", { name: "other" });
  await world.settle();
  const { id: other } = owner.find("CreateChannelResponse").value.channel as { id: bigint };
  const [userId, removed, invited] = [guest.userId, Number(root), Number(other)];
  owner.send("InviteChannelMember", { channelId: other, userId: BigInt(userId), role: 1 });
  await world.settle();
  // The deletion of 50 to 52, and of the one that was made first for the other channel, was lost.
  await world.store.commit([{
    actor: "/test",
    writes: [
      row(50, userId, "ContactRequest", owner.userId),
      row(51, userId, "ChannelInvitation", removed),
      row(52, userId, "ChannelInvitation", removed, true),
      row(53, userId, "ChannelInvitation", invited),
      row(54, userId, "ChannelInvitation", 99),
    ].map((row) => ({ op: "put", table: "notifications", row })),
  }]);
  const back = await world.connect("guest");
  back.send("GetNotifications", {});
  await world.settle();
  const { notifications } = back.find("GetNotificationsResponse").value;
  // Invitations to channels that are gone stay. [channels 7.2]
  assertEquals((notifications as { id: bigint }[]).map(({ id }) => id), [53n, 54n]);
  assertEquals((await world.store.notificationsOf(userId, null, 50)).map(({ id }) => id), [53, 54]);
});
