/** Who loses sight of a channel hears nothing more of what he has open of it. [channels Q-20] */
import { assertEquals } from "@std/assert";
import { keyId } from "../../../rpc/peer_id.ts";
import { edit, select } from "../../support/notes.ts";
import { comeBack, leave, openNotes, openTestNotes, told, write } from "./notes_world.ts";
import { Refusing } from "./refusing.ts";
import { type Client, World } from "./world.ts";

const GUEST = 2;
const BANNED = 3;

async function setRole(world: World, by: Client, of: Client, role: number): Promise<void> {
  by.send("SetChannelMemberRole", { channelId: 1n, userId: BigInt(of.userId), role });
  await world.settle();
}

async function show(world: World, by: Client, visibility: number): Promise<void> {
  by.send("SetChannelVisibility", { channelId: 1n, visibility });
  await world.settle();
}

async function say(world: World, by: Client, lowerHalf: bigint): Promise<void> {
  by.send("SendChannelMessage", { channelId: 1n, body: "hello", nonce: { lowerHalf } });
  await world.settle();
}

/** Owner and member are in the notes and the chat of channel 1. */
async function start(world: World): Promise<{ owner: Client; member: Client }> {
  const { owner, member } = await openTestNotes(world);
  for (const client of [owner, member]) client.send("JoinChannelChat", { channelId: 1n });
  await world.settle();
  told(owner);
  told(member);
  return { owner, member };
}

Deno.test("[channels Q-20] who is banned, removed or sees the channel no more is in its notes and its chat no longer", async () => {
  const ways: ((world: World, owner: Client, member: Client) => Promise<void>)[] = [
    (world, owner, member) => setRole(world, owner, member, BANNED),
    async (world, owner, member) => {
      owner.send("RemoveChannelMember", { channelId: 1n, userId: BigInt(member.userId) });
      await world.settle();
    },
    async (world, owner, member) => {
      await show(world, owner, 0);
      await setRole(world, owner, member, GUEST);
      // A guest sees a public channel, with all that is open of it.
      told(member);
      await write(world, owner, edit([8, 2], [], [0, 0], "1"));
      await say(world, owner, 1n);
      assertEquals(told(member), ['UpdateChannelBuffer 1 8@2[0,0]"1"', "ChannelMessageSent"]);
      await show(world, owner, 1);
    },
  ];
  for (const way of ways) {
    await using world = await World.start();
    const { owner, member } = await start(world);
    told(owner);
    await way(world, owner, member);
    const heard = told(owner).filter((text) => text.includes("Collaborators"));
    assertEquals(heard, ["UpdateChannelBufferCollaborators 1 #0/8"]);
    told(member);
    await write(world, owner, edit([8, 9], [[8, 2]], [0, 0], "x"));
    await say(world, owner, 2n);
    assertEquals(told(member), []);
    // Nor does he come back to his place.
    await comeBack(world, member, []);
    assertEquals(told(member), ["RejoinChannelBuffersResponse"]);
  }
});

Deno.test("[channels Q-20] [design 1.3b] whose loss of the role is refused by the database keeps what he has open", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await start(world);
  refusing.actor = "/channels/1";
  await setRole(world, owner, member, BANNED);
  told(member);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  await say(world, owner, 1n);
  assertEquals(told(member), ['UpdateChannelBuffer 1 8@2[0,0]"1"', "ChannelMessageSent"]);
});

/** A member has lost both of his places in notes, with the replica ids 9 and 10; their owner is there. */
async function loseTwoPlaces(world: World): Promise<Client> {
  const { owner, member } = await openTestNotes(world);
  const second = await world.connect("member");
  await openNotes(world, second);
  for (const client of [member, second]) client.connection.socketClosed();
  return owner;
}

Deno.test("[channels 8.6, Q-12] of two lost places of one user each client gets its own, once its cursors say which", async () => {
  await using world = await World.start();
  const owner = await loseTwoPlaces(world);
  // The one with replica 10 comes first, and nothing that it knows tells them apart.
  const third = await world.connect("member");
  await comeBack(world, third, []);
  told(third);
  told(owner);
  await write(world, third, select([10, 5]));
  const key = third.connection.key;
  const placed = await world.store.load("channel_buffer_collaborators");
  assertEquals(
    placed.filter((one) => one.connection_id === keyId(key)).map((one) => one.replica_id),
    [10],
  );
  assertEquals(told(owner).map((text) => text.split(" ")[0]), [
    "UpdateChannelBufferCollaborators",
    "UpdateChannelBuffer",
  ]);
  // The other's place is still there for it.
  const fourth = await world.connect("member");
  await comeBack(world, fourth, []);
  assertEquals(told(fourth).at(-1)?.endsWith("#0/8,#4/9,#3/10"), true);
  await leave(world, third);
  assertEquals(told(owner).at(-1), "UpdateChannelBufferCollaborators 1 #0/8,#4/9");
});

