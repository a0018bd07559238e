/** Who belongs to a channel, and who hears of it. [channels 5] [channels 6] [channels 7] */
import { assertEquals } from "@std/assert";
import type { RequestName } from "../../client/responses_table.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";

const [PUBLIC, MEMBERS] = [0, 1] as readonly number[] as [number, number];
const ROLE = { Admin: 0, Member: 1, Guest: 2, Banned: 3, Talker: 4 } as const;
const ONE = { channelId: 1n };

/** The first one makes channel 1 with child 2, which only members see. Everybody subscribes. */
async function gather<const N extends readonly string[]>(
  stage: Stage,
  ...names: N
): Promise<{ [K in keyof N]: TestPeer }> {
  const peers: TestPeer[] = [];
  for (const name of names) peers.push(await stage.enter(name));
  for (const peer of peers) peer.send("SubscribeToChannels", {});
  await peers[0]?.call("CreateChannel", { name: "zed" });
  await peers[0]?.call("CreateChannel", { name: "two", parentId: 1n });
  await stage.silence();
  return peers as { [K in keyof N]: TestPeer };
}

async function bring(host: TestPeer, peer: TestPeer, role: number, channelId = 1n): Promise<void> {
  await host.call("InviteChannelMember", { channelId, userId: peer.userId, role });
  await peer.call("RespondToChannelInvite", { channelId, accept: true });
}

Deno.test("[channels 6.3, 19b] subscribing tells all trees in one, even if there is none", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  await stage.silence();
  b.send("SubscribeToChannels", {});
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [],
    B1: ["UpdateUserChannels", "UpdateChannels"],
  });
  // Roots 1, 2 and 6, with 3 and 4 below 1, 5 below 4.
  for (const [name, parentId] of [["r"], ["s"], ["x", 1n], ["y", 1n], ["z", 4n], ["t"]] as const) {
    await a.call("CreateChannel", { name, ...(parentId !== undefined && { parentId }) });
  }
  await a.call("SetChannelVisibility", { ...ONE, visibility: PUBLIC });
  await a.call("SetChannelVisibility", { channelId: 4n, visibility: PUBLIC });
  await bring(a, b, ROLE.Guest);
  await bring(a, b, ROLE.Banned, 2n);
  await a.call("InviteChannelMember", { channelId: 6n, userId: b.userId, role: ROLE.Member });
  await a.call("JoinChannel", { channelId: 4n });
  await stage.silence();
  b.send("SubscribeToChannels", {});
  a.send("SubscribeToChannels", {});
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [
      "UpdateUserChannels 1 Admin, 2 Admin, 6 Admin",
      "UpdateChannels shows 3 x Members 1 in 1/, 4 y Public 2 in 1/, 5 z Members 1 in 1/4/, " +
      "1 r Public 1, 2 s Members 1, 6 t Members 1 | calls 4(a)",
    ],
    B1: [
      "UpdateUserChannels 1 Guest, 2 Banned",
      "UpdateChannels shows 4 y Public 2 in 1/, 1 r Public 1 | invites 6 t Members 1 | calls 4(a)",
    ],
  });
});

Deno.test("[rooms 7b] [channels 5.10] subscriptions are a user's, and go with the last connection", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await bring(a, b, ROLE.Member);
  await stage.enter("B2");
  await stage.silence();
  let count = 0;
  const rename = async () => {
    await a.call("RenameChannel", { ...ONE, name: `name${++count}` });
  };
  await rename();
  const told = ["UpdateChannels shows 1 name1 Members 1"];
  assertEquals(await stage.heardBy("B1", "B2"), { B1: told, B2: told });
  await stage.lose("B1");
  await rename();
  assertEquals(await stage.heard("B2"), ["UpdateChannels shows 1 name2 Members 1"]);
  await stage.lose("B2");
  const b3 = await stage.enter("B3");
  await stage.silence();
  await rename();
  assertEquals(await stage.heard("B3"), []);
  b3.send("SubscribeToChannels", {});
  await stage.silence();
  await rename();
  assertEquals(await stage.heard("B3"), ["UpdateChannels shows 1 name4 Members 1"]);
});

