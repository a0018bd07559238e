/** Chats that crash, that nobody needs any more, whose changes the database refuses. [design 1.6] */
import { assertEquals } from "@std/assert";
import { createTestTree } from "./channel_world.ts";
import { Refusing } from "./refusing.ts";
import { type Client, World } from "./world.ts";

function told(client: Client): string[] {
  return client.take().map(({ name, value }) => name === "Error" ? `Error ${value.code}` : name);
}

const say = (lowerHalf: bigint, channelId = 1n) => ({
  channelId,
  body: `message ${lowerHalf}`,
  nonce: { lowerHalf },
});

/** Owner and member in the chat of channel 1. */
async function chatting(world: World): Promise<{ owner: Client; member: Client }> {
  const { root, owner, member } = await createTestTree(world);
  for (const client of [owner, member]) client.send("JoinChannelChat", { channelId: root });
  await world.settle();
  for (const client of [owner, member]) client.take();
  return { owner, member };
}

Deno.test("[design 1.3d] [design 1.6] [channels 18aa] a message that is refused is told to nobody; who is in the chat stays in it", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await chatting(world);
  refusing.actor = "/channels/1/chat";
  owner.send("SendChannelMessage", say(1n));
  await world.settle();
  assertEquals([told(owner), told(member)], [["Error 0"], []]);
  // The tree had heard of it, and has forgotten it again.
  assertEquals(await latest(world, owner), []);
  owner.send("SendChannelMessage", say(1n));
  await world.settle();
  assertEquals([told(owner), told(member)], [["SendChannelMessageResponse"], [
    "ChannelMessageSent",
  ]]);
  assertEquals(await latest(world, owner), [{ channelId: 1n, messageId: 2n }]);
});

/** The newest messages as somebody who subscribes is told. */
async function latest(world: World, client: Client): Promise<unknown> {
  client.send("SubscribeToChannels", {});
  await world.settle();
  const [, update] = client.take();
  return update?.value.latestChannelMessageIds;
}

Deno.test("[design 1.6] [channels 10.8] a chat that crashes goes on, and one that crashes too often is out of order for a minute", async () => {
  await using world = await World.start();
  const { owner, member } = await chatting(world);
  const chat = world.actors.registry.chats.get(1);
  for (let crash = 0; crash < 3; crash++) {
    chat?.refusedByStore();
    owner.send("SendChannelMessage", say(BigInt(crash)));
    await world.settle();
    assertEquals([told(owner), told(member)], [["SendChannelMessageResponse"], [
      "ChannelMessageSent",
    ]]);
  }
  chat?.refusedByStore();
  owner.send("SendChannelMessage", say(9n));
  await world.settle();
  assertEquals(told(owner), ["Error 0"]);
  await world.clock.advanceAsync(60_000);
  owner.send("SendChannelMessage", say(9n));
  await world.settle();
  assertEquals(told(owner), ["SendChannelMessageResponse"]);
});

Deno.test("[channels 10.12, 11.3] a chat's actor is there while somebody is in the chat", async () => {
  await using world = await World.start();
  const { owner, member } = await chatting(world);
  const { chats } = world.actors.registry;
  assertEquals(world.actors.registry.lookup("/channels/1/chat"), chats.get(1));
  owner.send("LeaveChannelChat", { channelId: 1n });
  await world.settle();
  assertEquals(chats.size, 1);
  member.connection.socketClosed();
  assertEquals(chats.size, 0);
  owner.send("GetChannelMessages", { channelId: 1n, beforeMessageId: 1n });
  assertEquals(chats.size, 1);
  await world.settle();
  assertEquals([told(owner), chats.size], [["GetChannelMessagesResponse"], 0]);
  // Who is gone before his turn comes is not in the chat.
  owner.send("JoinChannelChat", { channelId: 1n });
  owner.connection.socketClosed();
  await world.settle();
  assertEquals(chats.size, 0);
});

