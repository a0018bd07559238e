/** Snapshots of a room and presence: who gets them, and in which order. [rooms 8] [rooms 9] */
import { assert, assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

Deno.test("[rooms 9.6, 9.5, 7f] a snapshot goes to every active participant, to nobody who is rung or elsewhere", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b, c] } = await stage.meet("A1", "B1", "C1");
  await c.call("LeaveRoom", {});
  await stage.enter("A2");
  a.send("Call", { roomId, calledUserId: c.userId });
  await stage.silence();
  await b.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  const snapshot = "RoomUpdated A1 0 Admin, B1 1 Member in own | c rung by a";
  assertEquals(await stage.heardBy("A1", "A2", "B1", "C1"), {
    A1: [snapshot],
    A2: [],
    B1: [snapshot, "↩ Ack"],
    C1: [],
  });
});

Deno.test("[rooms 9.7, 19.5, 19.6] [design 1.5] changes made at the same time reach everybody in one order", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers } = await stage.meet("A1", "B1", "C1");
  for (let round = 1n; round <= 20n; round++) {
    for (const [index, peer] of peers.entries()) {
      const id = round * 10n + BigInt(index);
      peer.send("UpdateParticipantLocation", { roomId, location: { sharedProject: { id } } });
    }
  }
  const told = await stage.heardBy("A1", "B1", "C1");
  const snapshots = (lines: readonly string[]) => lines.filter((line) => line !== "↩ Ack");
  assertEquals(snapshots(told.A1).length, 60);
  assertEquals(snapshots(told.B1), snapshots(told.A1));
  assertEquals(snapshots(told.C1), snapshots(told.A1));
  assertEquals(
    snapshots(told.A1).at(-1),
    "RoomUpdated A1 0 Admin in 200, B1 1 Member in 201, C1 2 Member in 202",
  );
});

Deno.test("[rooms 8.1, 8.2] presence goes to each connection of accepted contacts once, and to nobody else", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await stage.friends("A1", "B1");
  await stage.enter("A2");
  await stage.enter("B2");
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: a.userId });
  await stage.silence();
  await a.call("CreateRoom", {});
  const busy = ["UpdateContacts a online busy"];
  assertEquals(await stage.heardBy("A2", "B1", "B2", "C1"), { A2: [], B1: busy, B2: busy, C1: [] });
});

Deno.test("[rooms 10.13a, 9.6e, 9.5a] sharing: the answer, then the snapshot with the visible roots", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  await a.call("ShareProject", {
    roomId,
    worktrees: [
      { id: 1n, rootName: "app", visible: true },
      { id: 2n, rootName: "library", visible: false },
    ],
  });
  const snapshot = "RoomUpdated A1 0 Admin hosts 1(app), B1 1 Member";
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ ShareProjectResponse", snapshot],
    B1: [snapshot],
  });
});

Deno.test("[rooms 10.13d, 9.6e] an updated project: guests, then the snapshot, then the Ack", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1", "C1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  await stage.silence();
  const worktrees = [{ id: 1n, rootName: "app", visible: true }];
  await a.call("UpdateProject", { projectId, worktrees });
  const snapshot = "RoomUpdated A1 0 Admin hosts 1(app), B1 1 Member, C1 2 Member";
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [snapshot, "↩ Ack"],
    B1: ["UpdateProject from A1", snapshot],
    C1: [snapshot],
  });
});

Deno.test("[rooms 10.13b, Q-17] an unshared project: once to its guests, then the snapshot without it", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1", "C1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  await stage.silence();
  // As Zed does: twice, and the guest tries as well.
  b.send("UnshareProject", { projectId });
  a.send("UnshareProject", { projectId });
  a.send("UnshareProject", { projectId });
  const snapshot = "RoomUpdated A1 0 Admin, B1 1 Member, C1 2 Member";
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [snapshot],
    B1: [`UnshareProject ${projectId}`, snapshot],
    C1: [snapshot],
  });
});

Deno.test("[rooms 10.13c, 6.6] a guest leaves a project: the others are told, then all; twice does nothing", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b, c] } = await stage.meet("A1", "B1", "C1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  for (const guest of [b, c]) await guest.call("JoinProject", { projectId });
  await stage.silence();
  b.send("LeaveProject", { projectId });
  const snapshot = "RoomUpdated A1 0 Admin hosts 1(), B1 1 Member, C1 2 Member";
  const gone = "RemoveProjectCollaborator 1 B1";
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [gone, snapshot],
    B1: [snapshot],
    C1: [gone, snapshot],
  });
  b.send("LeaveProject", { projectId });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), { A1: [], B1: [], C1: [] });
});

Deno.test("[rooms Q-20, 1.2] a connection with the number of an old host has none of its rights", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  assertEquals(a.peerId.id, 0);
  await server.restart();
  const stranger = await stage.enter("D1");
  assertEquals(stranger.peerId.id, 0);
  const update = { projectId, worktrees: [] };
  assertEquals((await stranger.ask("UpdateProject", update)).name, "Error");
  const location = { roomId, location: { external: {} } };
  assertEquals((await stranger.ask("UpdateParticipantLocation", location)).name, "Error");
});

Deno.test("[rooms 10.2.7] calls that nobody answers are bounded", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  const call = { roomId: room?.id as bigint, calledUserId: b.userId };
  let refused = 0;
  for (let round = 0; round < 300 && refused === 0; round++) {
    const id = a.send("Call", call);
    assertEquals((await a.ask("CancelCall", call)).name === "Ack", a.answers(id).length === 0);
    refused += a.answers(id).length;
  }
  assert(refused > 0);
  // Answers make room again.
  for (const ring of b.received.filter(({ name }) => name === "IncomingCall")) {
    b.reply(ring, "Ack", {});
  }
  await stage.quiet();
  const id = a.send("Call", call);
  await stage.quiet();
  stage.displayRing("B1");
  assertEquals((await a.answer(id)).name, "Ack");
});
