/** The specification's sequences of channels, step by step. [channels 13] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { TestPeer } from "../support/test_peer.ts";

const PUBLIC = 0;
const MEMBERS = 1;
const [ADMIN, MEMBER, GUEST, BANNED] = [0, 1, 2, 3];

/** Everybody subscribes; what it tells is passed over. */
async function subscribed(stage: Stage, ...peers: readonly TestPeer[]): Promise<void> {
  for (const peer of peers) peer.send("SubscribeToChannels", {});
  await stage.silence();
}

Deno.test("[channels S3, 7.1, 7.7, 7.8, 7.11, 19h, 19m, 19n] create, invite, accept, join, delete", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const a2 = await stage.enter("A2");
  await subscribed(stage, a, b, a2);

  await a.call("CreateChannel", { name: "#zed" });
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: [
      "↩ CreateChannelResponse 1 zed Members 1",
      "UpdateUserChannels 1 Admin",
      "UpdateChannels shows 1 zed Members 1",
    ],
    A2: ["UpdateUserChannels 1 Admin", "UpdateChannels shows 1 zed Members 1"],
    B1: [],
  });

  await a.call("CreateChannel", { name: "notes", parentId: 1n });
  const notes = "UpdateChannels shows 2 notes Members 1 in 1/";
  assertEquals(await stage.heardBy("A1", "A2"), {
    A1: ["↩ CreateChannelResponse 2 notes Members 1 in 1/ under 1", notes],
    A2: [notes],
  });

  const invite = { userId: b.userId, role: MEMBER };
  await a.call("InviteChannelMember", { channelId: 1n, ...invite });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack"],
    B1: [
      "UpdateChannels invites 1 zed Members 1",
      `AddNotification 3 ChannelInvitation 1 {"inviter_id":${a.userId},"channel_name":"zed"} unread`,
    ],
  });
  await a.ask("InviteChannelMember", { channelId: 1n, ...invite });
  await a.ask("InviteChannelMember", { channelId: 2n, ...invite });
  assertEquals(await stage.heardBy("A1", "B1"), { A1: ["↩ Error 0", "↩ Error 8"], B1: [] });

  await a.call("GetChannelMembers", { channelId: 2n, query: "", limit: 0n });
  assertEquals(await stage.heard("A1"), ["↩ GetChannelMembersResponse a Admin, b Member invited"]);

  await b.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [],
    B1: [
      "UpdateUserChannels 1 Member",
      "UpdateChannels shows 2 notes Members 1 in 1/, 1 zed Members 1 | uninvites 1",
      `AddNotification 3 ChannelInvitation 1 {"inviter_id":${a.userId},"channel_name":"zed"} read yes`,
      "↩ Ack",
    ],
  });
  await b.ask("RespondToChannelInvite", { channelId: 1n, accept: true });
  assertEquals(await stage.heard("B1"), ["↩ Error 0"]);

  await a.call("CreateChannel", { name: "deep", parentId: 2n });
  const deep = "UpdateChannels shows 3 deep Members 1 in 1/2/";
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ CreateChannelResponse 3 deep Members 1 in 1/2/ under 2", deep],
    A2: [deep],
    B1: [deep],
  });

  await b.ask("CreateChannel", { name: "x", parentId: 1n });
  await b.ask("RenameChannel", { channelId: 1n, name: "y" });
  await a.ask("RenameChannel", { channelId: 1n, name: "#" });
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ Error 0"],
    A2: [],
    B1: ["↩ Error 0", "↩ Error 0"],
  });

  await b.call("JoinChannel", { channelId: 1n });
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["UpdateChannels calls 1(b)", "UpdateContacts b online busy"],
    A2: ["UpdateChannels calls 1(b)", "UpdateContacts b online busy"],
    B1: [
      "↩ JoinRoomResponse of 1: B1 0 Member",
      "RoomUpdated B1 0 Member",
      "UpdateChannels calls 1(b)",
    ],
  });

  await a.ask("DeleteChannel", { channelId: 1n });
  await b.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ Error 0", "UpdateChannels calls 1()", "UpdateContacts b online free"],
    A2: ["UpdateChannels calls 1()", "UpdateContacts b online free"],
    B1: ["UpdateChannels calls 1()", "↩ Ack"],
  });

  await a.call("DeleteChannel", { channelId: 2n });
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ Ack", "UpdateChannels hides 3, 2"],
    A2: ["UpdateChannels hides 3, 2"],
    B1: ["UpdateChannels hides 3, 2"],
  });
});

