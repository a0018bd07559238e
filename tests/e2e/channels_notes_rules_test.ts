/** Notes of channels: who may what, which errors, what is dropped. [channels 5.9] [channels 8] [channels 18] */
import { assert, assertEquals } from "@std/assert";
import { edit, select, undo } from "../support/notes.ts";
import { comeBack, NotesStage, open, write } from "../support/notes_stage.ts";

const [MEMBER, GUEST, BANNED, TALKER] = [1, 2, 3, 4];
const PUBLIC = 0;
const GRACE = 30_000;
const ONE = { channelId: 1n };

/** The lines of that message. */
const only = (lines: readonly string[], name: string) =>
  lines.filter((line) => line.startsWith(`${name} `));

Deno.test("[channels 5.9g, 18r] notes open to who has a role that sees the channel", async () => {
  await using stage = await NotesStage.open();
  const [a, b, g, t, x, s] = await stage.gather("A1", "B1", "G1", "T1", "X1", "S1");
  await a.call("CreateChannel", { name: "below", parentId: 1n });
  for (const [peer, role] of [[b, MEMBER], [g, GUEST], [t, TALKER], [x, BANNED]] as const) {
    await a.call("SetChannelMemberRole", { ...ONE, userId: peer.userId, role });
  }
  await a.call("RemoveChannelMember", { ...ONE, userId: s.userId });
  const opening = async (channelId: bigint) => {
    const answers: string[] = [];
    for (const peer of [a, b, g, t, x, s]) {
      await peer.ask("JoinChannelBuffer", { channelId });
      const lines = await stage.heard(`${peer.login.toUpperCase()}1`);
      const answer = lines.find((line) => line.startsWith("↩")) ?? "";
      answers.push(`${peer.login}: ${answer.split(" ").slice(1, 3).join(" ")}`);
    }
    return answers;
  };
  await stage.silence();
  // The parent is public, the channel below for members only.
  assertEquals(await opening(1n), [
    "a: JoinChannelBufferResponse 1",
    "b: JoinChannelBufferResponse 1",
    "g: JoinChannelBufferResponse 1",
    "t: JoinChannelBufferResponse 1",
    "x: Error 0",
    "s: Error 0",
  ]);
  assertEquals(await opening(2n), [
    "a: JoinChannelBufferResponse 2",
    "b: JoinChannelBufferResponse 2",
    "g: Error 0",
    "t: Error 0",
    "x: Error 0",
    "s: Error 0",
  ]);
  assertEquals((await a.ask("JoinChannelBuffer", ONE)).name, "Error");
  assertEquals((await a.ask("JoinChannelBuffer", { channelId: 9n })).value, {
    ...(await x.ask("JoinChannelBuffer", { channelId: 9n })).value,
  });
  assertEquals(await stage.heard("X1"), ["↩ Error 1"]);
});

Deno.test("[channels 5.9h, 8.4.1, 18u] members edit; who only reads shows selections, and no more", async () => {
  await using stage = await NotesStage.open();
  const [a, b, g, t] = await stage.gather("A1", "B1", "G1", "T1");
  await a.call("SetChannelMemberRole", { ...ONE, userId: g.userId, role: GUEST });
  await a.call("SetChannelMemberRole", { ...ONE, userId: t.userId, role: TALKER });
  for (const peer of [a, b, g, t]) await open(peer);
  await stage.silence();

  for (const [peer, replica] of [[g, 10], [t, 11]] as const) {
    write(peer, edit([replica, 2], [], [0, 0], "x"));
    write(peer, undo([replica, 3], [], [8, 2], 1));
    write(peer, select([replica, 4]), edit([replica, 5], [], [0, 0], "x"));
    write(peer, { updateDiagnostics: { replicaId: replica, lamportTimestamp: 5, serverId: 1n } });
    write(peer, { updateCompletionTriggers: { replicaId: replica, lamportTimestamp: 5 } });
    write(peer, { updateLineEnding: { replicaId: replica, lamportTimestamp: 5, lineEnding: 1 } });
  }
  assertEquals(await stage.heard("A1"), []);
  write(g, select([10, 6]));
  await stage.quiet();
  write(t, {});
  write(t);
  await stage.quiet();
  write(b, edit([9, 7], [], [0, 0], "y"), select([9, 8]));
  assertEquals(await stage.heardBy("A1", "B1", "G1"), {
    A1: [
      "UpdateChannelBuffer 1 10@6 selects",
      "UpdateChannelBuffer 1 other",
      "UpdateChannelBuffer 1",
      'UpdateChannelBuffer 1 9@7[0,0]"y" 9@8 selects',
    ],
    B1: [
      "UpdateChannelBuffer 1 10@6 selects",
      "UpdateChannelBuffer 1 other",
      "UpdateChannelBuffer 1",
    ],
    G1: [
      "UpdateChannelBuffer 1 other",
      "UpdateChannelBuffer 1",
      'UpdateChannelBuffer 1 9@7[0,0]"y" 9@8 selects',
    ],
  });
});

