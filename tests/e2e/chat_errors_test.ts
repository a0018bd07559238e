/** What a chat refuses, and what it leaves alone. [channels 18] */
import { assertEquals } from "@std/assert";
import type { RequestName } from "../../client/responses_table.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { channelOf, mention, nonce, saying } from "../support/chat.ts";
import { startServer } from "../support/server.ts";
import type { TestPeer } from "../support/test_peer.ts";

const [INTERNAL, NO_SUCH_CHANNEL] = [0, 1];
const [ADMIN, MEMBER, GUEST, BANNED] = [0, 1, 2, 3];

/** The code of the error, `undefined` for a success. */
async function codeOf<N extends RequestName>(
  peer: TestPeer,
  name: N,
  value: Init<MessageTypes[N]>,
): Promise<number | undefined> {
  const answer = await peer.ask(name, value);
  return answer.name === "Error" ? (answer.value as MessageTypes["Error"]).code : undefined;
}

Deno.test("[channels 18v, 10.2, 10.4] joining and reading: an unknown channel, one without a role in it", async () => {
  await using server = await startServer();
  const { stage } = await channelOf(server, "A1");
  const z = await stage.enter("Z1");
  for (const peer of [z]) {
    const page = { channelId: 1n, beforeMessageId: 1n };
    assertEquals(await codeOf(peer, "JoinChannelChat", { channelId: 1n }), INTERNAL);
    assertEquals(await codeOf(peer, "GetChannelMessages", page), INTERNAL);
    assertEquals(await codeOf(peer, "JoinChannelChat", { channelId: 9n }), NO_SUCH_CHANNEL);
    assertEquals(
      await codeOf(peer, "GetChannelMessages", { ...page, channelId: 9n }),
      NO_SUCH_CHANNEL,
    );
  }
});

Deno.test("[channels 18x, 10.7.1, 10.7.2, 18aa] sending: text, nonce, channel, role, chat, mentions, in this order; nothing is stored or told", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1");
  const z = await stage.enter("Z1");
  await b.call("JoinChannelChat", { channelId: 1n });
  await stage.silence();
  const refused = async (peer: TestPeer, value: Init<MessageTypes["SendChannelMessage"]>) => {
    const code = await codeOf(peer, "SendChannelMessage", value);
    // What is wrong with the text comes before what is wrong with the channel.
    return [code, await codeOf(peer, "SendChannelMessage", { ...value, channelId: 9n })];
  };
  for (
    const value of [
      saying(1, "x".repeat(1025)),
      saying(1, "é".repeat(513)),
      saying(1, ""),
      saying(1, " \n\t\u0085\u2003\u3000"),
      { channelId: 1n, body: "no nonce" },
    ]
  ) assertEquals(await refused(b, value), [INTERNAL, INTERNAL]);
  // `a` has not joined, `z` has no role.
  for (const peer of [a, z]) {
    assertEquals(await refused(peer, saying(1, "good")), [INTERNAL, NO_SUCH_CHANNEL]);
  }
  for (
    const mentions of [
      [mention(0, 1, 99n)],
      // Of no use, but its user is to be told.
      [mention(0, 99, 99n)],
      [mention(0, 1, a.userId), mention(0, 2, b.userId)],
      [{ userId: a.userId }],
      Array.from({ length: 1025 }, (_, at) => mention(at, at, a.userId)),
    ]
  ) {
    assertEquals(await codeOf(b, "SendChannelMessage", saying(1, "good", { mentions })), INTERNAL);
  }
  await stage.heard("B1");
  assertEquals(await stage.heardBy("A1", "Z1"), {
    A1: ["↩ Error 0", "↩ Error 1"],
    Z1: ["↩ Error 0", "↩ Error 1"],
  });
  assertEquals((await b.call("JoinChannelChat", { channelId: 1n })).messages, []);
  // The longest text, without the white space around it.
  const longest = "é".repeat(512);
  const { message } = await b.call("SendChannelMessage", saying(1, `\u2003 ${longest}\n\n`));
  assertEquals([message?.id, message?.body], [1n, longest]);
});

Deno.test("[channels 10.7.3, Q-15] a nonce is its sender's: another one's message is another message, in another channel it is refused", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1");
  const { channel } = await a.call("CreateChannel", { name: "other" });
  const other = channel?.id as bigint;
  for (const peer of [a, b]) await peer.call("JoinChannelChat", { channelId: 1n });
  await a.call("JoinChannelChat", { channelId: other });
  await a.call("SendChannelMessage", saying(1, "a's"));
  await stage.silence();
  await b.call("SendChannelMessage", saying(1, "b's"));
  await b.call("SendChannelMessage", saying(1, "changed"));
  assertEquals(
    await codeOf(a, "SendChannelMessage", saying(1, "x", { channelId: other })),
    INTERNAL,
  );
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [
      'ChannelMessageSent in 1: 2 b "b\'s"',
      'ChannelMessageSent in 1: 2 b "b\'s"',
      "↩ Error 0",
    ],
    B1: [
      '↩ SendChannelMessageResponse 2 b "b\'s"',
      '↩ SendChannelMessageResponse 2 b "b\'s"',
    ],
  });
  const { messages } = await a.call("JoinChannelChat", { channelId: 1n });
  assertEquals(messages.map(({ body }) => body), ["a's", "b's"]);
});