Deno.test("[channels 5.10, 6.5] who makes a root, comes in or gets a role hears of the tree unasked; who is banned does not", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b, c] = [await stage.enter("A1"), await stage.enter("B1"), await stage.enter("C1")];
  await stage.silence();
  await a.call("CreateChannel", { name: "zed" });
  const root = "UpdateChannels shows 1 zed Members 1";
  assertEquals(await stage.heard("A1"), [
    "↩ CreateChannelResponse 1 zed Members 1",
    "UpdateUserChannels 1 Admin",
    root,
  ]);
  const invite = (userId: bigint, role: number) =>
    a.call("InviteChannelMember", { ...ONE, userId, role });
  await invite(b.userId, ROLE.Member);
  await stage.silence();
  const rename = async (name: string) => {
    await a.call("RenameChannel", { ...ONE, name });
    return await stage.heardBy("B1", "C1");
  };
  assertEquals(await rename("invited"), { B1: [], C1: [] });

  await b.call("RespondToChannelInvite", { ...ONE, accept: true });
  await a.call("SetChannelVisibility", { ...ONE, visibility: PUBLIC });
  await c.call("JoinChannel", ONE);
  await stage.silence();
  const told = (name: string) => [`UpdateChannels shows 1 ${name} Public 1`];
  assertEquals(await rename("in"), { B1: told("in"), C1: told("in") });

  await stage.lose("B1");
  const b2 = await stage.enter("B1");
  await stage.silence();
  assertEquals(await rename("back"), { B1: [], C1: told("back") });
  const setRole = (role: number) =>
    a.call("SetChannelMemberRole", { ...ONE, userId: b.userId, role });
  await setRole(ROLE.Guest);
  await stage.silence();
  assertEquals(await rename("guest"), { B1: told("guest"), C1: told("guest") });

  await a.call("CreateChannel", { name: "x", parentId: 1n });
  b2.send("SubscribeToChannels", {});
  await setRole(ROLE.Banned);
  await stage.silence();
  await a.call("DeleteChannel", { channelId: 2n });
  assertEquals(await stage.heardBy("B1", "C1"), { B1: [], C1: ["UpdateChannels hides 2"] });
  b2.send("SubscribeToChannels", {});
  await a.call("CreateChannel", { name: "y", parentId: 1n });
  await stage.silence();
  await a.call("DeleteChannel", { channelId: 3n });
  assertEquals(await stage.heardBy("B1", "C1"), {
    B1: ["UpdateChannels hides 3"],
    C1: ["UpdateChannels hides 3"],
  });
});

Deno.test("[channels 7.8, 4.1, 19o] an invitation declined, and answers to none", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const b2 = await stage.enter("B2");
  await stage.silence();
  await a.call("InviteChannelMember", { ...ONE, userId: b.userId, role: ROLE.Member });
  await stage.silence();
  await b.call("RespondToChannelInvite", { ...ONE, accept: false });
  const declined = [
    "UpdateChannels uninvites 1",
    `AddNotification 1 ChannelInvitation 1 {"inviter_id":${a.userId},"channel_name":"zed"} read no`,
  ];
  assertEquals(await stage.heardBy("A1", "B1", "B2"), {
    A1: [],
    B1: [...declined, "↩ Ack"],
    B2: declined,
  });
  await b2.ask("RespondToChannelInvite", { ...ONE, accept: true });
  await b2.ask("RespondToChannelInvite", { channelId: 2n, accept: true });
  await b2.ask("RespondToChannelInvite", { channelId: 9n, accept: true });
  assertEquals(await stage.heard("B2"), ["↩ Error 0", "↩ Error 0", "↩ Error 1"]);
  assertEquals(await server.server.store.load("channel_members", { channel_id: 1 }), [
    { channel_id: 1, user_id: Number(a.userId), role: "admin", accepted: true },
  ]);
});

Deno.test("[channels 7.9, 19p, 5.9d] an invitation taken back takes its notification with it", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await a.call("InviteChannelMember", { ...ONE, userId: b.userId, role: ROLE.Member });
  await stage.silence();
  await a.call("RemoveChannelMember", { ...ONE, userId: b.userId });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack"],
    B1: [
      "UpdateUserChannels",
      "UpdateChannels hides 2, 1 | uninvites 1",
      "DeleteNotification 1",
    ],
  });
  assertEquals(await server.server.store.load("notifications"), []);
});

