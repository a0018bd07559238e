/** Chats of channels. [channels 10] */
import { assertEquals } from "@std/assert";
import { channelOf, mention, nonce } from "../support/chat.ts";
import { startServer } from "../support/server.ts";

const ADMIN = 0;

Deno.test("[channels S8, 10.7.4, 10.7.5, 10.8, 10.9, 10.10, Q-10, Q-16, 19z, 19aa, 19ab, 19ac, 17.9] chat with mentions", async () => {
  await using server = await startServer();
  const { stage, peers } = await channelOf(server, "A1", "B1", "C1", "A2");
  const [a, b, c] = peers;
  await a.call("JoinChannelChat", { channelId: 1n });
  await b.call("JoinChannelChat", { channelId: 1n });
  await stage.silence();

  const first = {
    channelId: 1n,
    body: " hi @user_c!\n",
    nonce: nonce(1),
    mentions: [mention(3, 10, c.userId)],
  };
  await a.call("SendChannelMessage", first);
  const said = '1 a "hi @user_c!" [3-10 c]';
  const about = (id: number, state: string) =>
    `AddNotification ${id} ChannelMessageMention 1 {"channel_id":1,"sender_id":${a.userId}} ${state}`;
  assertEquals(await stage.heardBy("A1", "A2", "B1", "C1"), {
    A1: [`↩ SendChannelMessageResponse ${said}`],
    A2: ["UpdateChannels chat 1@1"],
    B1: [`ChannelMessageSent in 1: ${said}`],
    C1: ["UpdateChannels chat 1@1", about(3, "unread")],
  });

  // The same once more: the message as it is, and nobody is notified again.
  await a.call("SendChannelMessage", { ...first, body: "something else" });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [`↩ SendChannelMessageResponse ${said}`],
    B1: [`ChannelMessageSent in 1: ${said}`],
    C1: ["UpdateChannels chat 1@1"],
  });

  await c.call("JoinChannelChat", { channelId: 1n });
  c.send("AckChannelMessage", { channelId: 1n, messageId: 1n });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [],
    B1: [],
    C1: ["↩ JoinChannelChatResponse 1 done", about(3, "read")],
  });

  await a.call("UpdateChannelMessage", {
    channelId: 1n,
    messageId: 1n,
    body: "hi @user_b",
    nonce: nonce(2),
    mentions: [mention(3, 10, b.userId)],
  });
  const edited = 'ChannelMessageUpdate in 1: 1 a "hi @user_b" [3-10 b] edited';
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["↩ Ack"],
    B1: [edited, about(4, "unread")],
    C1: [edited, "DeleteNotification 3"],
  });

  assertEquals(
    (await c.ask("RemoveChannelMessage", { channelId: 1n, messageId: 1n })).name,
    "Error",
  );
  await a.call("SetChannelMemberRole", { channelId: 1n, userId: b.userId, role: ADMIN });
  await stage.silence();
  await b.call("RemoveChannelMessage", { channelId: 1n, messageId: 1n });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["RemoveChannelMessage 1@1"],
    B1: ["DeleteNotification 4", "↩ Ack"],
    C1: ["RemoveChannelMessage 1@1"],
  });
  const left = [b, c].map((peer) => peer.call("GetNotifications", {}));
  for (const { notifications } of await Promise.all(left)) {
    assertEquals(notifications.map(({ kind }) => kind), ["ChannelInvitation"]);
  }
});

Deno.test("[channels 4.2, 4.1, 4.3] every kind of notification is stored by its name, with its entity and content", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1");
  await a.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  await a.call("JoinChannelChat", { channelId: 1n });
  const mentions = [mention(0, 2, b.userId)];
  await a.call("SendChannelMessage", {
    channelId: 1n,
    body: "@b",
    nonce: nonce(1),
    mentions,
  });
  await stage.silence();
  const rows = await server.server.store.load("notifications");
  const [aId, bId] = [Number(a.userId), Number(b.userId)];
  assertEquals(
    rows.map((row) => [row.recipient_id, row.kind, row.entity_id, JSON.parse(row.content)]),
    [
      [bId, "ChannelInvitation", 1, { inviter_id: aId, channel_name: "root" }],
      [bId, "ContactRequest", aId, {}],
      [aId, "ContactRequestAccepted", bId, {}],
      [bId, "ChannelMessageMention", 1, { channel_id: 1, sender_id: aId }],
    ],
  );
});