Deno.test("[channels 18y, 10.8] changing: unknown channel, no role, not in the chat, another's, without a nonce", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1");
  const z = await stage.enter("Z1");
  await a.call("JoinChannelChat", { channelId: 1n });
  await a.call("SendChannelMessage", saying(1, "a's"));
  const edit = { channelId: 1n, messageId: 1n, body: "changed", nonce: nonce(2) };
  const code = async (
    peer: TestPeer,
    more: Init<MessageTypes["UpdateChannelMessage"]> = {},
  ) => await codeOf(peer, "UpdateChannelMessage", { ...edit, ...more });
  assertEquals(await code(a, { channelId: 9n }), NO_SUCH_CHANNEL);
  assertEquals(await code(z), INTERNAL);
  assertEquals(await code(b), INTERNAL);
  await b.call("JoinChannelChat", { channelId: 1n });
  assertEquals(await code(b), INTERNAL);
  await a.call("SetChannelMemberRole", { channelId: 1n, userId: b.userId, role: ADMIN });
  assertEquals(await code(b), INTERNAL);
  for (
    const more of [
      { messageId: 9n },
      { messageId: 2n ** 64n - 1n },
      { body: "x".repeat(1025) },
      { body: "  " },
      { mentions: [mention(0, 1, 99n)] },
    ]
  ) assertEquals(await code(a, more), INTERNAL);
  const { nonce: _, ...without } = edit;
  assertEquals(await codeOf(a, "UpdateChannelMessage", without), INTERNAL);
  await stage.silence();
  const { messages } = await a.call("JoinChannelChat", { channelId: 1n });
  assertEquals(messages.map(({ body, editedAt }) => [body, editedAt]), [["a's", undefined]]);
  assertEquals(await code(a), undefined);
});

Deno.test("[channels 18z, 10.9, Q-17, 5.9j] removing: not in the chat, another's, unknown, through another channel", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1");
  const { channel } = await b.call("CreateChannel", { name: "b's own" });
  const own = channel?.id as bigint;
  for (const number of [1, 2]) {
    await a.call("JoinChannelChat", { channelId: 1n });
    await a.call("SendChannelMessage", saying(number, "a's"));
  }
  await stage.silence();
  const code = async (peer: TestPeer, messageId: bigint, channelId = 1n) =>
    await codeOf(peer, "RemoveChannelMessage", { channelId, messageId });
  assertEquals(await code(b, 1n), INTERNAL);
  await b.call("JoinChannelChat", { channelId: 1n });
  assertEquals(await code(b, 1n), INTERNAL);
  // Nobody is in the chat of a channel that is not there.
  assertEquals(await code(b, 1n, 9n), INTERNAL);
  // The admin of one channel cannot reach into another one.
  await b.call("JoinChannelChat", { channelId: own });
  assertEquals(await code(b, 1n, own), INTERNAL);
  assertEquals(await code(a, 3n), INTERNAL);
  await b.call("SendChannelMessage", saying(1, "b's"));
  assertEquals(await code(b, 3n), undefined);
  assertEquals(await code(b, 3n), INTERNAL);
  // Not even one's own where one does not see the channel any more.
  await b.call("SendChannelMessage", saying(2, "b's"));
  await a.call("SetChannelMemberRole", { channelId: 1n, userId: b.userId, role: BANNED });
  assertEquals(await code(b, 4n), INTERNAL);
  assertEquals(await code(a, 4n), undefined);
  assertEquals(await code(a, 1n), undefined);
  const { messages } = await a.call("JoinChannelChat", { channelId: 1n });
  assertEquals(messages.map(({ id }) => id), [2n]);
});

Deno.test("[channels 5.9k, Q-10, Q-20] who does not see the channel any more hears nothing of it, from its chat neither", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1", "B2", "C1");
  for (const peer of [a, b]) await peer.call("JoinChannelChat", { channelId: 1n });
  await a.call("SetChannelMemberRole", { channelId: 1n, userId: b.userId, role: GUEST });
  await stage.silence();
  await a.call("SendChannelMessage", saying(1, "still here"));
  assertEquals(await stage.heardBy("B1", "B2", "C1"), {
    B1: [],
    B2: [],
    C1: ["UpdateChannels chat 1@1"],
  });
  assertEquals(await codeOf(b, "SendChannelMessage", saying(1, "me too")), INTERNAL);
  // Nor is the last admin kept from leaving.
  await a.call("SetChannelMemberRole", { channelId: 1n, userId: a.userId, role: MEMBER });
  assertEquals(
    await codeOf(a, "SetChannelMemberRole", { channelId: 1n, userId: a.userId, role: ADMIN }),
    INTERNAL,
  );
});