Deno.test("[channels Q-4] an invitation that has been read still gets its answer, or goes with what it asks", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const content = `{"inviter_id":${a.userId},"channel_name":"zed"}`;
  await a.call("InviteChannelMember", { ...ONE, userId: b.userId, role: ROLE.Member });
  await b.call("MarkNotificationRead", { notificationId: 1n });
  await stage.silence();
  await a.call("RemoveChannelMember", { ...ONE, userId: b.userId });
  assertEquals((await stage.heard("B1")).at(-1), "DeleteNotification 1");

  await a.call("InviteChannelMember", { ...ONE, userId: b.userId, role: ROLE.Member });
  await b.call("MarkNotificationRead", { notificationId: 2n });
  // Also when the server has been away in between.
  await server.restart();
  await Promise.all([a.closed, b.closed]);
  const b2 = await stage.enter("B2");
  await stage.silence();
  await b2.call("RespondToChannelInvite", { ...ONE, accept: true });
  assertEquals(
    (await stage.heard("B2")).at(-2),
    `AddNotification 2 ChannelInvitation 1 ${content} read yes`,
  );
});

Deno.test("[channels Q-7, 5.9k] a ban is not lifted by leaving; nothing protects the last admin", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await bring(a, b, ROLE.Member);
  await a.call("SetChannelMemberRole", { ...ONE, userId: b.userId, role: ROLE.Banned });
  assertEquals((await b.ask("RemoveChannelMember", { ...ONE, userId: b.userId })).name, "Error");
  await a.call("SetChannelMemberRole", { ...ONE, userId: a.userId, role: ROLE.Guest });
  assertEquals((await a.ask("RenameChannel", { ...ONE, name: "x" })).name, "Error");
});

Deno.test("[channels Q-8, Q-9, 6.5, 7.12.2] an invitation is used by joining, where it is good for the channel", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b, c, d] = await gather(stage, "A1", "B1", "C1", "D1");
  for (const [peer, role] of [[b, ROLE.Member], [c, ROLE.Guest], [d, ROLE.Banned]] as const) {
    await a.call("InviteChannelMember", { ...ONE, userId: peer.userId, role });
  }
  await stage.silence();
  await b.call("JoinChannel", { channelId: 2n });
  const content = `{"inviter_id":${a.userId},"channel_name":"zed"}`;
  assertEquals(await stage.heard("B1"), [
    "↩ JoinRoomResponse of 2: B1 0 Member",
    "UpdateUserChannels 1 Member",
    "UpdateChannels shows 2 two Members 1 in 1/, 1 zed Members 1 | uninvites 2, 1",
    "RoomUpdated B1 0 Member",
    "UpdateChannels calls 2(b)",
    `AddNotification 1 ChannelInvitation 1 ${content} read yes`,
  ]);
  await c.ask("JoinChannel", { channelId: 2n });
  await a.call("SetChannelVisibility", { ...ONE, visibility: PUBLIC });
  await d.ask("JoinChannel", ONE);
  assertEquals(await stage.heardBy("C1", "D1"), { C1: ["↩ Error 5"], D1: ["↩ Error 5"] });
  await a.call("GetChannelMembers", ONE);
  assertEquals(
    (await stage.heard("A1")).at(-1),
    "↩ GetChannelMembersResponse a Admin, b Member, c Guest invited, d Banned invited",
  );

  // Who joins sees the whole tree, and hears of what he does not see only below where he joined.
  await a.call("SetChannelVisibility", { channelId: 2n, visibility: PUBLIC });
  await a.call("CreateChannel", { name: "three", parentId: 2n });
  await a.call("CreateChannel", { name: "four", parentId: 1n });
  const e = await stage.enter("E1");
  await stage.silence();
  await e.call("JoinChannel", { channelId: 2n });
  assertEquals((await stage.heard("E1")).slice(1, 3), [
    "UpdateUserChannels 1 Guest",
    "UpdateChannels shows 2 two Public 1 in 1/, 1 zed Public 1 | hides 3 | uninvites 2, 1 | calls 2(b)",
  ]);
});

