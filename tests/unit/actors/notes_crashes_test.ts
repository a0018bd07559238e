/** Notes that crash, rest, are refused by the database, or lose their people. [channels 8] [design 1.6] */
import { assertEquals } from "@std/assert";
import { edit, select } from "../../support/notes.ts";
import { comeBack, leave, notesOf, openNotes, openTestNotes, told, write } from "./notes_world.ts";
import { Refusing } from "./refusing.ts";
import { subscribe } from "./channel_world.ts";
import { World } from "./world.ts";

const ADDRESS = "/channels/1/notes";
const GRACE = 30_000;
const OUT_OF_ORDER = 60_000;

Deno.test("[design 1.3d] [channels 8.4] an update that is refused is passed on to nobody, and its client comes again with it", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await openTestNotes(world);
  refusing.actor = ADDRESS;
  await write(world, owner, edit([8, 2], [], [0, 0], "x"));
  assertEquals([told(owner), told(member)], [[], []]);
  assertEquals([owner, member].map(({ socket }) => socket.closed !== undefined), [true, false]);
  const back = await world.connect("owner");
  told(back);
  await comeBack(world, back, [[8, 2]]);
  assertEquals(told(back), ["RejoinChannelBuffersResponse 1 {} #2/8,#1/9"]);
  await write(world, back, edit([8, 2], [], [0, 0], "x"));
  assertEquals(told(member), [
    "UpdateChannelBufferCollaborators 1 #2/8,#1/9",
    'UpdateChannelBuffer 1 8@2[0,0]"x"',
  ]);
});

Deno.test("[design 1.3d] [channels 8.3] who could not be stored has not opened the notes, and may again", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await openTestNotes(world);
  await leave(world, member);
  told(owner);
  told(member);
  refusing.actor = ADDRESS;
  await openNotes(world, member);
  assertEquals([told(owner), told(member)], [[], ["Error 0"]]);
  await openNotes(world, member);
  assertEquals(told(member), ['JoinChannelBufferResponse 1 as 9 epoch 0 "" #0/8,#1/9']);
});

Deno.test("[design 1.3d] [channels 8.5] the last one's leaving that is refused leaves everything as it was", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "x"));
  await leave(world, member);
  told(owner);
  refusing.actor = ADDRESS;
  await leave(world, owner);
  assertEquals(told(owner), ["Error 0"]);
  assertEquals([...world.actors.openNotes.of(owner.connection.key)], [1]);
  // He is still in, and still watched.
  await write(world, owner, edit([8, 4], [[8, 2]], [1, 1], "y"));
  owner.connection.socketClosed();
  await world.clock.advanceAsync(GRACE);
  assertEquals(notesOf(world), undefined);
  await openNotes(world, member);
  assertEquals(told(member).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 1 "xy" #1/8');
});

Deno.test("[design 1.3d] [channels 7.2] a channel whose end is refused has its notes and their people again", async () => {
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store));
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "x"));
  told(member);
  refusing.actor = "/channels/1";
  owner.send("DeleteChannel", { channelId: 1n });
  await world.settle();
  assertEquals([told(owner), told(member)], [["Error 0"], []]);
  await write(world, owner, edit([8, 4], [[8, 2]], [1, 1], "y"));
  assertEquals(told(member), ['UpdateChannelBuffer 1 8@4[1,1]"y"']);
  member.connection.socketClosed();
  await world.clock.advanceAsync(GRACE);
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
});

Deno.test("[design 1.6] [channels 8] notes that crash in a turn go on with what is stored", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "x"));
  told(member);
  const notes = notesOf(world)!;
  // A crash behind a change in memory, before it is written down.
  let crashed = false;
  notes.enqueue({
    run: () => {
      throw new Error("Broken on purpose");
    },
    refused: () => crashed = true,
  });
  assertEquals([crashed, notes.phase, notes.generation], [true, "loading", 2]);
  // What comes meanwhile waits.
  member.send("UpdateChannelBuffer", {
    channelId: 1n,
    operations: [edit([9, 4], [[8, 2]], [1, 1], "y")],
  });
  await world.settle();
  assertEquals([told(owner), told(member)], [['UpdateChannelBuffer 1 9@4[1,1]"y"'], []]);
  await subscribe(world, owner);
  await leave(world, owner);
  await leave(world, member);
  await openNotes(world, owner);
  assertEquals(told(owner).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 1 "xy" #0/8');
});