/** A with an Admin's place in root 1 with child 2, B with a Member's, C without any. */
async function tree(stage: Stage): Promise<readonly [TestPeer, TestPeer, TestPeer]> {
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  const c = await stage.enter("C1");
  await subscribed(stage, a, b, c);
  await a.call("CreateChannel", { name: "zed" });
  await a.call("CreateChannel", { name: "two", parentId: 1n });
  await a.call("InviteChannelMember", { channelId: 1n, userId: b.userId, role: MEMBER });
  await b.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  await stage.silence();
  return [a, b, c];
}

Deno.test("[channels S4, 7.4, 7.12.2, 7.12.5, Q-6, 19k, 19r] visibility and guests", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, , c] = await tree(stage);
  const show = (channelId: bigint, visibility: number) =>
    a.ask("SetChannelVisibility", { channelId, visibility });

  await c.ask("JoinChannel", { channelId: 1n });
  await show(2n, PUBLIC);
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["↩ Error 9 direction=parent"],
    B1: [],
    C1: ["↩ Error 5"],
  });

  await show(1n, PUBLIC);
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["UpdateChannels shows 1 zed Public 1", "↩ Ack"],
    B1: ["UpdateChannels shows 1 zed Public 1"],
    C1: [],
  });

  await c.call("JoinChannel", { channelId: 1n });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["UpdateChannels calls 1(c)"],
    B1: ["UpdateChannels calls 1(c)"],
    C1: [
      "↩ JoinRoomResponse of 1: C1 0 Guest",
      "UpdateUserChannels 1 Guest",
      "UpdateChannels shows 1 zed Public 1 | hides 2 | uninvites 1",
      "RoomUpdated C1 0 Guest",
      "UpdateChannels calls 1(c)",
    ],
  });

  await show(2n, PUBLIC);
  await show(1n, MEMBERS);
  const public2 = "UpdateChannels shows 2 two Public 1 in 1/";
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [public2, "↩ Ack", "↩ Error 9 direction=children"],
    B1: [public2],
    C1: [public2],
  });

  await a.call("CreateChannel", { name: "priv", parentId: 1n });
  await c.ask("JoinChannel", { channelId: 3n });
  const priv = "UpdateChannels shows 3 priv Members 2 in 1/";
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["↩ CreateChannelResponse 3 priv Members 2 in 1/ under 1", priv],
    B1: [priv],
    C1: ["↩ Error 5"],
  });

  await show(2n, MEMBERS);
  await show(1n, MEMBERS);
  await c.ask("GetChannelMembers", { channelId: 1n });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [
      "UpdateChannels shows 2 two Members 1 in 1/",
      "↩ Ack",
      "UpdateChannels shows 1 zed Members 1",
      "↩ Ack",
    ],
    B1: ["UpdateChannels shows 2 two Members 1 in 1/", "UpdateChannels shows 1 zed Members 1"],
    C1: ["UpdateChannels hides 2", "UpdateChannels hides 1", "↩ Error 0"],
  });

  // A guest is a member still: he hears of it, and of the call there, when the root is shown again.
  await show(1n, PUBLIC);
  assertEquals(await stage.heard("C1"), ["UpdateChannels shows 1 zed Public 1 | calls 1(c)"]);
});