Deno.test("[channels 7.11] members by role, accepted first, by login; searched and limited", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const host = await stage.enter("Host1");
  await host.call("CreateChannel", { name: "zed" });
  const roles = {
    zoe: ROLE.Admin,
    tim: ROLE.Talker,
    bob: ROLE.Banned,
    gus: ROLE.Guest,
    mia: ROLE.Member,
    max: ROLE.Member,
  };
  for (const [login, role] of Object.entries(roles)) {
    await bring(host, await stage.enter(`${login}1`), role);
  }
  const ann = await stage.enter("ann1");
  await host.call("InviteChannelMember", { ...ONE, userId: ann.userId, role: ROLE.Member });
  await stage.silence();
  const list = async (query: string, limit: bigint) => {
    await host.call("GetChannelMembers", { ...ONE, query, limit });
    return (await stage.heard("Host1"))[0]?.replace("↩ GetChannelMembersResponse", "").trim();
  };
  assertEquals(
    await list("", 0n),
    "host Admin, zoe Admin, max Member, mia Member, ann Member invited, gus Guest, " +
      "bob Banned, tim Talker",
  );
  assertEquals(await list("", 3n), "host Admin, zoe Admin, max Member");
  assertEquals(await list("M", 0n), "max Member, mia Member, tim Talker");
  assertEquals(await list("m-x", 0n), "max Member");
  assertEquals(await list("", 2n ** 64n - 1n), await list("", 0n));
});

Deno.test("[channels 5.2, 5.3, 17.3] names are trimmed, unique among siblings; roots may share them", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1");
  const named = async (name: string, parentId?: bigint) => {
    const answer = await a.ask("CreateChannel", {
      name,
      ...(parentId !== undefined && { parentId }),
    });
    if (answer.name === "Error") return undefined;
    return (answer as Received<"CreateChannelResponse">).value.channel?.name;
  };
  assertEquals(await named(' ##a"'), 'a"');
  assertEquals(await named("# a"), " a");
  assertEquals(await named("\u3000\t#b \n"), "b");
  // What Unicode calls white space, no more and no less.
  assertEquals(await named("\u0085c\u2028"), "c");
  assertEquals(await named("\ufeffd"), "\ufeffd");
  for (const blank of ["", "  ", "###", " ## "]) assertEquals(await named(blank), undefined);
  assertEquals(await named("zed"), "zed");
  assertEquals(await named("two", 1n), undefined);
  assertEquals(await named("Two", 1n), "Two");
  assertEquals(await named("two", 2n), "two");
  // Its own name is no collision.
  assertEquals(
    (await a.ask("RenameChannel", { channelId: 2n, name: "#two" })).name,
    "RenameChannelResponse",
  );
  assertEquals((await a.ask("RenameChannel", { channelId: 2n, name: "Two" })).name, "Error");
});

Deno.test("[channels 7.5] moving to the same parent goes last; a taken name stays where it is", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1");
  await a.call("CreateChannel", { name: "three", parentId: 1n });
  await a.call("CreateChannel", { name: "three", parentId: 2n });
  await stage.silence();
  await a.call("MoveChannel", { channelId: 2n, to: 1n });
  await a.ask("MoveChannel", { channelId: 4n, to: 1n });
  assertEquals(await stage.heard("A1"), [
    "UpdateChannels shows 2 two Members 3 in 1/, 4 three Members 1 in 1/2/",
    "↩ Ack",
    "↩ Error 0",
  ]);
  // One behind the last of that place, also if that is itself.
  await a.call("MoveChannel", { channelId: 2n, to: 1n });
  assertEquals(await stage.heard("A1"), [
    "UpdateChannels shows 2 two Members 4 in 1/, 4 three Members 1 in 1/2/",
    "↩ Ack",
  ]);
});

interface Case {
  readonly rule: string;
  readonly code: number;
  readonly ask: <T>(use: <N extends RequestName>(name: N, value: Init<MessageTypes[N]>) => T) => T;
}