Deno.test("[design 1.6] [channels 8.7] a lost connection is forgotten by no crash, and left when the notes are back in order", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  const crash = async () => {
    notesOf(world)!.refusedByStore();
    await world.settle();
  };
  member.connection.socketClosed();
  await crash();
  await world.clock.advanceAsync(GRACE - 1);
  assertEquals(told(owner), []);
  await world.clock.advanceAsync(1);
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  const again = await world.connect("member");
  await openNotes(world, again);
  told(owner);
  again.connection.socketClosed();
  await world.clock.advanceAsync(GRACE / 2);
  for (let time = 0; time < 4; time++) await crash();
  assertEquals(notesOf(world)!.phase, "failed");
  await world.clock.advanceAsync(GRACE / 2);
  assertEquals(told(owner), []);
  await world.clock.advanceAsync(OUT_OF_ORDER);
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
});

Deno.test("[design 1.6] [channels 8.4] who writes to notes that are out of order has to come again, who opens them hears so", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  for (let time = 0; time < 4; time++) {
    notesOf(world)!.refusedByStore();
    await world.settle();
  }
  await openNotes(world, owner);
  assertEquals(told(owner), ["Error 0"]);
  await write(world, member, edit([9, 2], [], [0, 0], "x"));
  assertEquals(member.socket.closed !== undefined, true);
  const back = await world.connect("member");
  told(back);
  await comeBack(world, back, [[9, 2]]);
  assertEquals(told(back), ["RejoinChannelBuffersResponse"]);
});

Deno.test("[channels 8.6, 8.3.6] who comes back to several notes hears last who is in them now, though one of them took its time", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  owner.send("CreateChannel", { name: "sub", parentId: 1n });
  await world.settle();
  owner.send("JoinChannelBuffer", { channelId: 2n });
  await world.settle();
  owner.connection.socketClosed();
  const back = await world.connect("owner");
  told(back);
  world.actors.registry.notes.get(2)!.refusedByStore();
  back.send("RejoinChannelBuffers", {
    buffers: [{ channelId: 1n, epoch: 0n, version: [] }, { channelId: 2n, epoch: 0n, version: [] }],
  });
  member.send("LeaveChannelBuffer", { channelId: 1n });
  await world.settle();
  assertEquals(told(back), [
    "UpdateChannelBufferCollaborators 1 #2/8",
    "RejoinChannelBuffersResponse 1 {} #2/8,#1/9 2 {} #2/8",
    "UpdateChannelBufferCollaborators 1 #2/8",
  ]);
});

Deno.test("[channels 8] notes rest when nobody has them open, and wake up for a message", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await leave(world, owner);
  assertEquals(notesOf(world)?.phase, "live");
  await leave(world, member);
  assertEquals(notesOf(world), undefined);
  const before = await world.actors.metrics.actors.value;
  member.send("AckBufferOperation", {
    bufferId: 1n,
    epoch: 0n,
    version: [{ replicaId: 8, timestamp: 2 }],
  });
  await world.settle();
  assertEquals(notesOf(world), undefined);
  assertEquals(world.actors.metrics.actors.value, before);
  assertEquals(
    (await world.store.load("observed_buffer_edits")).map((row) => row.lamport_timestamp),
    [2],
  );
  // Nobody has them open: an update wakes nobody up.
  await write(world, member, edit([9, 2], [], [0, 0], "x"));
  assertEquals(await world.store.load("buffer_operations"), []);
});

Deno.test("[channels 7.2] a channel that goes while its notes are being read takes who waits along", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await leave(world, owner);
  await leave(world, member);
  told(owner);
  told(member);
  member.send("JoinChannelBuffer", { channelId: 1n });
  assertEquals(notesOf(world)?.phase, "loading");
  owner.send("DeleteChannel", { channelId: 1n });
  await world.settle();
  assertEquals([told(owner), told(member)], [["Ack", "UpdateChannels"], [
    "UpdateChannels",
    "Error 1",
  ]]);
  assertEquals(
    [await world.store.load("buffers"), await world.store.load("channel_buffer_collaborators")],
    [[], []],
  );
});

Deno.test("[channels 8.7] who is lost while the notes are being read does not stay in them", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await leave(world, owner);
  await leave(world, member);
  member.send("JoinChannelBuffer", { channelId: 1n });
  member.connection.socketClosed();
  await world.settle();
  assertEquals(await world.store.load("channel_buffer_collaborators"), []);
  assertEquals(notesOf(world), undefined);
});

Deno.test("[channels 8.7] a loss is told to the notes that the connection has open, to no others", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  owner.send("CreateChannel", { name: "below", parentId: 1n });
  owner.send("JoinChannelBuffer", { channelId: 2n });
  await world.settle();
  let heard = 0;
  const other = world.actors.registry.notes.get(2)!;
  const { tell } = other;
  other.tell = (...args) => {
    heard++;
    tell.apply(other, args);
  };
  member.connection.socketClosed();
  await world.clock.advanceAsync(GRACE);
  assertEquals(heard, 0);
  owner.connection.socketClosed();
  await world.clock.advanceAsync(GRACE);
  assertEquals(heard, 1);
});

