/** Notes of channels, step by step: the specification's sequences. [channels 13] */
import { assertEquals } from "@std/assert";
import { edit, select, undo } from "../support/notes.ts";
import { comeBack, NotesStage, open, write } from "../support/notes_stage.ts";

const BANNED = 3;
const GRACE = 30_000;
const CLEAN_UP = 15_000;

Deno.test("[channels S6, 8.3.1, 8.3.5, 8.3.6, 8.5, 8.8, 19t, 19u, 19w] two writers, undo, snapshot", async () => {
  await using stage = await NotesStage.open();
  const [a, b, c] = await stage.gather("A1", "B1", "C1");

  await open(a);
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ['↩ JoinChannelBufferResponse 1 as 8 epoch 0 "" A1/8'],
    B1: [],
  });

  write(a, edit([8, 2], [], [0, 0], "hello"));
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [],
    B1: ["UpdateChannels notes 1 epoch 0 {8:2}"],
  });

  await open(b);
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["UpdateChannelBufferCollaborators 1 A1/8,B1/9"],
    B1: ['↩ JoinChannelBufferResponse 1 as 9 epoch 0 "" 8@2[0,0]"hello" A1/8,B1/9'],
  });

  write(a, edit([8, 4], [[8, 2]], [5, 5], "!"));
  write(b, edit([9, 4], [[8, 2]], [0, 0], ">"));
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ['UpdateChannelBuffer 1 9@4[0,0]">"'],
    B1: ['UpdateChannelBuffer 1 8@4[5,5]"!"'],
  });
  await stage.silence();

  write(a, undo([8, 6], [[8, 4], [9, 4]], [8, 4], 1));
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [],
    B1: ["UpdateChannelBuffer 1 8@6 undoes 8@4:1"],
    C1: ["UpdateChannels notes 1 epoch 0 {8:6}"],
  });

  await b.call("LeaveChannelBuffer", { channelId: 1n });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["UpdateChannelBufferCollaborators 1 A1/8"],
    B1: ["↩ Ack"],
  });
  await a.call("LeaveChannelBuffer", { channelId: 1n });
  await open(c);
  assertEquals(await stage.heardBy("A1", "C1"), {
    A1: ["↩ Ack"],
    C1: ['↩ JoinChannelBufferResponse 1 as 8 epoch 1 ">hello" C1/8'],
  });

  a.send("SubscribeToChannels", {});
  assertEquals(await stage.heard("A1"), [
    "UpdateUserChannels 1 Admin seen notes 1 epoch 0 {8:6}",
    "UpdateChannels shows 1 zed Public 1 | notes 1 epoch 0 {8:6}",
  ]);
  write(c, edit([8, 3], [[0, 1]], [6, 6], "?"));
  await open(a);
  assertEquals(await stage.heard("A1"), [
    "UpdateChannels notes 1 epoch 1 {8:3}",
    '↩ JoinChannelBufferResponse 1 as 9 epoch 1 ">hello" 8@3[6,6]"?" C1/8,A1/9',
  ]);
  await c.call("LeaveChannelBuffer", { channelId: 1n });
  await a.call("LeaveChannelBuffer", { channelId: 1n });
  assertEquals((await open(b)).baseText, ">hello?");
});

Deno.test("[channels S7, 8.6, 8.7, 19v, 19x] [rooms 10.10, 14.4.2] notes over a lost connection", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(a);
  await open(b);
  write(a, edit([8, 2], [], [0, 0], "1"));
  await stage.silence();

  await stage.lose("A1");
  write(b, edit([9, 4], [[8, 2]], [0, 0], "0"));
  assertEquals(await stage.heard("B1"), []);

  const a3 = await stage.enter("A3");
  await stage.silence();
  await comeBack(a3, [[8, 4]]);
  assertEquals(await stage.heardBy("A3", "B1"), {
    A3: ['↩ RejoinChannelBuffersResponse 1 {8:2,9:4} 9@4[0,0]"0" A3/8,B1/9'],
    B1: ["UpdateChannelBufferCollaborators 1 A3/8,B1/9"],
  });
  write(a3, edit([8, 4], [[8, 2]], [1, 1], "2"));
  write(a3);
  assertEquals(await stage.heard("B1"), [
    'UpdateChannelBuffer 1 8@4[1,1]"2"',
    "UpdateChannelBuffer 1",
  ]);
  await stage.pass(GRACE);
  assertEquals(
    (await stage.heard("B1")).filter((line) => line.startsWith("UpdateChannelBuffer")),
    [],
  );

  await stage.lose("A3");
  await stage.pass(GRACE - 1);
  assertEquals(await stage.heard("B1"), []);
  await stage.pass(1);
  assertEquals(await stage.heard("B1"), ["UpdateChannelBufferCollaborators 1 B1/9"]);
  const a4 = await stage.enter("A4");
  await stage.silence();
  await comeBack(a4, [[8, 4], [9, 4]]);
  assertEquals(await stage.heardBy("A4", "B1"), {
    A4: ["↩ RejoinChannelBuffersResponse"],
    B1: [],
  });

  await stage.lose("B1");
  await stage.pass(GRACE);
  await comeBack(a4, [[8, 4], [9, 4]]);
  assertEquals((await open(a4)).baseText, "012");
  assertEquals(await stage.heard("A4"), [
    "↩ RejoinChannelBuffersResponse",
    '↩ JoinChannelBufferResponse 1 as 8 epoch 1 "012" A4/8',
  ]);
});