Deno.test("[channels 18f..18q, 18aa, 1.2, 1.4, Q-19] errors, the first failing check decides; nothing is stored or told", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b, c] = await gather(stage, "A1", "B1", "C1");
  await a.call("InviteChannelMember", { ...ONE, userId: b.userId, role: ROLE.Member });
  await stage.silence();
  const NONE = { channelId: 9n };
  const own = { userId: a.userId };
  const cases: Case[] = [
    { rule: "18f", code: 0, ask: (use) => use("CreateChannel", { name: "#", parentId: 9n }) },
    { rule: "18f", code: 1, ask: (use) => use("CreateChannel", { name: "x", parentId: 9n }) },
    { rule: "18g", code: 0, ask: (use) => use("RenameChannel", { ...NONE, name: " " }) },
    { rule: "18g", code: 1, ask: (use) => use("RenameChannel", { ...NONE, name: "x" }) },
    { rule: "18h", code: 1, ask: (use) => use("DeleteChannel", NONE) },
    { rule: "18i", code: 1, ask: (use) => use("SetChannelVisibility", NONE) },
    { rule: "18i", code: 0, ask: (use) => use("SetChannelVisibility", { ...ONE, visibility: 2 }) },
    { rule: "18j", code: 1, ask: (use) => use("MoveChannel", { ...NONE, to: 1n }) },
    { rule: "18j", code: 1, ask: (use) => use("MoveChannel", { ...ONE, to: 9n }) },
    { rule: "18j", code: 10, ask: (use) => use("MoveChannel", { ...ONE, to: 1n }) },
    { rule: "18k", code: 1, ask: (use) => use("ReorderChannel", NONE) },
    {
      rule: "18k",
      code: 0,
      ask: (use) => use("ReorderChannel", { channelId: 2n, direction: 2 }),
    },
    { rule: "18l", code: 1, ask: (use) => use("InviteChannelMember", { ...NONE, userId: 99n }) },
    {
      rule: "18l",
      code: 8,
      ask: (use) => use("InviteChannelMember", { channelId: 2n, userId: 99n }),
    },
    { rule: "18l", code: 0, ask: (use) => use("InviteChannelMember", { ...ONE, userId: 99n }) },
    { rule: "18l", code: 0, ask: (use) => use("InviteChannelMember", { ...ONE, ...own }) },
    {
      rule: "18l",
      code: 0,
      ask: (use) => use("InviteChannelMember", { ...ONE, userId: c.userId, role: 5 }),
    },
    { rule: "18m", code: 1, ask: (use) => use("RemoveChannelMember", { ...NONE, ...own }) },
    { rule: "18m", code: 0, ask: (use) => use("RemoveChannelMember", { ...ONE, userId: 99n }) },
    { rule: "18m", code: 0, ask: (use) => use("RemoveChannelMember", { channelId: 2n, ...own }) },
    { rule: "18n", code: 1, ask: (use) => use("SetChannelMemberRole", { ...NONE, ...own }) },
    { rule: "18n", code: 0, ask: (use) => use("SetChannelMemberRole", { ...ONE, userId: 99n }) },
    {
      rule: "18n",
      code: 0,
      ask: (use) => use("SetChannelMemberRole", { ...ONE, userId: b.userId, role: 7 }),
    },
    { rule: "18o", code: 1, ask: (use) => use("RespondToChannelInvite", NONE) },
    { rule: "18o", code: 0, ask: (use) => use("RespondToChannelInvite", ONE) },
    { rule: "18p", code: 1, ask: (use) => use("GetChannelMembers", NONE) },
    { rule: "18q", code: 1, ask: (use) => use("JoinChannel", NONE) },
    { rule: "18q", code: 1, ask: (use) => use("JoinChannel", { channelId: 2n ** 63n }) },
  ];
  const { store, actors } = server.server;
  const tables = ["channels", "channel_members", "notifications"] as const;
  const rows = async () => {
    await actors.journal.settled();
    return await Promise.all(tables.map((table) => store.load(table)));
  };
  const before = await rows();
  for (const [at, { rule, code, ask }] of cases.entries()) {
    const answer = await ask((name, value) => a.ask(name, value)) as Received<"Error">;
    assertEquals([answer.name, answer.value.code], ["Error", code], `${rule}, case ${at}`);
  }
  assertEquals(await rows(), before);
  assertEquals(await stage.heardBy("B1", "C1"), { B1: [], C1: [] });
});

