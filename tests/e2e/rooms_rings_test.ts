/** Rings: who may be called, and all that can become of a call. [rooms 10.2] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import { waitUntil } from "../support/wait_until.ts";

Deno.test("[rooms S3, 10.2.8, 8.2b] a ring to nobody: both snapshots, both presences, Error", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  await stage.lose("B1");
  await stage.silence();
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await a.answer(call);
  assertEquals(await stage.heard("A1"), [
    "RoomUpdated A1 0 Admin | b rung by a",
    "UpdateContacts b offline busy",
    "RoomUpdated A1 0 Admin",
    "UpdateContacts b offline free",
    "↩ Error 0",
  ]);
});

Deno.test("[rooms 10.2.8, 2.7] a ring that no device shows fails with the last of them", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const b2 = await stage.enter("B2");
  const { room } = await a.call("CreateRoom", {});
  await stage.silence();
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.quiet();
  // A client that cannot show the ring answers with an Error. [rooms 2.6]
  const ring = b.received.findLast(({ name }) => name === "IncomingCall");
  b.reply(ring as { id: number }, "Error", { code: 0, message: "not handled" });
  await stage.quiet();
  assertEquals(a.answers(call), []);
  a.skip();
  await b2.close();
  assertEquals((await a.answer(call)).name, "Error");
  assertEquals(a.fresh().map(({ name }) => name), ["RoomUpdated", "UpdateContacts", "Error"]);
});

Deno.test("[rooms 10.2.8, 14.2, 8.2b] a callee who drops while it rings is told as offline", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.silence();
  await stage.lose("B1");
  await a.answer(call);
  assertEquals(await stage.heardBy("A1", "C1"), {
    A1: ["RoomUpdated A1 0 Admin", "UpdateContacts b offline free", "↩ Error 0"],
    C1: ["UpdateContacts b offline free"],
  });
});

Deno.test("[rooms S3, 10.2.1, 18a] only contacts can be called, and nobody hears of the attempt", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  await a.call("RequestContact", { responderId: c.userId });
  await stage.silence();
  // A contact that has not accepted, oneself, nobody at all.
  for (const calledUserId of [c.userId, a.userId, 4_000n, 1n << 63n]) {
    assertEquals((await a.ask("Call", { roomId, calledUserId })).name, "Error");
  }
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["↩ Error 0", "↩ Error 0", "↩ Error 0", "↩ Error 0"],
    B1: [],
    C1: [],
  });
});

Deno.test("[rooms S1, S12, 10.2.2, 10.1.2, 9.2, 9.2a, 22c] who has a seat can neither be called nor create a room", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b, c] } = await stage.meet("A1", "B1", "C1");
  const d = await stage.enter("D1");
  await d.call("RequestContact", { responderId: b.userId });
  await b.call("RespondToContactRequest", { requesterId: d.userId, response: 0 });
  const other = await d.call("CreateRoom", {});
  const b2 = await stage.enter("B2");
  await stage.silence();
  const otherId = other.room?.id as bigint;
  assertEquals((await d.ask("Call", { roomId: otherId, calledUserId: b.userId })).name, "Error");
  assertEquals((await a.ask("Call", { roomId, calledUserId: b.userId })).name, "Error");
  assertEquals((await b.ask("CreateRoom", {})).name, "Error");
  assertEquals((await b2.ask("CreateRoom", {})).name, "Error");
  assertEquals(await stage.heardBy("A1", "B1", "C1", "D1"), {
    A1: ["↩ Error 0"],
    B1: ["↩ Error 0"],
    C1: [],
    D1: ["↩ Error 0"],
  });
  await b.call("LeaveRoom", {});
  const call = d.send("Call", { roomId: otherId, calledUserId: b.userId });
  await stage.quiet();
  stage.displayRing("B2");
  assertEquals((await d.answer(call)).name, "Ack");
  // Rung users neither create, call, nor are rung twice. [rooms Q-7]
  assertEquals((await b.ask("CreateRoom", {})).name, "Error");
  assertEquals(
    (await b.ask("Call", { roomId: otherId, calledUserId: c.userId })).name,
    "Error",
  );
  assertEquals((await a.ask("Call", { roomId, calledUserId: b.userId })).name, "Error");
  assertEquals((await d.ask("Call", { roomId: otherId, calledUserId: b.userId })).name, "Error");
});

Deno.test("[rooms Q-7, 10.2.2] who is only rung cannot call a friend into the room", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b, c] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  a.send("Call", { roomId, calledUserId: b.userId });
  await stage.silence();
  assertEquals((await b.ask("Call", { roomId, calledUserId: c.userId })).name, "Error");
  assertEquals(await stage.heardBy("A1", "C1"), { A1: [], C1: [] });
});

Deno.test("[rooms 10.3, 8.2c, 19.8] a cancelled call: snapshot, end of ringing, Ack, presence", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  const call = a.send("Call", { roomId, calledUserId: b.userId });
  await stage.silence();
  await a.call("CancelCall", { roomId, calledUserId: b.userId });
  assertEquals(await stage.heardBy("A1", "B1", "C1"), {
    A1: ["RoomUpdated A1 0 Admin", "↩ Ack", "UpdateContacts b online free"],
    B1: ["CallCanceled 1"],
    C1: ["UpdateContacts b online free"],
  });
  // The call itself waits for the device still. [rooms 10.2.7]
  stage.displayRing("B1");
  assertEquals((await a.answer(call)).name, "Ack");
  assertEquals(await stage.heardBy("A1", "B1"), { A1: ["↩ Ack"], B1: [] });
});

Deno.test("[rooms 10.3, Q-9, 9.2] a call is cancelled by its caller only, from whatever connection", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  await a.call("RequestContact", { responderId: c.userId });
  await c.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  a.send("Call", { roomId, calledUserId: c.userId });
  const a2 = await stage.enter("A2");
  await stage.silence();
  const call = { roomId, calledUserId: c.userId };
  assertEquals((await b.ask("CancelCall", call)).name, "Error");
  assertEquals((await a.ask("CancelCall", { roomId, calledUserId: b.userId })).name, "Error");
  assertEquals((await a2.ask("CancelCall", call)).name, "Ack");
  assertEquals((await a2.ask("CancelCall", call)).name, "Error");
  assertEquals(await stage.heard("C1"), ["CallCanceled 1"]);
});

Deno.test("[rooms Q-8] an old ring that fails leaves a newer seat alone", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  const call = { roomId: room?.id as bigint, calledUserId: b.userId };
  const first = a.send("Call", call);
  await stage.quiet();
  const ring = b.received.findLast(({ name }) => name === "IncomingCall") as { id: number };
  await a.call("CancelCall", call);
  const second = a.send("Call", call);
  await stage.silence();
  b.reply(ring, "Error", { code: 0, message: "not handled" });
  assertEquals((await a.answer(first)).name, "Error");
  assertEquals((await stage.heard("A1")).filter((line) => line.startsWith("Room")), [
    "RoomUpdated A1 0 Admin | b rung by a",
  ]);
  stage.displayRing("B1");
  assertEquals((await a.answer(second)).name, "Ack");
  assertEquals((await b.ask("JoinRoom", { id: call.roomId })).name, "JoinRoomResponse");
});

Deno.test("[rooms S2, 10.2.6, 10.2.7, 7a, 7e, 7f, 10.5.2, 22b] two devices ring, one takes the call", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const b2 = await stage.enter("B2");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  await stage.silence();
  const call = a.send("Call", { roomId, calledUserId: b.userId });
  const ringing = ["IncomingCall 1 by a with a"];
  assertEquals(await stage.heardBy("B1", "B2"), { B1: ringing, B2: ringing });
  stage.displayRing("B2");
  assertEquals((await a.answer(call)).name, "Ack");
  stage.displayRing("B1");
  await stage.quiet();
  assertEquals(a.answers(call).length, 1);
  await stage.silence();
  await b.call("JoinRoom", { id: roomId });
  assertEquals(await stage.heardBy("A1", "B1", "B2"), {
    A1: ["RoomUpdated A1 0 Admin, B1 1 Member", "UpdateContacts b online busy"],
    B1: [
      "RoomUpdated A1 0 Admin, B1 1 Member",
      "CallCanceled 1",
      "↩ JoinRoomResponse A1 0 Admin, B1 1 Member",
    ],
    B2: ["CallCanceled 1"],
  });
  assertEquals((await b2.ask("JoinRoom", { id: roomId })).name, "Error");
  await a.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  assertEquals(await stage.heard("B2"), ["↩ Error 0"]);
});

Deno.test("[rooms S2, 10.4, 8.2c, 6.6] a declined call stops on all devices, without an answer", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1", "C1");
  await stage.enter("B2");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  const call = a.send("Call", { roomId, calledUserId: b.userId });
  await stage.quiet();
  stage.displayRing("B2");
  await a.answer(call);
  await stage.silence();
  b.send("DeclineCall", { roomId });
  assertEquals(await stage.heardBy("A1", "B1", "B2", "C1"), {
    A1: ["RoomUpdated A1 0 Admin", "UpdateContacts b online free"],
    B1: ["CallCanceled 1"],
    B2: ["CallCanceled 1"],
    C1: ["UpdateContacts b online free"],
  });
  // Nothing is left to decline, here or elsewhere. [rooms 22a]
  b.send("DeclineCall", { roomId });
  b.send("DeclineCall", { roomId: 99n });
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [], B1: [] });
});

Deno.test("[rooms S2, 10.8a, 10.8.4, 10.8.5, 8.2d, 19.10] a caller who leaves stops the ringing", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1", "C1");
  await stage.enter("B2");
  const { room } = await a.call("CreateRoom", {});
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.silence();
  await a.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1", "B2", "C1"), {
    A1: ["UpdateContacts b online free", "↩ Ack"],
    B1: ["CallCanceled 1", "UpdateContacts a online free"],
    B2: ["CallCanceled 1", "UpdateContacts a online free"],
    // Presence of leaver and callee comes in any order.
    C1: ["UpdateContacts b online free", "UpdateContacts a online free"],
  });
  assertEquals(server.server.actors.registry.rooms.size, 0);
  // The device answers what no longer rings, and the call gets its answer. [rooms 10.2.7]
  stage.displayRing("B1");
  assertEquals((await a.answer(call)).name, "Ack");
});

Deno.test("[rooms S2, 4.2f, 2.6] a connection opened while it rings is told of the call", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.silence();
  const b2 = await stage.enter("B2");
  await stage.quiet();
  assertEquals(b2.received.map(({ name }) => name), ["Hello", "UpdateContacts", "IncomingCall"]);
  // One-way: its Ack is an answer to nothing.
  stage.displayRing("B2");
  await stage.quiet();
  assertEquals(a.answers(call), []);
  stage.displayRing("B1");
  assertEquals((await a.answer(call)).name, "Ack");
});

Deno.test("[rooms 5.6] a caller that vanishes while it rings leaves the ring until its grace ends", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.silence();
  await stage.lose("A1");
  const ring = b.received.findLast(({ name }) => name === "IncomingCall") as { id: number };
  b.reply(ring, "Error", { code: 0, message: "not handled" });
  assertEquals(await stage.heard("B1"), []);
  assertEquals((await b.ask("JoinRoom", { id: room?.id as bigint })).name, "JoinRoomResponse");
});

Deno.test("[design 1.4] [transport 2.6.4] [rooms 10.2.7, 5.4, 5.5] a call that waits for its callee holds up nobody", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b, c] = await stage.friends("A1", "B1", "C1");
  const { room } = await a.call("CreateRoom", {});
  const roomId = room?.id as bigint;
  const first = a.send("Call", { roomId, calledUserId: b.userId });
  const second = a.send("Call", { roomId, calledUserId: c.userId });
  const location = a.send("UpdateParticipantLocation", { roomId, location: { external: {} } });
  assertEquals((await a.answer(location)).name, "Ack");
  await stage.quiet();
  stage.displayRing("C1");
  assertEquals((await a.answer(second)).name, "Ack");
  assertEquals(a.answers(first), []);
  stage.displayRing("B1");
  assertEquals((await a.answer(first)).name, "Ack");
});

Deno.test("[rooms 10.2.2, 5.4] a call into a room that ends while the callee's account is read is answered", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  await stage.lose("B1");
  clock.advance(server.server.actors.times.reconnectGrace);
  const { registry } = server.server.actors;
  // The callee's actor has gone to rest and must be read back: the leave overtakes the call.
  await waitUntil(() => !registry.users.has(Number(b.userId)), { describe: "the callee's rest" });
  const { room } = await a.call("CreateRoom", {});
  const call = a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  a.send("LeaveRoom", {});
  assertEquals((await a.answer(call)).name, "Error");
  await stage.enter("B2");
  assertEquals((await stage.peer("B2").ask("CreateRoom", {})).name, "CreateRoomResponse");
});