Deno.test("[channels 8.6, Q-12] cursors of others that a client brings along on its way back do not move it to their places", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  const second = await world.connect("member");
  await openNotes(world, second);
  await write(world, second, edit([10, 2], [], [0, 0], "x"));
  for (const client of [member, second]) client.connection.socketClosed();
  // What it wrote without a connection tells that it is the one with replica 10.
  const third = await world.connect("member");
  await comeBack(world, third, [[10, 4]]);
  told(third);
  told(owner);
  await write(
    world,
    third,
    edit([10, 4], [[10, 2]], [1, 1], "y"),
    select([9, 3]),
    select([10, 5]),
  );
  assertEquals(told(owner).map((text) => text.split(" ")[0]), ["UpdateChannelBuffer"]);
  // The other one does not come: its replica id goes to the next one, and not the third's.
  await world.clock.advanceAsync(30_000);
  await world.settle();
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8,#3/10"]);
});

Deno.test("[channels 8.6, Q-12] whose place another client of his took and left gets its replica id again", async () => {
  await using world = await World.start();
  const owner = await loseTwoPlaces(world);
  const third = await world.connect("member");
  await comeBack(world, third, []);
  // It was the second one, whose replica id is 10, but has the first one's place.
  await leave(world, third);
  const fourth = await world.connect("member");
  await comeBack(world, fourth, []);
  told(owner);
  await write(world, fourth, select([9, 5]));
  assertEquals(told(owner)[0], "UpdateChannelBufferCollaborators 1 #0/8,#4/9");
  // Only who has just come back may be on another one's place.
  await write(world, fourth, select([12, 6]));
  assertEquals(told(owner).length, 1);
});

Deno.test("[channels 8.6, Q-12, 8.3.2] nobody gets the replica id of a client that is on another one's place", async () => {
  await using world = await World.start();
  const owner = await loseTwoPlaces(world);
  // Each is on the other one's place.
  const third = await world.connect("member");
  await comeBack(world, third, []);
  const fourth = await world.connect("member");
  await comeBack(world, fourth, []);
  await leave(world, fourth);
  told(owner);
  const fifth = await world.connect("owner");
  await openNotes(world, fifth);
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8,#3/9,#5/11"]);
  await write(world, third, select([10, 5]));
  assertEquals(told(owner)[0], "UpdateChannelBufferCollaborators 1 #0/8,#3/10,#5/11");
  // When all are gone, nobody writes under any.
  for (const client of [third, fifth, owner]) await leave(world, client);
  await openNotes(world, owner);
  await openNotes(world, third);
  assertEquals(told(owner).at(-1), "UpdateChannelBufferCollaborators 1 #0/8,#3/9");
});

Deno.test("[channels 8.6, Q-12] who kept silent and lost his place to another client of his has it again, once that one's cursors say so", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  const second = await world.connect("member");
  await openNotes(world, second);
  const third = await world.connect("member");
  await comeBack(world, third, []);
  // Nobody answers on the first two, and nothing tells them apart.
  await world.clock.advanceAsync(2_000);
  told(owner);
  told(third);
  await write(world, third, select([10, 5]));
  assertEquals(told(owner)[0], "UpdateChannelBufferCollaborators 1 #0/8,#1/9,#3/10");
  // The first one has missed what was told meanwhile.
  assertEquals([member.socket.closed !== undefined, second.socket.closed], [true, undefined]);
  const fourth = await world.connect("member");
  await comeBack(world, fourth, []);
  assertEquals(told(fourth).at(-1)?.endsWith("#0/8,#4/9,#3/10"), true);
});

Deno.test("[design 1.3d] [channels Q-20] who is to leave notes leaves them, though the database refuses it at first", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await start(world);
  refusing.actor = "/channels/1/notes";
  await setRole(world, owner, member, BANNED);
  assertEquals(refusing.actor, undefined);
  const rows = await world.store.load("channel_buffer_collaborators");
  assertEquals(rows.map((row) => row.user_id), [owner.userId]);
});
