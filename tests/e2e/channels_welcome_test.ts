/** The channel that new users join by themselves. [channels 2.7] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

const PUBLIC = 0;
const MEMBER = 1;

Deno.test("[channels 2.7] who connects for the first time joins the configured channel as a guest, once", async () => {
  await using server = await startServer({ flags: ["--welcome-channel", "1"] });
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  await a.call("CreateChannel", { name: "welcome" });
  await a.call("SetChannelVisibility", { channelId: 1n, visibility: PUBLIC });
  await a.call("CreateChannel", { name: "inner", parentId: 1n });
  const b = await stage.enter("B1");
  const c = await server.addUser("c");
  await a.call("InviteChannelMember", { channelId: 1n, userId: BigInt(c.id), role: MEMBER });
  await stage.enter("C1");
  await stage.silence();
  for (const name of ["B1", "C1"]) stage.peer(name).send("SubscribeToChannels", {});
  const { B1, C1 } = await stage.heardBy("B1", "C1");
  assertEquals(B1, ["UpdateUserChannels 1 Guest", "UpdateChannels shows 1 welcome Public 1"]);
  // Whoever was invited decides himself.
  assertEquals(C1, ["UpdateUserChannels", "UpdateChannels invites 1 welcome Public 1"]);

  // Who has left is not brought back.
  await b.call("RemoveChannelMember", { channelId: 1n, userId: b.userId });
  await stage.lose("B1");
  await server.restart();
  const again = await server.raw("b");
  again.send("SubscribeToChannels", {});
  assertEquals((await again.next("UpdateUserChannels")).value.channelMemberships, []);
  const { members } = await (await server.raw("a")).call("GetChannelMembers", { channelId: 1n });
  assertEquals(members.map(({ userId }) => userId), [a.userId, BigInt(c.id)]);
});

Deno.test("[channels 2.7] a configured channel that is not there keeps nobody out", async () => {
  await using server = await startServer({ flags: ["--welcome-channel", "7"] });
  const a = await server.raw("a");
  a.send("SubscribeToChannels", {});
  assertEquals((await a.next("UpdateUserChannels")).value.channelMemberships, []);
});
