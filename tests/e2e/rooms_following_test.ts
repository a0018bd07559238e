/** Following: who is told what, and which pairs a room keeps. [rooms 11] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { TestPeer } from "../support/test_peer.ts";

/** Three in a room, the first of them hosting a project that the others have joined. */
async function shared(stage: Stage): Promise<{
  readonly roomId: bigint;
  readonly projectId: bigint;
  readonly peers: readonly [TestPeer, TestPeer, TestPeer];
}> {
  const { roomId, peers } = await stage.meet("A1", "B1", "C1");
  const [a, b, c] = peers;
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  for (const guest of [b, c]) await guest.call("JoinProject", { projectId });
  await stage.silence();
  return { roomId, projectId, peers };
}

/** Whoever wants to follow one of them may. */
function letFollow(...leaders: readonly TestPeer[]): void {
  for (const leader of leaders) {
    leader.on("Follow", (asked) => leader.reply(asked, "FollowResponse", {}));
  }
}

const SEATS = "A1 0 Admin hosts 1(), B1 1 Member, C1 2 Member";

Deno.test("[rooms S1, 11.1, 19.9, 9.6f] the leader's answer reaches the follower before the snapshot", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  const follow = b.send("Follow", { roomId, projectId, leaderId: a.peerId });
  assertEquals(await stage.heardBy("A1", "B1"), { A1: ["Follow from B1"], B1: [] });
  const asked = a.received.findLast(({ name }) => name === "Follow") as { id: number };
  a.reply(asked, "FollowResponse", {});
  await b.answer(follow);
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [`RoomUpdated ${SEATS} | B1 follows A1 in 1`],
    B1: ["↩ FollowResponse", `RoomUpdated ${SEATS} | B1 follows A1 in 1`],
    C1: [`RoomUpdated ${SEATS} | B1 follows A1 in 1`],
  });
});

Deno.test("[rooms 11.1, 6.3] a leader's error passes unchanged and nothing is kept", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  const follow = b.send("Follow", { roomId, projectId, leaderId: a.peerId });
  const error = { code: 5, message: "not now", tags: ["why=busy"] };
  a.reply(await a.next("Follow"), "Error", error);
  assertEquals((await b.answer(follow)).value, error);
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [],
    B1: ["↩ Error 5 why=busy"],
    C1: [],
  });
});

Deno.test("[rooms 11.1] following without a project is answered and told to nobody", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await shared(stage);
  const follow = b.send("Follow", { roomId, leaderId: a.peerId });
  a.reply(await a.next("Follow"), "FollowResponse", {});
  await b.answer(follow);
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [], B1: ["↩ FollowResponse"] });
});

Deno.test("[rooms 11.1] following twice is answered twice and kept once", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  letFollow(a);
  await b.call("Follow", { roomId, projectId, leaderId: a.peerId });
  await b.call("Follow", { roomId, projectId, leaderId: a.peerId });
  await stage.quiet();
  assertEquals(b.all("RoomUpdated").at(-1)?.room?.followers.length, 1);
});

Deno.test("[rooms 11.1] leader and follower must be two connections in the room", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  const b2 = await stage.enter("B2");
  await stage.silence();
  const bad = [
    { roomId, projectId },
    { roomId, projectId, leaderId: b.peerId },
    { roomId, projectId, leaderId: b2.peerId },
    { roomId, projectId, leaderId: { ownerId: a.peerId.ownerId + 1, id: a.peerId.id } },
    { roomId: 99n, projectId, leaderId: a.peerId },
  ];
  for (const follow of bad) assertEquals((await b.ask("Follow", follow)).name, "Error");
  const outside = { roomId, projectId, leaderId: a.peerId };
  assertEquals((await b2.ask("Follow", outside)).name, "Error");
  assertEquals(await stage.heardBy("A1", "C1"), { A1: [], C1: [] });
});

Deno.test("[rooms 11.1, 14.5] following somebody who is lost fails at once", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  const pending = b.send("Follow", { roomId, projectId, leaderId: a.peerId });
  await stage.quiet();
  const leaderId = a.peerId;
  await stage.lose("A1");
  assertEquals((await b.answer(pending)).name, "Error");
  assertEquals((await b.ask("Follow", { roomId, projectId, leaderId })).name, "Error");
  assertEquals(await stage.heard("C1"), []);
});

Deno.test("[rooms S1, 11.2, 2.6, 6.6] unfollowing is passed on, then told to the room", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  letFollow(a);
  // Today's clients do not know it and answer with an Error.
  a.on("Unfollow", (told) => a.reply(told, "Error", { code: 0, message: "not handled" }));
  await b.call("Follow", { roomId, projectId, leaderId: a.peerId });
  await stage.silence();
  b.send("Unfollow", { roomId, projectId, leaderId: a.peerId });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["Unfollow from B1", `RoomUpdated ${SEATS}`],
    B1: [`RoomUpdated ${SEATS}`],
    C1: [`RoomUpdated ${SEATS}`],
  });
  // The snapshot comes also where nothing was kept; without a project it does not.
  b.send("Unfollow", { roomId, projectId, leaderId: a.peerId });
  b.send("Unfollow", { roomId, leaderId: a.peerId });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["Unfollow from B1", `RoomUpdated ${SEATS}`, "Unfollow from B1"],
    B1: [`RoomUpdated ${SEATS}`],
  });
});

