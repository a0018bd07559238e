/** Lost connections, the grace that they have, and presence. [rooms 14] */
import { assertEquals } from "@std/assert";
import { startServer, type TestServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";

const GRACE = 30_000;

async function scene(): Promise<{ server: TestServer; stage: Stage; clock: SteppedClock }> {
  const clock = new SteppedClock();
  const server = await startServer({ parts: { clock } });
  return { server, stage: new Stage(server), clock };
}

Deno.test("[channels 3.4] [rooms S11, 8.2e, 14.2, 14.4.4, 19.12] a loss is told to nobody for 30 s, then to the contacts, once", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  await stage.friends("A1", "B1");
  await stage.lose("A1");
  clock.advance(GRACE - 1);
  assertEquals(await stage.heard("B1"), []);
  // A contact that connects meanwhile sees the truth at once.
  const b2 = await stage.enter("B2");
  assertEquals(b2.received.length >= 1, true);
  assertEquals((await stage.heard("B2"))[0], "UpdateContacts a offline free");
  clock.advance(1);
  assertEquals(await stage.heard("B1"), ["UpdateContacts a offline free"]);
  clock.advance(GRACE);
  assertEquals(await stage.heard("B1"), []);
});

Deno.test("[rooms S11, Q-22, 4.2g, 8.2a] who comes back within 30 s never appears offline", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  await stage.friends("A1", "B1");
  await stage.lose("A1");
  clock.advance(5_000);
  await stage.enter("A2");
  assertEquals(await stage.heard("B1"), ["UpdateContacts a online free"]);
  clock.advance(GRACE);
  assertEquals(await stage.heard("B1"), ["UpdateContacts a online free"]);
});

Deno.test("[transport 3.10.1] [rooms S6, 14.3, 14.4.1, 14.5, 8.2d, 22d] a drop without rejoin: project, snapshot, ring and presence after 30 s", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const d = await stage.enter("D1");
  await a.call("RequestContact", { responderId: d.userId });
  await d.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  a.send("Call", { roomId, calledUserId: d.userId });
  await stage.silence();
  await stage.lose("A1");
  // Until then everybody still sees A in the room, under the dead peer id.
  await b.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  assertEquals(await stage.heardBy("B1", "D1"), {
    B1: ["RoomUpdated A1 0 Admin hosts 1(), B1 1 Member in own | d rung by a", "↩ Ack"],
    D1: [],
  });
  clock.advance(GRACE);
  assertEquals(await stage.heardBy("B1", "D1"), {
    B1: [
      "UnshareProject 1",
      "RoomUpdated B1 1 Member in own",
      "UpdateContacts a offline free",
      "UpdateContacts a offline free",
    ],
    D1: ["CallCanceled 1", "UpdateContacts a offline free", "UpdateContacts a offline free"],
  });
  // Too late to come back.
  const a2 = await stage.enter("A2");
  assertEquals((await a2.ask("RejoinRoom", { id: roomId })).name, "Error");
});

Deno.test("[rooms 14.6, 19.13, 14.4.4] another connection keeps the user online and does not inherit the room", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  await stage.meet("A1", "B1");
  await stage.enter("A2");
  await stage.silence();
  await stage.lose("A1");
  clock.advance(GRACE);
  assertEquals(await stage.heardBy("A2", "B1"), {
    A2: [],
    B1: [
      "RoomUpdated B1 1 Member",
      "UpdateContacts a online free",
      "UpdateContacts a online free",
    ],
  });
});

Deno.test("[rooms S2, 14.6] a device that is not in the room goes unnoticed, but for presence after 30 s", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  await stage.enter("B2");
  await stage.silence();
  await stage.lose("B2");
  clock.advance(GRACE);
  assertEquals(await stage.heard("A1"), ["UpdateContacts b online busy"]);
  await a.call("UpdateParticipantLocation", { roomId, location: { external: {} } });
  assertEquals(await stage.heard("B1"), ["RoomUpdated A1 0 Admin, B1 1 Member"]);
});

Deno.test("[rooms S2, 14.4.3, 22b] a rung user whose devices are gone loses the ring after 30 s", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  const [a, b] = await stage.friends("A1", "B1");
  await stage.enter("B2");
  const { room } = await a.call("CreateRoom", {});
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.quiet();
  stage.displayRing("B2");
  await a.answer(call);
  await stage.silence();
  await stage.lose("B1");
  clock.advance(1_000);
  await stage.lose("B2");
  clock.advance(GRACE - 1_000);
  assertEquals(await stage.heard("A1"), [
    "RoomUpdated A1 0 Admin",
    "UpdateContacts b offline free",
  ]);
  clock.advance(1_000);
  assertEquals(await stage.heard("A1"), ["UpdateContacts b offline free"]);
});

Deno.test("[rooms 14.4.3] a rung user who comes back keeps the ring", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  const [a, b] = await stage.friends("A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.quiet();
  stage.displayRing("B1");
  await a.answer(call);
  await stage.lose("B1");
  await stage.enter("B2");
  await stage.silence();
  clock.advance(GRACE);
  assertEquals(await stage.heard("A1"), ["UpdateContacts b online busy"]);
  const b2 = stage.peer("B2");
  assertEquals((await b2.ask("JoinRoom", { id: room?.id as bigint })).name, "JoinRoomResponse");
});