Deno.test("[channels 8.4.1, 8.4a, 18u] updates of strangers, of the banned, of unknown channels are dropped", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  const c = await stage.enter("C1");
  write(b, edit([8, 2], [], [0, 0], "before anybody opened them"));
  await open(a);
  await stage.silence();
  // A member who has not opened the notes, somebody without a role, a channel that is not there.
  write(b, edit([9, 2], [], [0, 0], "x"));
  write(c, select([9, 3]));
  a.send("UpdateChannelBuffer", { channelId: 9n, operations: [edit([8, 2], [], [0, 0], "x")] });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), { A1: [], B1: [], C1: [] });
  await open(b);
  await a.call("SetChannelMemberRole", { ...ONE, userId: b.userId, role: BANNED });
  await stage.silence();
  write(b, edit([9, 2], [], [0, 0], "x"));
  write(b, select([9, 3]));
  assertEquals(await stage.heard("A1"), []);
});

Deno.test("[channels 5.9i, 5.9k, 8.5, 18s, Q-20] whoever has the notes open may leave them, nobody else; who does not see the channel any more has them open no longer", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  const codes = async () => (await stage.heard("B1")).filter((line) => line.startsWith("↩"));
  await b.ask("LeaveChannelBuffer", ONE);
  await open(a);
  await b.ask("LeaveChannelBuffer", ONE);
  await b.ask("LeaveChannelBuffer", { channelId: 9n });
  assertEquals(await codes(), ["↩ Error 0", "↩ Error 0", "↩ Error 0"]);
  await open(b);
  await a.call("SetChannelVisibility", { ...ONE, visibility: PUBLIC });
  await a.call("SetChannelMemberRole", { ...ONE, userId: b.userId, role: GUEST });
  write(a, select([8, 2]));
  assertEquals(only(await stage.heard("B1"), "UpdateChannelBuffer"), [
    "UpdateChannelBuffer 1 8@2 selects",
  ]);
  await b.call("LeaveChannelBuffer", ONE);
  assertEquals(await codes(), ["↩ Ack"]);
  assertEquals((await stage.heard("A1")).at(-1), "UpdateChannelBufferCollaborators 1 A1/8");
  await open(b);
  await a.call("SetChannelMemberRole", { ...ONE, userId: b.userId, role: BANNED });
  assertEquals((await stage.heard("A1")).at(-1), "UpdateChannelBufferCollaborators 1 A1/8");
  await stage.silence();
  write(a, select([8, 4]));
  assertEquals(await stage.heard("B1"), []);
  await b.ask("LeaveChannelBuffer", ONE);
  assertEquals(await codes(), ["↩ Error 0"]);
});