Deno.test("[channels 5.1, 5.4] trees come back after a restart, ids are not used again", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await a.call("SetChannelVisibility", { ...ONE, visibility: PUBLIC });
  await bring(a, b, ROLE.Talker);
  await a.call("CreateChannel", { name: "three", parentId: 2n });
  await a.call("DeleteChannel", { channelId: 3n });
  await server.restart();
  await Promise.all([a.closed, b.closed]);
  const a2 = await stage.enter("A2");
  const b2 = await stage.enter("B2");
  await stage.silence();
  a2.send("SubscribeToChannels", {});
  b2.send("SubscribeToChannels", {});
  assertEquals(await stage.heardBy("A2", "B2"), {
    A2: [
      "UpdateUserChannels 1 Admin",
      "UpdateChannels shows 2 two Members 1 in 1/, 1 zed Public 1",
    ],
    B2: ["UpdateUserChannels 1 Talker", "UpdateChannels shows 1 zed Public 1"],
  });
  assertEquals((await a2.call("CreateChannel", { name: "next" })).channel?.id, 4n);
});

Deno.test("[channels 5.4] a removed account is out of its channels", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await bring(a, b, ROLE.Member);
  await stage.silence();
  const { actors, store } = server.server;
  await store.removeUser(Number(b.userId));
  actors.removeUser(Number(b.userId));
  await b.closed;
  await a.call("GetChannelMembers", ONE);
  assertEquals(await stage.heard("A1"), ["↩ GetChannelMembersResponse a Admin"]);
  assertEquals((await store.load("channel_members")).length, 1);
});

Deno.test("[channels 5.6, 17.2, 7.4] a public channel's ancestors are public, whatever is tried", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1");
  await a.call("CreateChannel", { name: "three", parentId: 2n });
  const show = async (channelId: bigint, visibility: number) => {
    const { name, value } = await a.ask("SetChannelVisibility", { channelId, visibility });
    return name === "Error" ? (value as MessageTypes["Error"]).tags.join() : name;
  };
  assertEquals(await show(3n, PUBLIC), "direction=parent");
  assertEquals(await show(1n, PUBLIC), "Ack");
  assertEquals(await show(3n, PUBLIC), "direction=parent");
  assertEquals(await show(2n, PUBLIC), "Ack");
  assertEquals(await show(3n, PUBLIC), "Ack");
  assertEquals(await show(3n, PUBLIC), "Ack");
  assertEquals(await show(1n, MEMBERS), "direction=children");
  assertEquals(await show(2n, MEMBERS), "direction=children");
  assertEquals(await show(3n, MEMBERS), "Ack");
  assertEquals(await show(2n, MEMBERS), "Ack");
  assertEquals(await show(1n, MEMBERS), "Ack");
});

Deno.test("[transport 2.4.4] the codes of channels that clients branch on arrive as such, with their tags", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1");
  const b = await stage.enter("B1");
  await a.call("CreateChannel", { name: "other" });
  await a.call("CreateChannel", { name: "deep", parentId: 2n });
  const refusal = async (answer: Promise<Received>): Promise<[number, string[]]> => {
    const { code, tags } = (await answer).value as MessageTypes["Error"];
    return [code, tags];
  };
  const show = (channelId: bigint, visibility: number) =>
    refusal(a.ask("SetChannelVisibility", { channelId, visibility }));
  const move = (channelId: bigint, to: bigint) => refusal(a.ask("MoveChannel", { channelId, to }));
  assertEquals(await refusal(b.ask("JoinChannel", { channelId: 99n })), [1, []]);
  assertEquals(await refusal(b.ask("JoinChannel", ONE)), [5, []]);
  assertEquals(await show(2n, PUBLIC), [9, ["direction=parent"]]);
  for (const channelId of [1n, 2n]) {
    await a.call("SetChannelVisibility", { channelId, visibility: PUBLIC });
  }
  assertEquals(await show(1n, MEMBERS), [9, ["direction=children"]]);
  assertEquals(await move(2n, 4n), [10, []]);
  assertEquals(await move(4n, 3n), [11, []]);
});
