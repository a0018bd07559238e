/** Operations of notes: which wait, which are bad, what is stored of them. [channels 8.4] [channels 9] */
import { assertEquals } from "@std/assert";
import { edit, select } from "../../support/notes.ts";
import { comeBack, leave, openNotes, openTestNotes, told, write } from "./notes_world.ts";
import { World } from "./world.ts";

/** Replica and value of what is stored. */
async function stored(world: World): Promise<string[]> {
  return (await world.store.load("buffer_operations"))
    .map((row) => `${row.replica_id}@${row.lamport_timestamp}`);
}

Deno.test("[channels 9.10] what waits is stored and passed on, is not in the version, and is lost at the epoch's end", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  await write(world, owner, edit([8, 6], [[8, 4]], [2, 2], "3"));
  assertEquals(told(member), [
    'UpdateChannelBuffer 1 8@2[0,0]"1"',
    'UpdateChannelBuffer 1 8@6[2,2]"3"',
  ]);
  assertEquals(await stored(world), ["8@2", "8@6"]);
  await comeBack(world, member, []);
  assertEquals(told(member), [
    'RejoinChannelBuffersResponse 1 {8:2} 8@2[0,0]"1" 8@6[2,2]"3" #0/8,#1/9',
  ]);
  await leave(world, owner);
  await leave(world, member);
  await openNotes(world, owner);
  assertEquals(told(owner).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 1 "1" #0/8');
  assertEquals(await stored(world), []);
});

Deno.test("[channels 9.7, 9.10, 8.3.2] nobody gets the replica id of a leaver who has something waiting, with which others hold back what comes of it", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 6], [[8, 4]], [2, 2], "3"));
  await leave(world, owner);
  assertEquals(await stored(world), []);
  await openNotes(world, owner);
  assertEquals(told(member).at(-1), "UpdateChannelBufferCollaborators 1 #1/9,#0/10");
  await write(world, owner, edit([10, 8], [], [0, 0], "x"));
  assertEquals(told(member), ['UpdateChannelBuffer 1 10@8[0,0]"x"']);
  await leave(world, owner);
  await leave(world, member);
  // In the next epoch nobody has anything waiting.
  await openNotes(world, owner);
  assertEquals(told(owner).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 1 "x" #0/8');
});

Deno.test("[channels 9.9a] what turns out bad when it gets applied at last goes out of the database, and who sent it out of the notes", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  // 9@6 is beyond the text, which nobody can know before 8@2 is there; 9@7 builds on it.
  await write(
    world,
    member,
    edit([9, 6], [[8, 2]], [7, 7], "x"),
    edit([9, 7], [[8, 2], [9, 6]], [0, 0], "y"),
  );
  assertEquals(await stored(world), ["9@6", "9@7"]);
  told(owner);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  assertEquals(await stored(world), ["8@2"]);
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  await write(world, member, edit([9, 8], [[8, 2]], [0, 0], "z"));
  assertEquals(told(owner), []);
  await leave(world, owner);
  await openNotes(world, owner);
  assertEquals(told(owner).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 1 "1" #0/8');
});

Deno.test("[channels 9.9a] who sends a bad operation in another's name loses his own part", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, member, edit([8, 4], [], [5, 5], "x"));
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  await openNotes(world, member);
  told(owner);
  // Also when it is found later.
  await write(world, member, edit([8, 6], [[8, 2]], [7, 7], "x"));
  told(owner);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  assertEquals(await stored(world), ["8@2"]);
});

Deno.test("[channels 9.9a, 9.2] a timestamp beyond what clocks can have come to ends its sender's part", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  // Clocks also count what is not stored: selections may take them far.
  await write(world, owner, select([8, 1_000_000]));
  await write(world, owner, edit([8, 2_000_000], [], [0, 0], "1"));
  assertEquals(told(member).length, 2);
  await write(world, owner, edit([8, 4_000_000_000], [[8, 2_000_000]], [1, 1], "2"));
  assertEquals(told(member), ["UpdateChannelBufferCollaborators 1 #1/9"]);
  assertEquals(await stored(world), ["8@2000000"]);
});

Deno.test("[channels 9.9a] who leaves more waiting than a sound client ever would loses his part", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  const waiting = Array.from(
    { length: 10_001 },
    (_, at) => edit([9, 10 + at], [[8, 2]], [0, 0], "x"),
  );
  await write(world, member, ...waiting.slice(1));
  assertEquals(told(owner).length, 1);
  await write(world, member, waiting[0]!);
  assertEquals(told(owner).at(-1), "UpdateChannelBufferCollaborators 1 #0/8");
  assertEquals(await stored(world), []);
});

Deno.test("[channels 9.9a] who leaves too much waiting in others' names goes alone, with all of it", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  const flood = Array.from(
    { length: 10_000 },
    (_, at) => edit([20 + at % 2, 10 + at], [[8, 4]], [0, 0], "x"),
  );
  await write(world, member, ...flood);
  assertEquals(told(owner).length, 1);
  // Sound ones in the wrong order: the last straw is not the one to blame.
  await write(world, owner, edit([8, 4], [[8, 2]], [1, 1], "2"));
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  assertEquals(await stored(world), ["8@4"]);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  await leave(world, owner);
  await openNotes(world, owner);
  assertEquals(told(owner).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 1 "12" #0/8');
});