Deno.test("[channels 12] an account that is removed leaves the notes at once, and no trace of what it has seen", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, member, edit([9, 2], [], [0, 0], "x"));
  told(owner);
  await world.store.removeUser(member.userId);
  world.actors.removeUser(member.userId);
  await world.settle();
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  const seen = (await world.store.load("observed_buffer_edits")).map((row) => row.user_id);
  assertEquals(seen.includes(member.userId), false);
  assertEquals(
    (await world.store.load("channel_buffer_collaborators")).map((row) => row.user_id),
    [owner.userId],
  );
  await world.clock.advanceAsync(GRACE);
  assertEquals(told(owner), []);
});

Deno.test("[channels 8.6] a client comes back before its loss is noticed, if it has what only it can have", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "x"));
  told(member);
  const second = await world.connect("owner");
  told(second);
  await comeBack(world, second, [[8, 4]]);
  assertEquals(told(second), ["RejoinChannelBuffersResponse 1 {8:2} #2/8,#1/9"]);
  assertEquals(told(member), ["UpdateChannelBufferCollaborators 1 #2/8,#1/9"]);
  // Should it live, it was on another one's place: it has to come again for its own.
  assertEquals(owner.socket.closed !== undefined, true);
  await write(world, owner, select([8, 5]));
  assertEquals([told(member), told(second)], [[], []]);
});

Deno.test("[channels 8.6, Q-12] a place is taken over from a connection on which nobody answers, not from another client", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "x"));
  told(member);
  const second = await world.connect("owner");
  told(second);
  // It has just as much as everybody knows: it may be another client of the same user.
  await comeBack(world, second, [[8, 2]]);
  assertEquals([told(second), told(member)], [[], []]);
  owner.send("Error", { message: "message Ping was not handled" }, owner.find("Ping").id);
  await world.settle();
  assertEquals([told(second), told(owner)], [["RejoinChannelBuffersResponse"], ["Ping"]]);
  await comeBack(world, second, [[8, 2]]);
  await world.clock.advanceAsync(1_999);
  assertEquals([told(second), told(member)], [[], []]);
  await world.clock.advanceAsync(1);
  assertEquals(told(second), ["RejoinChannelBuffersResponse 1 {8:2} #2/8,#1/9"]);
  assertEquals(told(member), ["UpdateChannelBufferCollaborators 1 #2/8,#1/9"]);
  // It was only slow: with a change of its own it has to come back, and has its place again.
  await write(world, owner, select([8, 3]));
  assertEquals([told(member), owner.socket.closed], [[], undefined]);
  await write(world, owner, edit([8, 4], [[8, 2]], [1, 1], "y"));
  assertEquals([told(member), owner.socket.closed !== undefined], [[], true]);
  const third = await world.connect("owner");
  told(third);
  await comeBack(world, third, [[8, 4]]);
  assertEquals(told(third), ["RejoinChannelBuffersResponse 1 {8:2} #3/8,#1/9"]);
});

Deno.test("[channels 8.6] who is asked for and ends meanwhile leaves the place to who came for it", async () => {
  await using world = await World.start();
  const { owner } = await openTestNotes(world);
  const second = await world.connect("owner");
  told(second);
  await comeBack(world, second, []);
  owner.connection.socketClosed();
  await world.settle();
  assertEquals(told(second), ["RejoinChannelBuffersResponse 1 {} #2/8,#1/9"]);
  // Who goes himself while he waits has no place.
  const third = await world.connect("owner");
  await comeBack(world, third, []);
  third.connection.socketClosed();
  await world.clock.advanceAsync(2_000);
  assertEquals(notesOf(world)!.phase, "live");
  await openNotes(world, owner);
  assertEquals([...world.actors.openNotes.of(second.connection.key)], [1]);
});

Deno.test("[channels 6.2, 7.2, 7.4] who comes back to notes before he subscribes hears then that they are gone", async () => {
  for (const way of ["deleted", "hidden"]) {
    await using world = await World.start();
    const { owner, member } = await openTestNotes(world);
    if (way === "hidden") {
      owner.send("SetChannelVisibility", { channelId: 1n, visibility: 0 });
      owner.send("SetChannelMemberRole", { channelId: 1n, userId: BigInt(member.userId), role: 2 });
      await world.settle();
    }
    member.connection.socketClosed();
    const again = await world.connect("member");
    await comeBack(world, again, []);
    told(again);
    if (way === "hidden") owner.send("SetChannelVisibility", { channelId: 1n, visibility: 1 });
    else owner.send("DeleteChannel", { channelId: 1n });
    await world.settle();
    assertEquals(told(again), [], way);
    again.send("SubscribeToChannels", {});
    await world.settle();
    const [, update] = again.take();
    assertEquals(update?.value.deleteChannels, [1n], way);
  }
});