Deno.test("[rooms S1, 11.3a, 6.6] a leader's views go to the project's others, without echo", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b] } = await shared(stage);
  const all = ["UpdateFollowers from A1"];
  a.send("UpdateFollowers", { roomId, projectId, createView: {} });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), { A1: [], B1: all, C1: all });
  a.send("UpdateFollowers", { roomId, projectId, updateView: { leaderId: b.peerId } });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), { A1: [], B1: [], C1: all });
  b.send("UpdateFollowers", { roomId, projectId, updateView: {} });
  const fromB = ["UpdateFollowers from B1"];
  assertEquals(await stage.heardBy("A1", "B1", "C1"), { A1: fromB, B1: [], C1: fromB });
});

Deno.test("[rooms 11.3, 7f] without a project they go to the room; strangers are passed over", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [, b] } = await shared(stage);
  const d = await stage.enter("D1");
  await stage.enter("A2");
  await stage.silence();
  b.send("UpdateFollowers", { roomId, updateActiveView: {} });
  d.send("UpdateFollowers", { roomId, updateActiveView: {} });
  d.send("UpdateFollowers", { roomId, projectId, updateActiveView: {} });
  const heard = ["UpdateFollowers from B1"];
  assertEquals(await stage.heardBy("A1", "A2", "B1", "C1", "D1"), {
    A1: heard,
    A2: [],
    B1: [],
    C1: heard,
    D1: [],
  });
});

Deno.test("[rooms 11.3] with a project nobody looks at the room that they name", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { projectId, peers: [a, b] } = await shared(stage);
  const d = await stage.enter("D1");
  const other = await d.call("CreateRoom", {});
  await stage.silence();
  for (const roomId of [0n, 999n, other.room!.id]) {
    b.send("UpdateFollowers", { roomId, projectId, updateActiveView: {} });
    // Neither are strangers let in by their own room, nor is a project of no room anybody's.
    d.send("UpdateFollowers", { roomId: other.room!.id, projectId, updateActiveView: {} });
    a.send("UpdateFollowers", { roomId, projectId: 999n, updateActiveView: {} });
    a.send("UpdateFollowers", { roomId, updateActiveView: {} });
  }
  const heard = ["UpdateFollowers from B1", "UpdateFollowers from B1", "UpdateFollowers from B1"];
  assertEquals(await stage.heardBy("A1", "B1", "C1", "D1"), {
    A1: heard,
    B1: [],
    C1: heard,
    D1: [],
  });
});

Deno.test("[rooms 11.3b, Q-18] one lost receiver holds back nobody's views", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a] } = await shared(stage);
  await stage.lose("B1");
  a.send("UpdateFollowers", { roomId, projectId, updateActiveView: {} });
  assertEquals(await stage.heard("C1"), ["UpdateFollowers from A1"]);
});

Deno.test("[rooms 11.4] who comes back under a new id follows nobody and is followed by nobody; others go on", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b, c] } = await shared(stage);
  letFollow(a, b, c);
  await b.call("Follow", { roomId, projectId, leaderId: a.peerId });
  await a.call("Follow", { roomId, projectId, leaderId: b.peerId });
  await c.call("Follow", { roomId, projectId, leaderId: a.peerId });
  await stage.silence();
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  await stage.silence();
  await b2.call("RejoinRoom", { id: roomId, rejoinedProjects: [{ id: projectId }] });
  const snapshot = `${SEATS.replace("B1", "B2")} | C1 follows A1 in 1`;
  assertEquals((await stage.heard("B2")).slice(0, 2), [
    `↩ RejoinRoomResponse ${snapshot}`,
    `RoomUpdated ${snapshot}`,
  ]);
  assertEquals((await stage.heard("C1"))[0], `RoomUpdated ${snapshot}`);
  await server.server.actors.journal.settled();
  const stored = await server.server.store.loadWhere("followers", { room_id: Number(roomId) });
  assertEquals(stored.map(({ follower_id }) => follower_id), [c.peerId.id]);
});

Deno.test("[rooms 11.4, Q-12, 10.8c] whoever leaves follows nobody and is followed by nobody", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, projectId, peers: [a, b, c] } = await shared(stage);
  letFollow(a, b, c);
  await b.call("Follow", { roomId, projectId, leaderId: a.peerId });
  await c.call("Follow", { roomId, projectId, leaderId: b.peerId });
  await c.call("Follow", { roomId, projectId, leaderId: a.peerId });
  assertEquals(
    (await stage.heard("A1")).at(-1),
    `RoomUpdated ${SEATS} | B1 follows A1 in 1 | C1 follows B1 in 1 | C1 follows A1 in 1`,
  );
  await stage.silence();
  await b.call("LeaveRoom", {});
  assertEquals((await stage.heard("C1")).slice(0, 2), [
    "RemoveProjectCollaborator 1 B1",
    "RoomUpdated A1 0 Admin hosts 1(), C1 2 Member | C1 follows A1 in 1",
  ]);
  c.send("LeaveProject", { projectId });
  assertEquals((await stage.heard("A1")).at(-1), "RoomUpdated A1 0 Admin hosts 1(), C1 2 Member");
  await server.server.actors.journal.settled();
  assertEquals(await server.server.store.loadWhere("followers", { room_id: Number(roomId) }), []);
});