Deno.test("[rooms 10.9.1, 10.9w1, 10.9w2, 10.9w7, 14.4.1, 19.13, 22d] who rejoins is not removed when the old grace ends", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  await a.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await stage.lose("A1");
  await stage.silence();
  const a2 = await stage.enter("A2");
  await stage.silence();
  await a2.call("RejoinRoom", { id: roomId });
  assertEquals(await stage.heardBy("A2", "B1"), {
    A2: [
      "↩ RejoinRoomResponse A2 0 Admin in own, B1 1 Member",
      "RoomUpdated A2 0 Admin in own, B1 1 Member",
    ],
    B1: [
      "RoomUpdated A2 0 Admin in own, B1 1 Member",
      "UpdateContacts a online busy",
    ],
  });
  clock.advance(GRACE);
  assertEquals(await stage.heardBy("A2", "B1"), {
    A2: [],
    B1: ["UpdateContacts a online busy"],
  });
});

Deno.test("[rooms 22f] a live connection of the same user takes the seat over", async () => {
  const { server, stage } = await scene();
  await using _ = server;
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  const a2 = await stage.enter("A2");
  await stage.silence();
  await a2.call("RejoinRoom", { id: roomId });
  await a.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ Ack"],
    A2: [
      "↩ RejoinRoomResponse A2 0 Admin, B1 1 Member",
      "RoomUpdated A2 0 Admin, B1 1 Member",
    ],
    B1: ["RoomUpdated A2 0 Admin, B1 1 Member", "UpdateContacts a online busy"],
  });
});

Deno.test("[transport 2.6.1] [rooms S4, 10.9.2, 10.9w3, 14.5, Q-9] a host drops, its guests' requests fail, and it rejoins with its project", async () => {
  const { server, stage, clock } = await scene();
  await using _ = server;
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const d = await stage.enter("D1");
  await a.call("RequestContact", { responderId: d.userId });
  await d.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  const worktrees = [{ id: 1n, rootName: "app", visible: true }];
  const { projectId } = await a.call("ShareProject", { roomId, worktrees });
  await b.call("JoinProject", { projectId });
  a.send("Call", { roomId, calledUserId: d.userId });
  await stage.silence();
  const waiting = b.send("OpenBufferById", { projectId, id: 1n });
  await stage.quiet();
  await stage.lose("A1");
  assertEquals((await b.answer(waiting)).name, "Error");
  assertEquals((await b.ask("OpenBufferById", { projectId, id: 1n })).name, "Error");
  await stage.silence();
  const a2 = await stage.enter("A2");
  assertEquals(await stage.heardBy("B1", "D1"), {
    B1: ["UpdateContacts a online busy"],
    D1: ["UpdateContacts a online busy"],
  });
  a2.skip();
  await a2.call("RejoinRoom", { id: roomId, resharedProjects: [{ projectId, worktrees }] });
  const now = "A2 0 Admin hosts 1(app), B1 1 Member | d rung by a";
  assertEquals(await stage.heardBy("A2", "B1", "D1"), {
    A2: [`↩ RejoinRoomResponse ${now}`, `RoomUpdated ${now}`],
    B1: [
      `RoomUpdated ${now}`,
      "UpdateProjectCollaborator 1 A1→A2",
      "UpdateProject from A2",
      "UpdateContacts a online busy",
    ],
    D1: ["UpdateContacts a online busy"],
  });
  clock.advance(GRACE);
  assertEquals(await stage.heardBy("A2", "B1", "D1"), {
    A2: [],
    B1: ["UpdateContacts a online busy"],
    D1: ["UpdateContacts a online busy"],
  });
  assertEquals(
    (await a2.ask("CancelCall", { roomId, calledUserId: d.userId })).name,
    "Ack",
  );
});

Deno.test("[rooms S4, 10.9] a host that names a project which is gone has changed nothing", async () => {
  const { server, stage } = await scene();
  await using _ = server;
  const { roomId, peers: [, b] } = await stage.meet("A1", "B1");
  await stage.lose("A1");
  const a2 = await stage.enter("A2");
  await stage.silence();
  const request = { id: roomId, resharedProjects: [{ projectId: 99n, worktrees: [] }] };
  assertEquals((await a2.ask("RejoinRoom", request)).name, "Error");
  assertEquals(await stage.heardBy("A2", "B1"), { A2: ["↩ Error 0"], B1: [] });
  await b.call("UpdateParticipantLocation", { roomId, location: { external: {} } });
  assertEquals((await stage.heard("B1"))[0], "RoomUpdated A1 0 Admin, B1 1 Member");
});

Deno.test("[transport 3.10.3] [rooms S5, 10.9.4, 10.9w4, 10.9w5, 19.11] a guest drops and rejoins under its new id", async () => {
  const { server, stage } = await scene();
  await using _ = server;
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const { projectId } = await a.call("ShareProject", {
    roomId,
    worktrees: [{ id: 1n, rootName: "app", visible: true }],
  });
  await b.call("JoinProject", { projectId });
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  await stage.silence();
  const worktrees = [{ id: 1n, scanId: 0n }];
  const rejoin = b2.send("RejoinRoom", {
    id: roomId,
    rejoinedProjects: [{ id: projectId, worktrees, repositories: [] }, {
      id: 99n,
      worktrees: [],
      repositories: [],
    }],
  });
  const answer = await b2.answer(rejoin);
  const now = "A1 0 Admin hosts 1(app), B2 1 Member";
  assertEquals(await stage.heardBy("A1", "B2"), {
    A1: [
      `RoomUpdated ${now}`,
      "UpdateProjectCollaborator 1 B1→B2",
      "UpdateContacts b online busy",
    ],
    B2: [`↩ RejoinRoomResponse ${now}`, `RoomUpdated ${now}`, "UpdateWorktree"],
  });
  const { rejoinedProjects } = answer.value as { rejoinedProjects: readonly { id: bigint }[] };
  assertEquals(rejoinedProjects.map(({ id }) => id), [projectId]);
});