Deno.test("[channels S7, 8.7, 12] [rooms 15.3] notes over a restart: who does not come back leaves, the epoch goes on", async () => {
  await using stage = await NotesStage.open();
  const [a, b, c] = await stage.gather("A1", "B1", "C1");
  await open(a);
  await open(b);
  await open(c);
  write(a, edit([8, 2], [], [0, 0], "1"));
  await stage.quiet();
  await stage.server.restart();

  const a2 = await stage.enter("A2");
  const b2 = await stage.enter("B2");
  await stage.silence();
  await comeBack(a2, [[8, 4]]);
  await comeBack(b2, []);
  await stage.silence();
  write(a2, edit([8, 4], [[8, 2]], [1, 1], "2"));
  assertEquals(await stage.heardBy("A2", "B2"), {
    A2: [],
    B2: ['UpdateChannelBuffer 1 8@4[1,1]"2"'],
  });
  await stage.pass(CLEAN_UP - 1);
  assertEquals(await stage.heard("A2"), []);
  await stage.pass(1);
  assertEquals(await stage.heardBy("A2", "B2"), {
    A2: ["UpdateChannelBufferCollaborators 1 A2/8,B2/9"],
    B2: ["UpdateChannelBufferCollaborators 1 A2/8,B2/9"],
  });

  // Nobody comes back: no snapshot, the epoch goes on.
  await stage.server.restart();
  await stage.pass(CLEAN_UP);
  const a3 = await stage.enter("A3");
  await stage.silence();
  await comeBack(a3, [[8, 4]]);
  await open(a3);
  assertEquals(await stage.heard("A3"), [
    "↩ RejoinChannelBuffersResponse",
    '↩ JoinChannelBufferResponse 1 as 8 epoch 0 "" 8@2[0,0]"1" 8@4[1,1]"2" A3/8',
  ]);
});

Deno.test("[channels S7, 8.6a] who was banned is left out of the answer, a deleted channel fails it", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(b);
  write(b, edit([8, 2], [], [0, 0], "1"));
  await stage.quiet();
  await stage.lose("B1");
  await a.call("SetChannelMemberRole", { channelId: 1n, userId: b.userId, role: BANNED });
  const b2 = await stage.enter("B2");
  await stage.silence();
  await comeBack(b2, [[8, 2]]);
  assertEquals(await stage.heard("B2"), ["↩ RejoinChannelBuffersResponse"]);
  await a.call("DeleteChannel", { channelId: 1n });
  await b2.ask("RejoinChannelBuffers", { buffers: [{ channelId: 1n, epoch: 0n, version: [] }] });
  assertEquals((await stage.heard("B2")).at(-1), "↩ Error 1");
});

Deno.test("[channels 11.5] leaving and joining back to back keep their order", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(a);
  await open(b);
  await stage.silence();
  for (let round = 0; round < 20; round++) {
    a.send("LeaveChannelBuffer", { channelId: 1n });
    a.send("JoinChannelBuffer", { channelId: 1n });
  }
  const round = [
    "↩ Ack",
    '↩ JoinChannelBufferResponse 1 as 8 epoch 0 "" A1/8,B1/9',
  ];
  assertEquals(await stage.heard("A1"), Array(20).fill(round).flat());
  // Also when he is the only one, so that the notes rest in between.
  await b.call("LeaveChannelBuffer", { channelId: 1n });
  write(a, edit([8, 2], [], [0, 0], "x"));
  a.send("LeaveChannelBuffer", { channelId: 1n });
  a.send("JoinChannelBuffer", { channelId: 1n });
  a.send("LeaveChannelBuffer", { channelId: 1n });
  a.send("JoinChannelBuffer", { channelId: 1n });
  assertEquals((await stage.heard("A1")).slice(1), [
    "↩ Ack",
    '↩ JoinChannelBufferResponse 1 as 8 epoch 1 "x" A1/8',
    "↩ Ack",
    '↩ JoinChannelBufferResponse 1 as 8 epoch 1 "x" A1/8',
  ]);
});

Deno.test("[channels 11.4] an edit sent during a rejoin loses nothing of what was made offline", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(a);
  await open(b);
  write(a, edit([8, 2], [], [0, 0], "1"));
  await stage.quiet();
  await stage.lose("A1");
  const a2 = await stage.enter("A2");
  await stage.silence();
  // 8@4 was made offline; 8@6 overtakes it.
  a2.send("RejoinChannelBuffers", {
    buffers: [{ channelId: 1n, epoch: 0n, version: [{ replicaId: 8, timestamp: 6 }] }],
  });
  write(a2, edit([8, 6], [[8, 4]], [2, 2], "3"));
  await stage.quiet();
  await stage.lose("A2");
  // The version covers nothing whose predecessor is missing.
  const a3 = await stage.enter("A3");
  await stage.silence();
  await comeBack(a3, [[8, 6]]);
  assertEquals(await stage.heard("A3"), ["↩ RejoinChannelBuffersResponse 1 {8:2} A3/8,B1/9"]);
  write(
    a3,
    edit([8, 4], [[8, 2]], [1, 1], "2"),
    edit([8, 6], [[8, 4]], [2, 2], "3"),
    select([8, 7]),
  );
  await stage.quiet();
  await a3.call("LeaveChannelBuffer", { channelId: 1n });
  await b.call("LeaveChannelBuffer", { channelId: 1n });
  assertEquals((await open(b)).baseText, "123");
});
