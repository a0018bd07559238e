/** Stops and starts of the server: what is kept, and what is cleared away. [rooms 15] [rooms 16] */
import { assertEquals } from "@std/assert";
import { startServer, type TestServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import type { TestPeer } from "../support/test_peer.ts";

const CLEANUP = 15_000;
const GRACE = 30_000;

/** A, B, C in a room, D rung by A; then the server stops and starts. */
async function restarted(): Promise<{
  readonly server: TestServer;
  readonly stage: Stage;
  readonly clock: SteppedClock;
  readonly roomId: bigint;
  readonly peers: readonly TestPeer[];
  readonly d: TestPeer;
}> {
  const clock = new SteppedClock();
  const server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const { roomId, peers } = await stage.meet("A1", "B1", "C1");
  const d = await stage.enter("D1");
  await peers[0].call("RequestContact", { responderId: d.userId });
  await d.call("RespondToContactRequest", { requesterId: peers[0].userId, response: 0 });
  const call = peers[0].send("Call", { roomId, calledUserId: d.userId });
  await stage.quiet();
  stage.displayRing("D1");
  await peers[0].answer(call);
  await stage.silence();
  await server.restart();
  return { server, stage, clock, roomId, peers, d };
}

Deno.test("[rooms 16, 14.3, 1.1, 1.2] a stop closes sockets, tells nobody, and the next start has a larger number", async () => {
  const { server, stage, peers, d } = await restarted();
  await using _ = server;
  for (const peer of [...peers, d]) {
    await peer.closed;
    assertEquals(peer.fresh(), []);
  }
  const [before] = peers;
  const a2 = await stage.enter("A2");
  assertEquals(a2.peerId, { ownerId: (before as TestPeer).peerId.ownerId + 1, id: 0 });
});

Deno.test("[transport 3.10.6, 6.3.4] [rooms S7, 15, 9.1, 15.2, 15.4a, 15.4c, 15.4e, 15.7, 8.2f, 9.3, 22g] a restart: rejoin, the ring again, cleanup after 15 s", async () => {
  const { server, stage, clock, roomId, d } = await restarted();
  await using _ = server;
  await d.closed;
  const a2 = await stage.enter("A2");
  const b2 = await stage.enter("B2");
  await a2.call("RejoinRoom", { id: roomId });
  await b2.call("RejoinRoom", { id: roomId });
  assertEquals(
    (await stage.heard("A2")).at(-2),
    "RoomUpdated A2 0 Admin, B2 1 Member, C1 2 Member | d rung by a",
  );
  const d2 = await stage.enter("D2");
  assertEquals(await stage.heard("D2"), [
    "UpdateContacts a online busy",
    "IncomingCall 1 by a with a,b,c",
  ]);
  await d2.call("JoinRoom", { id: roomId });
  const all = "A2 0 Admin, B2 1 Member, C1 2 Member, D2 3 Member";
  assertEquals(await stage.heard("D2"), [
    `RoomUpdated ${all}`,
    "CallCanceled 1",
    `↩ JoinRoomResponse ${all}`,
  ]);
  await stage.silence();
  clock.advance(CLEANUP - 1);
  assertEquals(await stage.heard("A2"), []);
  clock.advance(1);
  const left = "RoomUpdated A2 0 Admin, B2 1 Member, D2 3 Member";
  assertEquals(await stage.heardBy("A2", "B2", "D2"), {
    A2: [left, "UpdateContacts c offline free"],
    B2: [left, "UpdateContacts c offline free"],
    D2: [left],
  });
  const c2 = await stage.enter("C2");
  assertEquals((await c2.ask("RejoinRoom", { id: roomId })).name, "Error");
  clock.advance(GRACE);
  assertEquals((await stage.heard("B2")).filter((line) => line.startsWith("Room")), []);
});

Deno.test("[rooms S7, 15.4b, 15.4d, 15.6, 10.8d] a room that nobody rejoins goes, and its rings with it", async () => {
  const { server, stage, clock, roomId } = await restarted();
  await using _ = server;
  const d2 = await stage.enter("D2");
  await stage.silence();
  clock.advance(CLEANUP);
  assertEquals(await stage.heard("D2"), ["CallCanceled 1", "UpdateContacts a offline free"]);
  assertEquals((await d2.ask("JoinRoom", { id: roomId })).name, "Error");
  const { actors, store } = server.server;
  await actors.journal.settled();
  assertEquals(actors.registry.rooms.size, 0);
  for (const table of ["rooms", "room_participants", "projects", "followers"] as const) {
    assertEquals(await store.load(table), []);
  }
  assertEquals((await d2.ask("CreateRoom", {})).name, "CreateRoomResponse");
});

Deno.test("[rooms 15.4a, 15.4d] the ring of a caller who does not come back ends at the cleanup", async () => {
  const { server, stage, clock, roomId } = await restarted();
  await using _ = server;
  const b2 = await stage.enter("B2");
  await b2.call("RejoinRoom", { id: roomId });
  await stage.enter("D2");
  await stage.silence();
  clock.advance(CLEANUP);
  assertEquals(await stage.heard("D2"), ["CallCanceled 1", "UpdateContacts a offline free"]);
  assertEquals((await stage.heard("B2"))[0], "RoomUpdated B2 1 Member");
});

Deno.test("[rooms Q-21] a callee who stays away loses the ring 30 s after the start", async () => {
  const { server, stage, clock, roomId } = await restarted();
  await using _ = server;
  const a2 = await stage.enter("A2");
  await a2.call("RejoinRoom", { id: roomId });
  clock.advance(CLEANUP);
  await stage.silence();
  clock.advance(GRACE - CLEANUP);
  assertEquals(await stage.heard("A2"), [
    "RoomUpdated A2 0 Admin",
    "UpdateContacts d offline free",
  ]);
});

Deno.test("[rooms S7, 19.14] two restarts in a row follow the same rules", async () => {
  const { server, stage, clock, roomId } = await restarted();
  await using _ = server;
  const a2 = await stage.enter("A2");
  await a2.call("RejoinRoom", { id: roomId });
  clock.advance(CLEANUP - 1);
  await server.restart();
  await a2.closed;
  const a3 = await stage.enter("A3");
  await a3.call("RejoinRoom", { id: roomId });
  await stage.silence();
  // The first start's timer is gone with it.
  clock.advance(1);
  assertEquals(await stage.heard("A3"), []);
  clock.advance(CLEANUP - 1);
  assertEquals((await stage.heard("A3"))[0], "RoomUpdated A3 0 Admin | d rung by a");
});

Deno.test("[rooms 15.5, 15.6, 15.7, S7] the project of a host who does not come back ends for its guests", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const worktrees = [{ id: 1n, rootName: "app", visible: true }];
  const { projectId } = await a.call("ShareProject", { roomId, worktrees });
  await b.call("JoinProject", { projectId });
  await stage.quiet();
  await server.restart();
  await b.closed;
  const b2 = await stage.enter("B2");
  await b2.call("RejoinRoom", {
    id: roomId,
    rejoinedProjects: [{ id: projectId, worktrees: [], repositories: [] }],
  });
  assertEquals(
    (await stage.heard("B2")).includes(
      "↩ RejoinRoomResponse A1 0 Admin hosts 1(app), B2 1 Member",
    ),
    true,
  );
  clock.advance(CLEANUP);
  assertEquals(await stage.heard("B2"), [
    "UnshareProject 1",
    "RoomUpdated B2 1 Member",
    "UpdateContacts a offline free",
  ]);
  await server.server.actors.journal.settled();
  assertEquals(await server.server.store.load("projects"), []);
  assertEquals(await server.server.store.load("worktrees"), []);
});