Deno.test("[channels 9.9a, 8.3.2] nobody answers for what waits in the name of who had the replica id before", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, member, edit([20, 6], [[8, 2]], [7, 7], "beyond the text"));
  await leave(world, member);
  assertEquals(await stored(world), []);
  await openNotes(world, member);
  told(owner);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  assertEquals(told(owner), []);
});

Deno.test("[channels 9.9a, 9.2] nobody takes the clocks to their end by many leaps", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  const leaps = Array.from({ length: 4096 }, (_, at) => select([9, (at + 1) * 1_000_000]));
  await write(world, member, ...leaps);
  assertEquals(told(owner).at(-1), "UpdateChannelBufferCollaborators 1 #0/8");
  await openNotes(world, member);
  told(owner);
  await write(world, member, select([9, 17_000_000]));
  assertEquals(told(owner), ["UpdateChannelBufferCollaborators 1 #0/8"]);
  // What follows on what was heard goes on.
  await write(world, owner, edit([8, 16_000_002], [], [0, 0], "1"));
  assertEquals(await stored(world), ["8@16000002"]);
});

Deno.test("[channels 8.2, 14b, 17.7] epochs go on only when something was changed; base and history are the next one's", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, select([8, 2]));
  await leave(world, owner);
  await leave(world, member);
  await openNotes(world, owner);
  assertEquals(told(owner).at(-1), 'JoinChannelBufferResponse 1 as 8 epoch 0 "" #0/8');
  // The vector V1b of the specification, then the first edit of a fresh replica.
  await write(
    world,
    owner,
    edit([8, 2], [], [0, 0], "hello world"),
    edit([8, 4], [[8, 2]], [5, 5], ", cruel"),
    edit([8, 6], [[8, 4]], [0, 5], "goodbye"),
    {
      undo: {
        replicaId: 8,
        lamportTimestamp: 7,
        version: [{ replicaId: 8, timestamp: 6 }],
        counts: [{ replicaId: 8, lamportTimestamp: 6, count: 1 }],
      },
    },
    edit([9, 9], [[8, 7]], [14, 19], "beautiful"),
  );
  await leave(world, owner);
  await openNotes(world, member);
  assertEquals(
    told(member).at(-1),
    'JoinChannelBufferResponse 1 as 8 epoch 1 "hello, beautiful world" #1/8',
  );
  await write(world, member, edit([8, 3], [[0, 1]], [22, 22], "!"));
  await openNotes(world, owner);
  assertEquals(
    told(owner).at(-1),
    'JoinChannelBufferResponse 1 as 9 epoch 1 "hello, beautiful world" 8@3[22,22]"!" #1/8,#0/9',
  );
  await leave(world, owner);
  await leave(world, member);
  await openNotes(world, owner);
  assertEquals(
    told(owner).at(-1),
    'JoinChannelBufferResponse 1 as 8 epoch 2 "hello, beautiful world!" #0/8',
  );
  // Of the epochs before nothing is kept.
  assertEquals((await world.store.load("buffer_snapshots")).map((row) => row.epoch), [2]);
});

Deno.test("[channels 8.1] notes are stored with their history, who has them open, and who has seen how much", async () => {
  await using world = await World.start();
  const { owner, member } = await openTestNotes(world);
  await write(world, owner, edit([8, 2], [], [0, 0], "1"));
  const { store } = world;
  const at = { channel_id: 1, epoch: 0 };
  assertEquals(await store.load("buffers"), [
    { ...at, root_id: 1, latest_epoch: 0, latest_timestamp: 2, latest_replica_id: 8 },
  ]);
  assertEquals(
    (await store.load("buffer_operations")).map(({ operation: _, ...row }) => row),
    [{ ...at, lamport_timestamp: 2, replica_id: 8 }],
  );
  assertEquals(await store.load("channel_buffer_collaborators"), [
    { channel_id: 1, replica_id: 8, user_id: owner.userId, connection_owner: 1, connection_id: 0 },
    { channel_id: 1, replica_id: 9, user_id: member.userId, connection_owner: 1, connection_id: 1 },
  ]);
  assertEquals(await store.load("observed_buffer_edits"), [
    { ...at, user_id: owner.userId, lamport_timestamp: 2, replica_id: 8 },
  ]);
  await leave(world, owner);
  await leave(world, member);
  const next = { channel_id: 1, epoch: 1 };
  assertEquals(await store.load("buffers"), [
    { ...next, root_id: 1, latest_epoch: 0, latest_timestamp: 2, latest_replica_id: 8 },
  ]);
  assertEquals(await store.load("buffer_snapshots"), [
    { ...next, base_text: new TextEncoder().encode("1") },
  ]);
  assertEquals(
    [await store.load("buffer_operations"), await store.load("channel_buffer_collaborators")],
    [[], []],
  );
});