Deno.test("[channels 7.2, 19j, 4.9] a channel goes with its chat; notifications stay", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1");
  const { channel } = await a.call("CreateChannel", { name: "below", parentId: 1n });
  const below = channel?.id as bigint;
  for (const channelId of [1n, below]) {
    await a.call("JoinChannelChat", { channelId });
    await b.call("JoinChannelChat", { channelId });
    const mentions = [mention(0, 2, b.userId)];
    await a.call("SendChannelMessage", saying(Number(channelId), "@b", { channelId, mentions }));
  }
  b.send("AckChannelMessage", { channelId: below, messageId: 2n });
  await stage.silence();
  const sent = a.ask("SendChannelMessage", saying(3, "last", { channelId: below }));
  await a.call("DeleteChannel", { channelId: below });
  await sent;
  await stage.silence();
  for (const name of ["JoinChannelChat", "SendChannelMessage"] as const) {
    const value = { ...saying(4, "x"), channelId: below };
    assertEquals(await codeOf(a, name, value), NO_SUCH_CHANNEL);
  }
  assertEquals(
    (await a.call("GetChannelMessagesById", { messageIds: [1n, 2n, 3n] })).messages
      .map(({ id }) => id),
    [1n],
  );
  const { notifications } = await b.call("GetNotifications", {});
  assertEquals(
    notifications.map(({ kind, entityId, isRead }) => [kind, entityId, isRead]),
    [
      ["ChannelInvitation", 1n, true],
      ["ChannelMessageMention", 1n, false],
      ["ChannelMessageMention", 2n, true],
    ],
  );
  const { store } = server.server.actors;
  const where = { channel_id: Number(below) };
  assertEquals(await store.load("channel_messages", where), []);
  assertEquals(await store.load("observed_channel_messages", where), []);
  assertEquals((await store.load("channel_messages")).length, 1);
});

Deno.test("[channels 10.7.4, 10.8, Q-16, 17.12] everybody mentioned is notified once, as long as the mention stands", async () => {
  await using server = await startServer();
  const { stage, peers: [a, b] } = await channelOf(server, "A1", "B1", "C1");
  const z = await stage.enter("Z1");
  await a.call("JoinChannelChat", { channelId: 1n });
  await stage.silence();
  const of = (id: number, text = "unread") =>
    `${id} ChannelMessageMention 1 {"channel_id":1,"sender_id":${a.userId}} ${text}`;
  // Twice the same, the sender himself, somebody without a role and in no place of the text.
  const mentions = [
    mention(0, 2, b.userId),
    mention(3, 5, b.userId),
    mention(6, 8, a.userId),
    mention(51, 50, z.userId),
  ];
  await a.call("SendChannelMessage", saying(1, "@b @b @a @z", { mentions }));
  const said = '1 a "@b @b @a @z" [0-2 b] [3-5 b] [6-8 a] [51-50 z]';
  assertEquals(await stage.heardBy("A1", "B1", "C1", "Z1"), {
    A1: [`↩ SendChannelMessageResponse ${said}`, `AddNotification ${of(4)}`],
    B1: ["UpdateChannels chat 1@1", `AddNotification ${of(3)}`],
    C1: ["UpdateChannels chat 1@1"],
    Z1: [`AddNotification ${of(5)}`],
  });

  // Read or not, it goes when the mention does; it comes back as a new one.
  await z.call("MarkNotificationRead", { notificationId: 5n });
  await stage.silence();
  const edit = async (body: string, ...users: bigint[]) =>
    await a.call("UpdateChannelMessage", {
      channelId: 1n,
      messageId: 1n,
      body,
      nonce: nonce(1),
      mentions: users.map((userId, at) => mention(at, at + 1, userId)),
    });
  await edit("only b", b.userId);
  assertEquals(await stage.heardBy("A1", "B1", "Z1"), {
    A1: ["↩ Ack", "DeleteNotification 4"],
    B1: [`UpdateNotification ${of(3)}`],
    Z1: ["DeleteNotification 5"],
  });
  await edit("b and z", b.userId, z.userId);
  assertEquals(await stage.heardBy("A1", "B1", "Z1"), {
    A1: ["↩ Ack"],
    B1: [`UpdateNotification ${of(3)}`],
    Z1: [`AddNotification ${of(6)}`],
  });
  await a.call("RemoveChannelMessage", { channelId: 1n, messageId: 1n });
  assertEquals(await stage.heardBy("A1", "B1", "Z1"), {
    A1: ["↩ Ack"],
    B1: ["DeleteNotification 3"],
    Z1: ["DeleteNotification 6"],
  });
  const { store } = server.server.actors;
  assertEquals(await store.loadWhere("notifications", { kind: "ChannelMessageMention" }), []);
});