Deno.test("[channels 7.2] notes go with their channel", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(a);
  await open(b);
  write(a, edit([8, 2], [], [0, 0], "x"));
  await a.call("CreateChannel", { name: "below", parentId: 1n });
  await b.call("JoinChannelBuffer", { channelId: 2n });
  await stage.silence();
  await a.call("DeleteChannel", { channelId: 2n });
  await a.call("DeleteChannel", ONE);
  write(b, select([9, 3]));
  await b.ask("LeaveChannelBuffer", ONE);
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack", "UpdateChannels hides 2", "↩ Ack", "UpdateChannels hides 1"],
    B1: ["UpdateChannels hides 2", "UpdateChannels hides 1", "↩ Error 0"],
  });
  const { store, actors } = stage.server.server;
  for (
    const table of [
      "buffers",
      "buffer_snapshots",
      "buffer_operations",
      "channel_buffer_collaborators",
      "observed_buffer_edits",
    ] as const
  ) assertEquals(await store.load(table), [], table);
  assertEquals([actors.registry.notes.size, [...actors.openNotes.of(0)]], [0, []]);
  // Whoever leaves later leaves nothing that is there.
  await stage.lose("B1");
  await stage.pass(GRACE);
  assertEquals(actors.registry.notes.size, 0);
});

Deno.test("[channels 8.3.2, 8.3.3] replica ids count from 8, freed ones first; one connection joins once", async () => {
  await using stage = await NotesStage.open();
  const [a, b, c, a2] = await stage.gather("A1", "B1", "C1", "A2");
  assertEquals((await open(a)).replicaId, 8);
  assertEquals((await open(b)).replicaId, 9);
  assertEquals((await open(a2)).replicaId, 10);
  const again = await a.ask("JoinChannelBuffer", ONE);
  assertEquals(again.name, "Error");
  // A lost connection keeps its number, and a freed one is given again.
  await stage.lose("B1");
  assertEquals((await open(c)).replicaId, 11);
  await a.call("LeaveChannelBuffer", ONE);
  assertEquals((await open(a)).replicaId, 8);
});

Deno.test("[channels 8.4.2, 8.4.4, 17.9] known operations are dropped, one that is new carries the batch", async () => {
  await using stage = await NotesStage.open();
  const [a, b, c] = await stage.gather("A1", "B1", "C1");
  const a2 = await stage.enter("A2");
  for (const peer of [a, b, a2]) await open(peer);
  const first = edit([8, 2], [], [0, 0], "1");
  const second = edit([8, 4], [[8, 2]], [1, 1], "2");
  write(a, first);
  await stage.silence();
  write(a, first, select([8, 3]));
  write(b, first);
  assertEquals(await stage.heardBy("A1", "A2", "B1", "C1"), { A1: [], A2: [], B1: [], C1: [] });
  write(a, first, second);
  // The sender's other connections hear of it, the sending one does not.
  const batch = 'UpdateChannelBuffer 1 8@2[0,0]"1" 8@4[1,1]"2"';
  assertEquals(await stage.heardBy("A1", "A2", "B1", "C1"), {
    A1: [],
    A2: [batch],
    B1: [batch],
    C1: ["UpdateChannels notes 1 epoch 0 {8:4}"],
  });
  assertEquals(c.all("UpdateChannelBuffer"), []);
});

Deno.test("[channels 8.4.5, Q-10, Q-11] who sees the channel hears of new operations, not of selections", async () => {
  await using stage = await NotesStage.open();
  const [a, b, g] = await stage.gather("A1", "B1", "G1");
  const u = await stage.enter("U1");
  await stage.invite(a, u, MEMBER);
  await stage.lose("U1");
  await stage.enter("U1");
  await a.call("SetChannelMemberRole", { ...ONE, userId: g.userId, role: GUEST });
  await a.call("CreateChannel", { name: "below", parentId: 1n });
  await a.call("JoinChannelBuffer", { channelId: 2n });
  await stage.silence();
  const update = (...operations: Parameters<typeof write>[1][]) =>
    a.send("UpdateChannelBuffer", { channelId: 2n, operations });
  update(edit([8, 2], [], [0, 0], "x"));
  update(select([8, 3]));
  update();
  // A guest does not see it, and U has not subscribed since he came back.
  assertEquals(await stage.heardBy("A1", "B1", "G1", "U1"), {
    A1: [],
    B1: ["UpdateChannels notes 2 epoch 0 {8:2}"],
    G1: [],
    U1: [],
  });
  assertEquals(b.all("UpdateChannelBuffer"), []);
});