Deno.test("[channels 1.6, 11.5] what one connection asks of a chat is done in its order", async () => {
  await using world = await World.start();
  const { owner } = await chatting(world);
  owner.send("LeaveChannelChat", { channelId: 1n });
  owner.send("SendChannelMessage", say(1n));
  owner.send("JoinChannelChat", { channelId: 1n });
  owner.send("SendChannelMessage", say(2n));
  owner.send("UpdateChannelMessage", { ...say(3n), messageId: 1n });
  owner.send("GetChannelMessages", { channelId: 1n, beforeMessageId: 100n });
  owner.send("RemoveChannelMessage", { channelId: 1n, messageId: 1n });
  owner.send("GetChannelMessages", { channelId: 1n, beforeMessageId: 100n });
  await world.settle();
  const messages = owner.take().map(({ name, value }) => [
    name === "Error" ? `Error ${value.code}` : name,
    ...((value.messages ?? []) as { body: string }[]).map(({ body }) => body),
  ]);
  assertEquals(messages, [
    ["Error 0"],
    ["JoinChannelChatResponse"],
    ["SendChannelMessageResponse"],
    ["Ack"],
    ["GetChannelMessagesResponse", "message 3"],
    ["Ack"],
    ["GetChannelMessagesResponse"],
  ]);
});

Deno.test("[channels 12, 2.3] an account goes with what it said; the newest message is another one", async () => {
  await using world = await World.start();
  const { owner, member } = await chatting(world);
  owner.send("SendChannelMessage", say(1n));
  member.send("SendChannelMessage", say(2n));
  await world.settle();
  await world.store.removeUser(member.userId);
  world.actors.removeUser(member.userId);
  await world.settle();
  owner.take();
  assertEquals(await latest(world, owner), [{ channelId: 1n, messageId: 1n }]);
  owner.send("JoinChannelChat", { channelId: 1n });
  await world.settle();
  const { messages } = owner.find("JoinChannelChatResponse").value;
  assertEquals((messages as { body: string }[]).map(({ body }) => body), ["message 1"]);
});

Deno.test("[channels 10.7.3] [design 1.6] one nonce in two chats at once puts neither of them out of order", async () => {
  await using world = await World.start();
  const { owner, member } = await chatting(world);
  owner.send("CreateChannel", { name: "below", parentId: 1n });
  await world.settle();
  member.send("JoinChannelChat", { channelId: 2n });
  await world.settle();
  member.take();
  owner.take();
  for (let time = 0n; time < 6n; time++) {
    member.send("SendChannelMessage", say(time));
    member.send("SendChannelMessage", say(time, 2n));
    await world.settle();
    assertEquals(told(member), ["SendChannelMessageResponse", "SendChannelMessageResponse"]);
  }
  // Repeated, each is the message that it was.
  for (const channelId of [1n, 2n]) {
    member.send("SendChannelMessage", say(0n, channelId));
    await world.settle();
    assertEquals(
      member.take().map(({ value }) => (value.message as { id: bigint }).id),
      [channelId],
    );
  }
  assertEquals(told(owner).filter((name) => name === "ChannelMessageSent").length, 7);
  assertEquals(world.log.lines, []);
});

Deno.test("[channels 4.6] [channels 10.9] what is marked read while it goes stays gone", async () => {
  let held: Promise<void> | undefined;
  await using world = await World.start((store) =>
    new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name !== "load") return value.bind(target);
        return async (table: "notifications", key: { id: number }) => {
          const rows = await target.load(table, key);
          if (table === "notifications") await held;
          return rows;
        };
      },
    })
  );
  const { owner, member } = await chatting(world);
  const userId = BigInt(member.userId);
  const mentions = [{ range: { start: 0n, end: 1n }, userId }];
  owner.send("SendChannelMessage", { ...say(1n), mentions });
  await world.settle();
  const { id: notificationId } = member.find("AddNotification").value.notification as {
    id: bigint;
  };
  member.send("MarkNotificationRead", { notificationId });
  await world.settle();
  told(member);
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  member.send("MarkNotificationRead", { notificationId });
  await world.settle();
  owner.send("RemoveChannelMessage", { channelId: 1n, messageId: 1n });
  await world.settle();
  assertEquals(told(member), ["RemoveChannelMessage", "DeleteNotification"]);
  held = undefined;
  resolve();
  await world.settle();
  assertEquals(told(member), ["Error 0"]);
  assertEquals(await world.store.loadWhere("notifications", { kind: "ChannelMessageMention" }), []);
});

Deno.test("[design 1.3d] [channels 7.2] a channel whose end is refused has its chat and who is in it", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await chatting(world);
  refusing.actor = "/channels/1";
  owner.send("DeleteChannel", { channelId: 1n });
  await world.settle();
  assertEquals([told(owner), told(member)], [["Error 0"], []]);
  owner.send("SendChannelMessage", say(1n));
  await world.settle();
  assertEquals([told(owner), told(member)], [["SendChannelMessageResponse"], [
    "ChannelMessageSent",
  ]]);
  owner.send("DeleteChannel", { channelId: 1n });
  await world.settle();
  assertEquals(world.actors.registry.chats.size, 0);
});
