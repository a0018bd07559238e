/** New names of channels: who may give them, who hears of them. [channels 7.3] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

const PUBLIC = 0;
const [MEMBER, GUEST] = [1, 2];

Deno.test("[channels 7.3, 19i, 18g] a new name: cleaned, unique, answered first, told to those who see the channel", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  const b = await stage.enter("B1");
  const g = await stage.enter("G1");
  const i = await stage.enter("I1");
  await stage.enter("A2");
  await a.call("CreateChannel", { name: "root" });
  await a.call("SetChannelVisibility", { channelId: 1n, visibility: PUBLIC });
  for (const name of ["below", "beside"]) await a.call("CreateChannel", { name, parentId: 1n });
  for (const [peer, role] of [[b, MEMBER], [g, GUEST], [i, MEMBER]] as const) {
    await a.call("InviteChannelMember", { channelId: 1n, userId: peer.userId, role });
    if (peer !== i) await peer.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  }
  for (const name of ["A1", "A2", "B1", "G1", "I1"]) {
    stage.peer(name).send("SubscribeToChannels", {});
  }
  await stage.silence();

  // The guest does not see what is for members, the invited one sees nothing yet.
  await a.call("RenameChannel", { channelId: 2n, name: "  ##new name " });
  const below = "2 new name Members 1 in 1/";
  assertEquals(await stage.heardBy("A1", "A2", "B1", "G1", "I1"), {
    A1: [`↩ RenameChannelResponse ${below}`, `UpdateChannels shows ${below}`],
    A2: [`UpdateChannels shows ${below}`],
    B1: [`UpdateChannels shows ${below}`],
    G1: [],
    I1: [],
  });
  await a.call("RenameChannel", { channelId: 1n, name: "top" });
  const top = "UpdateChannels shows 1 top Public 1";
  assertEquals(await stage.heardBy("A1", "A2", "B1", "G1", "I1"), {
    A1: ["↩ RenameChannelResponse 1 top Public 1", top],
    A2: [top],
    B1: [top],
    G1: [top],
    I1: [],
  });

  // A blank name comes before an unknown channel, that before the role, that before the name's place.
  for (
    const [peer, channelId, name] of [
      [a, 9n, " # "],
      [a, 9n, "x"],
      [b, 2n, "x"],
      [a, 2n, "beside"],
    ] as const
  ) await peer.ask("RenameChannel", { channelId, name });
  assertEquals(await stage.heardBy("A1", "B1", "G1"), {
    A1: ["↩ Error 0", "↩ Error 1", "↩ Error 0"],
    B1: ["↩ Error 0"],
    G1: [],
  });
  // Its own name is no other's.
  await a.call("RenameChannel", { channelId: 2n, name: "new name" });
});

Deno.test("[channels 6.4] what is below the roots comes in the order of the paths' texts, then the roots", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const a = await stage.enter("A1");
  // Channels 1 to 13, of which 1 and 3 to 10 are roots.
  const parents = [undefined, 1n, ...Array<undefined>(8).fill(undefined), 10n, 3n, 1n];
  for (const [at, parentId] of parents.entries()) {
    await a.call("CreateChannel", { name: `${at}`, ...(parentId !== undefined && { parentId }) });
  }
  await stage.silence();
  a.send("SubscribeToChannels", {});
  const { value } = await a.next("UpdateChannels");
  assertEquals(value.channels.map(({ id }) => Number(id)), [
    13,
    2,
    11,
    12,
    1,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
  ]);
});