Deno.test("[channels 8.4.3, Q-21] the latest version is the greatest operation, whatever comes later", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  const c = await stage.enter("C1");
  await stage.invite(a, c, MEMBER);
  await open(a);
  await open(b);
  write(a, edit([8, 9], [], [0, 0], "1"));
  write(b, edit([9, 4], [], [0, 0], "2"));
  await stage.silence();
  c.send("SubscribeToChannels", {});
  b.send("SubscribeToChannels", {});
  assertEquals(await stage.heardBy("B1", "C1"), {
    B1: [
      "UpdateUserChannels 1 Member seen notes 1 epoch 0 {9:4}",
      "UpdateChannels shows 1 zed Public 1 | notes 1 epoch 0 {8:9}",
    ],
    C1: [
      "UpdateUserChannels 1 Member",
      "UpdateChannels shows 1 zed Public 1 | notes 1 epoch 0 {8:9}",
    ],
  });
});

/** What a user is told on subscribing: how far he has seen the notes, and how far they are. */
async function marks(stage: NotesStage, name: string): Promise<string[]> {
  stage.peer(name).send("SubscribeToChannels", {});
  return (await stage.heard(name)).map((line) => line.replace(/^.*notes /, ""));
}

Deno.test("[channels 6.4, 8.9, 8.10, 17.11, 19y, Q-13, Q-14] acknowledged versions only advance, and move nothing else", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(a);
  write(a, edit([8, 2], [], [0, 0], "1"));
  await stage.silence();
  const acknowledge = (epoch: bigint, ...version: (readonly [number, number])[]) => {
    b.send("AckBufferOperation", {
      bufferId: 1n,
      epoch,
      version: version.map(([replicaId, timestamp]) => ({ replicaId, timestamp })),
    });
  };
  assertEquals(await marks(stage, "B1"), ["UpdateUserChannels 1 Member", "1 epoch 0 {8:2}"]);
  acknowledge(0n, [0, 0], [8, 2]);
  assertEquals(await marks(stage, "B1"), ["1 epoch 0 {8:2}", "1 epoch 0 {8:2}"]);
  acknowledge(0n, [8, 1]);
  acknowledge(0n);
  // An epoch that has not begun, notes that are not there.
  acknowledge(7n, [8, 1]);
  b.send("AckBufferOperation", {
    bufferId: 9n,
    epoch: 0n,
    version: [{ replicaId: 8, timestamp: 9 }],
  });
  assertEquals(await marks(stage, "B1"), ["1 epoch 0 {8:2}", "1 epoch 0 {8:2}"]);
  // The largest value, and of equal ones the last.
  acknowledge(0n, [8, 5], [9, 5], [10, 4]);
  assertEquals(await marks(stage, "B1"), ["1 epoch 0 {9:5}", "1 epoch 0 {8:2}"]);
  assertEquals(await stage.heard("A1"), []);

  // The next epoch counts more than any operation before.
  await a.call("LeaveChannelBuffer", ONE);
  await open(a);
  write(a, edit([8, 3], [[0, 1]], [1, 1], "2"));
  await stage.silence();
  assertEquals(await marks(stage, "B1"), ["1 epoch 0 {9:5}", "1 epoch 1 {8:3}"]);
  await open(b);
  await stage.silence();
  assertEquals(await marks(stage, "B1"), ["1 epoch 1 {8:3}", "1 epoch 1 {8:3}"]);
  acknowledge(0n, [9, 9]);
  assertEquals(await marks(stage, "B1"), ["1 epoch 1 {8:3}", "1 epoch 1 {8:3}"]);

  // Also over a reconnection, and a restart of the server.
  await stage.lose("B1");
  await stage.enter("B2");
  await stage.silence();
  assertEquals(await marks(stage, "B2"), ["1 epoch 1 {8:3}", "1 epoch 1 {8:3}"]);
  await stage.server.restart();
  await stage.enter("B3");
  await stage.silence();
  assertEquals(await marks(stage, "B3"), ["1 epoch 1 {8:3}", "1 epoch 1 {8:3}"]);
});

