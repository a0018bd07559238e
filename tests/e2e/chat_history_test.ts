/** What was said in a chat: joining, leaving, pages, single messages, seen marks. [channels 10] */
import { assert, assertEquals } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { channelOf, mention, nonce, saying } from "../support/chat.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { TestPeer } from "../support/test_peer.ts";

/** Says that many things one behind the other. */
async function sayMany(peer: TestPeer, count: number, first = 1): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => first + index);
  await Promise.all(
    numbers.map((number) => peer.call("SendChannelMessage", saying(number, `message ${number}`))),
  );
}

const idsOf = ({ messages }: { messages: readonly MessageTypes["ChannelMessage"][] }) =>
  messages.map(({ id }) => Number(id));
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

Deno.test("[channels 10.2, 10.4] the newest hundred on joining, older ones by page, the end is told", async () => {
  await using server = await startServer();
  const { peers: [a, b] } = await channelOf(server, "A1", "B1");
  const empty = await a.call("JoinChannelChat", { channelId: 1n });
  assertEquals([idsOf(empty), empty.done], [[], true]);
  await sayMany(a, 100);
  const hundred = await b.call("JoinChannelChat", { channelId: 1n });
  assertEquals([idsOf(hundred), hundred.done], [range(1, 100), false]);
  await sayMany(a, 105, 101);
  const newest = await b.call("JoinChannelChat", { channelId: 1n });
  assertEquals([idsOf(newest), newest.done], [range(106, 205), false]);
  // Whoever may read need not be in the chat for it.
  b.send("LeaveChannelChat", { channelId: 1n });
  const page = async (beforeMessageId: bigint) => {
    const found = await b.call("GetChannelMessages", { channelId: 1n, beforeMessageId });
    return [idsOf(found), found.done];
  };
  assertEquals(await page(106n), [range(6, 105), false]);
  assertEquals(await page(101n), [range(1, 100), false]);
  assertEquals(await page(6n), [range(1, 5), true]);
  assertEquals(await page(1n), [[], true]);
  assertEquals(await page(0n), [[], true]);
  assertEquals(await page(2n ** 64n - 1n), [range(106, 205), false]);
});

Deno.test("[channels 10.6, 1.3, 10.1] a message comes back whole, its mentions by start, its nonce with all bits, also after a restart", async () => {
  await using server = await startServer();
  const { peers: [a, b] } = await channelOf(server, "A1", "B1");
  await a.call("JoinChannelChat", { channelId: 1n });
  await sayMany(a, 1, 7);
  // Offsets are bytes: "é" has two, and nothing can begin inside it.
  const mentions = [mention(4, 6, b.userId), mention(0, 2, a.userId), mention(3, 4, b.userId)];
  const replyToMessageId = 2n ** 64n - 1n;
  const { message } = await a.call(
    "SendChannelMessage",
    saying(8, "@aé@b", { mentions, replyToMessageId }),
  );
  assert(message !== undefined);
  assertEquals(message.mentions, mentions as typeof message.mentions);
  assert(Math.abs(Number(message.timestamp) - Date.now() / 1000) < 600);
  const kept = {
    ...message,
    id: 2n,
    body: "@aé@b",
    senderId: a.userId,
    nonce: nonce(8),
    mentions: [mention(0, 2, a.userId), mention(4, 6, b.userId)],
    replyToMessageId,
  };
  const found = async (peer: TestPeer) => {
    const { messages } = await peer.call("GetChannelMessages", {
      channelId: 1n,
      beforeMessageId: 100n,
    });
    return messages[1] as unknown;
  };
  assertEquals(await found(b), kept);

  await a.call("UpdateChannelMessage", {
    channelId: 1n,
    messageId: 2n,
    body: " changed ",
    nonce: nonce(9),
  });
  const changed = await found(b) as MessageTypes["ChannelMessage"];
  assert(changed.editedAt !== undefined && changed.editedAt >= message.timestamp);
  const { editedAt } = changed;
  const now = { ...kept, body: " changed ", mentions: [], editedAt };
  assertEquals<unknown>(changed, now);
  await server.restart();
  assertEquals(await found(await server.raw("b")), now);
});

Deno.test("[channels 10.5, 18w] messages by their ids, ascending, unknown ones missing; all channels must be the reader's", async () => {
  await using server = await startServer();
  const { peers: [a, b] } = await channelOf(server, "A1", "B1");
  const { channel } = await a.call("CreateChannel", { name: "a's own" });
  const own = channel?.id as bigint;
  for (const channelId of [1n, own]) await a.call("JoinChannelChat", { channelId });
  await sayMany(a, 2);
  await a.call("SendChannelMessage", saying(3, "secret", { channelId: own }));
  const byId = async (peer: TestPeer, ...messageIds: bigint[]) => {
    const answer = await peer.ask("GetChannelMessagesById", { messageIds });
    return answer.name === "Error"
      ? (answer.value as MessageTypes["Error"]).code
      : [idsOf(answer.value as MessageTypes["GetChannelMessagesResponse"]), "done"];
  };
  assertEquals(await byId(a, 3n, 2n, 77n, 2n, 2n ** 64n - 1n), [[2, 3], "done"]);
  assertEquals(await byId(b, 2n, 1n), [[1, 2], "done"]);
  assertEquals(await byId(b, 1n, 3n), 0);
  assertEquals(await byId(b), [[], "done"]);
  assertEquals(await byId(b, ...range(1, 1001).map(BigInt)), 0);
});

