/** Calls, step by step: what every connection is told, in its order. [rooms 21] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

Deno.test("[rooms S1, 10.1, 10.1.3, 10.1.4, 9.4a, 9.6g] a new room is told to its creator, then to the contacts", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  assertEquals(room?.livekitRoom.length, 30);
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["↩ CreateRoomResponse A1 0 Admin"],
    B1: ["UpdateContacts a online busy"],
    C1: ["UpdateContacts a online busy"],
  });
});

Deno.test("[rooms S1, 10.2.3, 10.2.4, 10.2.5, 8.1, 8.2b, 10.2a, 18a, 19.7, 19.15, 9.5b, 9.6a] a call: pending seat, presence, ring, Ack", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  const { projectId } = await a.call("ShareProject", {
    roomId,
    worktrees: [{ id: 1n, rootName: "app", visible: true }, { id: 2n, rootName: "hidden" }],
  });
  assertEquals((await stage.heard("A1")).slice(1), [
    "↩ ShareProjectResponse",
    "RoomUpdated A1 0 Admin hosts 1(app)",
  ]);
  await stage.silence();
  const call = a.send("Call", { roomId, calledUserId: b.userId, initialProjectId: projectId });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [
      "RoomUpdated A1 0 Admin hosts 1(app) | b rung by a for 1",
      "UpdateContacts b online busy",
    ],
    B1: ["IncomingCall 1 by a with a for 1(app)"],
    C1: ["UpdateContacts b online busy"],
  });
  const { users } = await b.call("GetUsers", { userIds: [a.userId] });
  assertEquals(users.map(({ githubLogin }) => githubLogin), ["a"]);
  stage.displayRing("B1");
  await a.answer(call);
  assertEquals(await stage.heard("A1"), ["↩ Ack"]);
});

Deno.test("[rooms 10.2.6] a ring names a project only while a participant shares it", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1");
  const b = await stage.enter("B1");
  await a.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  await stage.silence();
  a.send("Call", { roomId, calledUserId: b.userId, initialProjectId: 77n });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["RoomUpdated A1 0 Admin | b rung by a for 77", "UpdateContacts b online busy"],
    B1: ["IncomingCall 1 by a with a"],
  });
});

Deno.test("[rooms S1, 10.5.3, 10.5.4, 9.3, 9.4a, 9.6b, 19.6, 19.15] taking a call: snapshot, end of ringing, answer, presence", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  a.send("Call", { roomId, calledUserId: b.userId });
  await stage.silence();
  const join = b.send("JoinRoom", { id: roomId });
  const answer = await b.answer(join);
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["RoomUpdated A1 0 Admin, B1 1 Member", "UpdateContacts b online busy"],
    B1: [
      "RoomUpdated A1 0 Admin, B1 1 Member",
      "CallCanceled 1",
      "↩ JoinRoomResponse A1 0 Admin, B1 1 Member",
    ],
    C1: ["UpdateContacts b online busy"],
  });
  const response = answer.value as { channelId?: bigint; liveKitConnectionInfo?: unknown };
  assertEquals([response.channelId, response.liveKitConnectionInfo], [undefined, undefined]);
});

Deno.test("[rooms S1, 10.12, 9.6d] a location is told to all and then acknowledged", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1", "C1");
  await a.call("UpdateParticipantLocation", { roomId, location: { sharedProject: { id: 5n } } });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["RoomUpdated A1 0 Admin in 5, B1 1 Member, C1 2 Member", "↩ Ack"],
    B1: ["RoomUpdated A1 0 Admin in 5, B1 1 Member, C1 2 Member"],
  });
  await b.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await a.call("UpdateParticipantLocation", { roomId, location: { external: {} } });
  assertEquals(await stage.heard("C1"), [
    "RoomUpdated A1 0 Admin in 5, B1 1 Member, C1 2 Member",
    "RoomUpdated A1 0 Admin in 5, B1 1 Member in own, C1 2 Member",
    "RoomUpdated A1 0 Admin, B1 1 Member in own, C1 2 Member",
  ]);
});

Deno.test("[rooms 10.12a, 6.2] a location without variant, of another room or of another connection is refused", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  const a2 = await stage.enter("A2");
  await stage.silence();
  const external = { external: {} };
  assertEquals((await a.ask("UpdateParticipantLocation", { roomId })).name, "Error");
  assertEquals((await a.ask("UpdateParticipantLocation", { roomId, location: {} })).name, "Error");
  const elsewhere = { roomId: 99n, location: external };
  assertEquals((await a.ask("UpdateParticipantLocation", elsewhere)).name, "Error");
  const other = { roomId, location: external };
  assertEquals((await a2.ask("UpdateParticipantLocation", other)).name, "Error");
  assertEquals(await stage.heardBy("A1", "A2", "B1"), {
    A1: ["↩ Error 0", "↩ Error 0", "↩ Error 0"],
    A2: ["↩ Error 0"],
    B1: [],
  });
});

Deno.test("[rooms S1, 10.7, 10.8, 8.2d, 9.6c, 19.10, Q-5] leaving: projects, snapshot, presence, Ack", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  await stage.enter("C1").then(async (c) => {
    await c.call("RequestContact", { responderId: b.userId });
    await b.call("RespondToContactRequest", { requesterId: c.userId, response: 0 });
  });
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  await stage.silence();
  await b.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: [
      "RemoveProjectCollaborator 1 B1",
      "RoomUpdated A1 0 Admin hosts 1()",
      "UpdateContacts b online free",
    ],
    B1: ["↩ Ack"],
    C1: ["UpdateContacts b online free"],
  });
  assertEquals(a.all("RoomUpdated").at(-1)?.room?.livekitRoom.length, 30);
});

Deno.test("[rooms S1, 10.8.1, 10.8b] a host that leaves unshares first", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  await stage.silence();
  await a.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack"],
    B1: ["UnshareProject 1", "RoomUpdated B1 1 Member", "UpdateContacts a online free"],
  });
});

Deno.test("[rooms S1, 10.8d, 22i] the last one to leave ends the room", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1");
  const b = await stage.enter("B1");
  await a.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await stage.silence();
  a.send("UnshareProject", { projectId });
  await a.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["RoomUpdated A1 0 Admin", "↩ Ack"],
    B1: ["UpdateContacts a online free"],
  });
  const { registry, journal } = server.server.actors;
  assertEquals([registry.rooms.size, registry.projects.size], [0, 0]);
  await journal.settled();
  assertEquals(await server.server.store.load("rooms"), []);
  assertEquals(await server.server.store.load("room_participants"), []);
});

Deno.test("[rooms 10.7a, 19.4] requests sent back to back take effect in that order", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { peers: [a] } = await stage.meet("A1", "B1");
  a.send("LeaveRoom", {});
  const create = a.send("CreateRoom", {});
  assertEquals((await a.answer(create)).name, "CreateRoomResponse");
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["↩ Ack", "↩ CreateRoomResponse A1 0 Admin"],
    B1: [
      "RoomUpdated B1 1 Member",
      "UpdateContacts a online free",
      "UpdateContacts a online busy",
    ],
  });
});

Deno.test("[rooms 10.7, 10.8e] leaving without a seat, or by another connection, is acknowledged and nothing else", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  await stage.meet("A1", "B1");
  const a2 = await stage.enter("A2");
  const c = await stage.enter("C1");
  await stage.silence();
  await a2.call("LeaveRoom", {});
  await c.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "A2", "B1", "C1"), {
    A1: [],
    A2: ["↩ Ack"],
    B1: [],
    C1: ["↩ Ack"],
  });
});

Deno.test("[rooms 10.8.2, 10.8.4, 19.10, 19.15] those who stay see one snapshot without leaver and rings", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  for (const one of [a, b]) {
    await c.call("RequestContact", { responderId: one.userId });
    await one.call("RespondToContactRequest", { requesterId: c.userId, response: 0 });
  }
  a.send("Call", { roomId, calledUserId: c.userId });
  await stage.silence();
  await a.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["UpdateContacts c online free", "↩ Ack"],
    B1: [
      "RoomUpdated B1 1 Member",
      "UpdateContacts c online free",
      "UpdateContacts a online free",
    ],
    C1: ["CallCanceled 1", "UpdateContacts a online free"],
  });
});

Deno.test("[rooms 10.5.2, 22a] nobody enters a call room uninvited", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  await stage.silence();
  assertEquals((await c.ask("JoinRoom", { id: roomId })).name, "Error");
  assertEquals((await c.ask("JoinRoom", { id: 99n })).name, "Error");
  assertEquals((await a.ask("JoinRoom", { id: roomId })).name, "Error");
  assertEquals((await c.ask("RejoinRoom", { id: roomId })).name, "Error");
  c.send("DeclineCall", { roomId });
  const role = { roomId, userId: c.userId, role: 1 };
  assertEquals((await a.ask("SetRoomParticipantRole", role)).name, "Error");
  assertEquals(await stage.heard("B1"), []);
});