Deno.test("[channels S5, 7.9, 7.10, 6.5, 5.9k, 19p, 19q] role changes", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await tree(stage);
  const d = await stage.enter("D1");
  await a.call("SetChannelVisibility", { channelId: 1n, visibility: PUBLIC });
  await stage.silence();
  const setRole = (userId: bigint, role: number, channelId = 1n) =>
    a.ask("SetChannelMemberRole", { channelId, userId, role });

  await setRole(b.userId, GUEST as number);
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack"],
    B1: [
      "UpdateUserChannels 1 Guest",
      "UpdateChannels shows 1 zed Public 1 | hides 2 | uninvites 1",
    ],
  });

  await setRole(b.userId, BANNED as number);
  await b.ask("JoinChannel", { channelId: 1n });
  assertEquals(await stage.heard("B1"), [
    "UpdateUserChannels 1 Banned",
    "UpdateChannels hides 2, 1 | uninvites 1",
    "↩ Error 5",
  ]);
  await stage.silence();
  await a.call("GetChannelMembers", { channelId: 1n });
  assertEquals(await stage.heard("A1"), ["↩ GetChannelMembersResponse a Admin, b Banned"]);

  await setRole(b.userId, ADMIN as number);
  assertEquals(await stage.heard("B1"), [
    "UpdateUserChannels 1 Admin",
    "UpdateChannels shows 2 two Members 1 in 1/, 1 zed Public 1 | uninvites 1",
  ]);

  await stage.silence();
  await setRole(b.userId, ADMIN as number, 2n);
  await setRole(99n, MEMBER as number);
  assertEquals(await stage.heard("A1"), ["↩ Error 0", "↩ Error 0"]);

  await a.call("InviteChannelMember", { channelId: 1n, userId: d.userId, role: MEMBER });
  await stage.silence();
  await setRole(d.userId, ADMIN as number);
  assertEquals(await stage.heard("D1"), ["UpdateChannels invites 1 zed Public 1"]);

  await stage.silence();
  await b.call("RemoveChannelMember", { channelId: 1n, userId: a.userId });
  await b.call("RemoveChannelMember", { channelId: 1n, userId: b.userId });
  const out = ["UpdateUserChannels", "UpdateChannels hides 2, 1 | uninvites 1"];
  assertEquals(await stage.heardBy("A1", "B1"), { A1: out, B1: ["↩ Ack", ...out, "↩ Ack"] });
});

Deno.test("[channels S9, 7.5, 7.6, 5.1, 5.3, 17.3, 19l] tree edits", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  await subscribed(stage, a);
  for (const [name, parentId] of [["r"], ["x", 1n], ["y", 1n], ["z", 1n], ["w", 2n]] as const) {
    await a.call("CreateChannel", { name, ...(parentId !== undefined && { parentId }) });
  }
  await b.call("CreateChannel", { name: "other" });
  await a.call("InviteChannelMember", { channelId: 1n, userId: b.userId, role: MEMBER });
  await b.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  await subscribed(stage, b);
  const reorder = (peer: TestPeer, channelId: bigint, direction: number) =>
    peer.ask("ReorderChannel", { channelId, direction });

  await reorder(a, 3n, 0);
  const swapped = "UpdateChannels shows 3 y Members 1 in 1/, 2 x Members 2 in 1/";
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [swapped, "↩ Ack"], B1: [swapped] });
  await reorder(a, 4n, 1);
  await reorder(b, 1n, 0);
  await reorder(b, 6n, 0);
  await reorder(b, 3n, 0);
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack"],
    B1: ["↩ Ack", "↩ Ack", "↩ Error 0"],
  });

  const move = (channelId: bigint, to: bigint) => a.ask("MoveChannel", { channelId, to });
  await move(2n, 4n);
  const moved = "UpdateChannels shows 2 x Members 1 in 1/4/, 5 w Members 1 in 1/4/2/";
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [moved, "↩ Ack"], B1: [moved] });
  await move(4n, 5n);
  await move(1n, 2n);
  await move(2n, 6n);
  await move(2n, 77n);
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Error 10", "↩ Error 10", "↩ Error 11", "↩ Error 1"],
    B1: [],
  });

  await a.call("SetChannelVisibility", { channelId: 1n, visibility: PUBLIC });
  await a.call("SetChannelVisibility", { channelId: 3n, visibility: PUBLIC });
  await stage.silence();
  await move(3n, 4n);
  assertEquals(await stage.heard("A1"), ["↩ Error 9"]);
  await a.call("CreateChannel", { name: "a", parentId: 4n });
  await stage.silence();
  await a.ask("CreateChannel", { name: "a", parentId: 4n });
  assertEquals(await stage.heard("A1"), ["↩ Error 0"]);
});