Deno.test("[channels 8.3.4, 6.5] opening notes observes their latest operation; a new member is told how far they are", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  const c = await stage.enter("C1");
  await open(a);
  write(a, edit([8, 2], [], [0, 0], "1"), edit([8, 4], [[8, 2]], [0, 0], "0"));
  await stage.silence();
  await open(b);
  await stage.silence();
  assertEquals(await marks(stage, "B1"), ["1 epoch 0 {8:4}", "1 epoch 0 {8:4}"]);
  await stage.invite(a, c, MEMBER);
  assertEquals((await stage.heard("C1")).slice(2, 4), [
    "UpdateUserChannels 1 Member",
    "UpdateChannels shows 1 zed Public 1 | uninvites 1 | notes 1 epoch 0 {8:4}",
  ]);
});

Deno.test("[channels 8.6, 8.6a, 18t] one bad entry fails the request and moves nobody, a strange one is left out", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await a.call("CreateChannel", { name: "noted", parentId: 1n });
  await a.call("CreateChannel", { name: "bare", parentId: 1n });
  await open(a);
  await open(b);
  await a.call("JoinChannelBuffer", { channelId: 2n });
  await stage.lose("A1");
  const a2 = await stage.enter("A2");
  await stage.silence();
  const known = (channelId: bigint, epoch = 0n) => ({ channelId, epoch, version: [] });
  await a2.ask("RejoinChannelBuffers", { buffers: [known(1n), known(3n)] });
  await a2.ask("RejoinChannelBuffers", { buffers: [known(1n), known(9n), known(3n)] });
  assertEquals(await stage.heardBy("A2", "B1"), { A2: ["↩ Error 0", "↩ Error 1"], B1: [] });
  // Nobody has moved: an update of the new connection is none of a collaborator's.
  write(a2, select([8, 2]));
  assertEquals(await stage.heard("B1"), []);
  await a2.call("RejoinChannelBuffers", { buffers: [known(1n, 1n), known(2n), known(2n)] });
  assertEquals(await stage.heardBy("A2", "B1"), {
    A2: ["↩ RejoinChannelBuffersResponse 2 {} A2/8"],
    B1: [],
  });
  await a2.call("RejoinChannelBuffers", { buffers: [] });
  assertEquals(await stage.heard("A2"), ["↩ RejoinChannelBuffersResponse"]);
});

Deno.test("[channels 8.6, Q-12] a rejoin takes the lost place of its user, never one that lives", async () => {
  await using stage = await NotesStage.open();
  const [a1, b, a2] = await stage.gather("A1", "B1", "A2");
  await open(a1);
  await open(a2);
  write(a1, edit([8, 2], [], [0, 0], "1"));
  await stage.quiet();
  await stage.lose("A2");
  const a3 = await stage.enter("A3");
  await stage.silence();
  await comeBack(a3, [[8, 2]]);
  assertEquals(await stage.heardBy("A1", "A3"), {
    A1: ["UpdateChannelBufferCollaborators 1 A1/8,A3/9"],
    A3: ["↩ RejoinChannelBuffersResponse 1 {8:2} A1/8,A3/9"],
  });
  // Again on the same connection: the place that it has.
  await comeBack(a3, [[8, 2]]);
  // A third connection finds no lost place, another user none at all.
  await stage.enter("A4");
  await stage.silence();
  const answer = comeBack(stage.peer("A4"), [[8, 2]]);
  for (const living of [a1, a3]) living.reply(await living.next("Ping"), "Ack", {});
  await answer;
  await comeBack(b, [[8, 2]]);
  assertEquals(await stage.heardBy("A1", "A4", "B1"), {
    A1: [],
    A4: ["↩ RejoinChannelBuffersResponse"],
    B1: ["↩ RejoinChannelBuffersResponse"],
  });
  await stage.silence();
  write(a1, edit([8, 4], [[8, 2]], [1, 1], "2"));
  assertEquals(await stage.heard("A3"), ['UpdateChannelBuffer 1 8@4[1,1]"2"']);
});

Deno.test("[channels 8.6, Q-12] of two lost places a client gets the one whose operations it has", async () => {
  await using stage = await NotesStage.open();
  const [a1, a2] = await stage.gather("A1", "A2");
  await open(a1);
  await open(a2);
  write(a1, edit([8, 2], [], [0, 0], "1"));
  await stage.quiet();
  await stage.lose("A1");
  await stage.lose("A2");
  // It was 9 and has made 9@5 offline.
  const a3 = await stage.enter("A3");
  await stage.silence();
  const [rejoined] = (await comeBack(a3, [[8, 2], [9, 5]])).buffers;
  const mine = rejoined?.collaborators.find(({ peerId }) => peerId?.id === a3.peerId.id);
  assertEquals(mine?.replicaId, 9);
});