Deno.test("[channels 10.3, 17.9] who has left hears no more, and cannot send", async () => {
  await using server = await startServer();
  const { stage, peers } = await channelOf(server, "A1", "B1", "B2");
  const [a, b, b2] = peers;
  for (const peer of [a, b, b2]) await peer.call("JoinChannelChat", { channelId: 1n });
  // Once per connection, however often it joins.
  await b.call("JoinChannelChat", { channelId: 1n });
  await stage.silence();
  await b.call("SendChannelMessage", saying(1, "one"));
  assertEquals(await stage.heardBy("A1", "B1", "B2"), {
    A1: ['ChannelMessageSent in 1: 1 b "one"'],
    B1: ['↩ SendChannelMessageResponse 1 b "one"'],
    B2: ['ChannelMessageSent in 1: 1 b "one"'],
  });
  b.send("LeaveChannelChat", { channelId: 1n });
  b.send("LeaveChannelChat", { channelId: 99n });
  // The user is still in it, with another connection.
  await b.call("SendChannelMessage", saying(2, "two"));
  assertEquals(await stage.heardBy("A1", "B1", "B2"), {
    A1: ['ChannelMessageSent in 1: 2 b "two"'],
    B1: ['↩ SendChannelMessageResponse 2 b "two"', "UpdateChannels chat 1@2"],
    B2: ['ChannelMessageSent in 1: 2 b "two"'],
  });
  b2.send("LeaveChannelChat", { channelId: 1n });
  await b.ask("SendChannelMessage", saying(3, "three"));
  await a.call("SendChannelMessage", saying(4, "four"));
  assertEquals(await stage.heardBy("B1", "B2"), {
    B1: ["↩ Error 0", "UpdateChannels chat 1@3"],
    B2: ["UpdateChannels chat 1@3"],
  });
});

Deno.test("[channels 10.9, 10.10, 10.11, 6.1, 6.4, 17.11] seen marks advance, never return, and tell what is new, also after a restart", async () => {
  await using server = await startServer();
  const { peers: [a, b] } = await channelOf(server, "A1", "B1");
  await a.call("JoinChannelChat", { channelId: 1n });
  await sayMany(a, 3);
  /** What is told to a new connection that subscribes: its memberships and marks, then the newest. */
  const subscribed = async (login: string) => {
    const stage = new Stage(server);
    const peer = await stage.enter(`${login}9`);
    await stage.silence();
    peer.send("SubscribeToChannels", {});
    const [user, channels] = await stage.heard(`${login}9`);
    await peer.close();
    return [user, channels?.replace(/^.*(chat )/, "$1")];
  };
  assertEquals(await subscribed("b"), ["UpdateUserChannels 1 Member", "chat 1@3"]);
  // Whoever says something has seen it.
  assertEquals(await subscribed("a"), ["UpdateUserChannels 1 Admin seen 1@3", "chat 1@3"]);
  const ack = async (messageId: bigint, channelId = 1n) => {
    b.send("AckChannelMessage", { channelId, messageId });
    await b.settle();
    return (await subscribed("b"))[0];
  };
  assertEquals(await ack(2n), "UpdateUserChannels 1 Member seen 1@2");
  assertEquals(await ack(1n), "UpdateUserChannels 1 Member seen 1@2");
  // What was never said, and where nothing can be said.
  assertEquals(await ack(4n), "UpdateUserChannels 1 Member seen 1@2");
  assertEquals(await ack(3n, 99n), "UpdateUserChannels 1 Member seen 1@2");
  await server.restart();
  assertEquals(await subscribed("b"), [
    "UpdateUserChannels 1 Member seen 1@2",
    "chat 1@3",
  ]);

  // The newest one is removed: the one before is the newest, and nothing becomes unread.
  const again = await server.raw("a");
  await again.call("JoinChannelChat", { channelId: 1n });
  await again.call("RemoveChannelMessage", { channelId: 1n, messageId: 1n });
  assertEquals((await subscribed("b"))[1], "chat 1@3");
  await again.call("RemoveChannelMessage", { channelId: 1n, messageId: 3n });
  assertEquals(await subscribed("b"), ["UpdateUserChannels 1 Member seen 1@2", "chat 1@2"]);
  await again.call("RemoveChannelMessage", { channelId: 1n, messageId: 2n });
  assertEquals(await subscribed("a"), [
    "UpdateUserChannels 1 Admin seen 1@3",
    "UpdateChannels shows 1 root Members 1",
  ]);
});

Deno.test("[channels 10.12, 11.3] [rooms 15.1] [rooms 14.2] a lost connection leaves the chat at once, and a restart leaves nobody in it", async () => {
  await using server = await startServer();
  const { stage, peers } = await channelOf(server, "A1", "B1", "B2");
  const [a, b, b2] = peers;
  await a.call("JoinChannelChat", { channelId: 1n });
  await b2.call("JoinChannelChat", { channelId: 1n });
  await b.call("SendChannelMessage", saying(1, "one"));
  await stage.lose("B2");
  await b.ask("SendChannelMessage", saying(2, "two"));
  await stage.silence();
  assertEquals((await b.ask("SendChannelMessage", saying(2, "two"))).name, "Error");
  await b.call("JoinChannelChat", { channelId: 1n });
  await b.call("SendChannelMessage", saying(2, "two"));
  await server.restart();
  const back = await server.raw("a");
  assertEquals((await back.ask("SendChannelMessage", saying(3, "three"))).name, "Error");
  const { messages } = await back.call("JoinChannelChat", { channelId: 1n });
  assertEquals(messages.map(({ body }) => body), ["one", "two"]);
  // What is repeated under its nonce is not said twice, by the same sender.
  const { message } = await back.call("SendChannelMessage", saying(3, "three"));
  assertEquals(message?.id, 3n);
  assertEquals((await back.call("SendChannelMessage", saying(3, "three"))).message?.id, 3n);
});