Deno.test("[channels 9.9a] an operation that breaks a rule is not kept, and ends its sender's part", async () => {
  await using stage = await NotesStage.open();
  const [a, b, c] = await stage.gather("A1", "B1", "C1");
  await open(a);
  await open(b);
  await open(c);
  write(a, edit([8, 2], [], [0, 0], "日本"));
  await stage.silence();
  // The first is sound and stays; the second cuts a character, and what follows builds on it.
  write(
    b,
    edit([9, 4], [[8, 2]], [6, 6], "!"),
    edit([9, 5], [[8, 2], [9, 4]], [1, 1], "x"),
    edit([9, 6], [[8, 2], [9, 5]], [0, 0], "y"),
    select([9, 7]),
  );
  write(b, edit([9, 8], [[8, 2], [9, 4]], [0, 0], "z"));
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [
      'UpdateChannelBuffer 1 9@4[6,6]"!" 9@7 selects',
      "UpdateChannelBufferCollaborators 1 A1/8,C1/10",
    ],
    B1: [],
  });
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  await stage.silence();
  await comeBack(b2, [[8, 2], [9, 8]]);
  assertEquals(await stage.heard("B2"), ["↩ RejoinChannelBuffersResponse"]);
  // A clock that no client can have, in a selection too.
  write(c, select([10, 0xffff_ffff]));
  assertEquals(await stage.heard("A1"), ["UpdateChannelBufferCollaborators 1 A1/8"]);
  await a.call("LeaveChannelBuffer", ONE);
  assertEquals((await open(a)).baseText, "日本!");
});

Deno.test("[channels 9.11, 14b] line ends: the next epoch's base has those of the document", async () => {
  await using stage = await NotesStage.open();
  const [a, b] = await stage.gather("A1", "B1");
  await open(a);
  await open(b);
  write(a, edit([8, 2], [], [0, 0], "one\ntwo\u0000\n"));
  write(a, { updateLineEnding: { replicaId: 8, lamportTimestamp: 3, lineEnding: 1 } });
  assertEquals((await stage.heard("B1")).slice(-2), [
    'UpdateChannelBuffer 1 8@2[0,0]"one\ntwo\u0000\n"',
    "UpdateChannelBuffer 1 other",
  ]);
  // A carriage return is not what a client writes.
  write(b, edit([9, 5], [[8, 2]], [0, 0], "\r\n"));
  await a.call("LeaveChannelBuffer", ONE);
  const { baseText, epoch, operations } = await open(a);
  assertEquals([baseText, epoch, operations], ["one\ntwo\u0000\n", 1n, []]);
  write(a, edit([8, 3], [[0, 1]], [4, 7], "2"));
  await a.call("LeaveChannelBuffer", ONE);
  assertEquals((await open(a)).baseText, "one\n2\u0000\n");
  assert((await stage.heard("B1")).every((line) => !line.startsWith("Error")));
});

Deno.test("[channels 11.3, 8.7] a loss is told to nobody for 30 s, and then to those who have the notes open", async () => {
  await using stage = await NotesStage.open();
  const [a, b, c] = await stage.gather("A1", "B1", "C1");
  await a.call("CreateChannel", { name: "other", parentId: 1n });
  await open(a);
  await open(b);
  await c.call("JoinChannelBuffer", { channelId: 2n });
  await b.call("JoinChannelBuffer", { channelId: 2n });
  await stage.silence();
  await stage.lose("B1");
  assertEquals(await stage.heardBy("A1", "C1"), { A1: [], C1: [] });
  await stage.pass(GRACE);
  assertEquals(await stage.heardBy("A1", "C1"), {
    A1: ["UpdateChannelBufferCollaborators 1 A1/8"],
    C1: ["UpdateChannelBufferCollaborators 2 C1/8"],
  });
});
