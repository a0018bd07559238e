/** Roles of a room, and what they allow there. [rooms 9.4] [rooms 10.11] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";

const Role = { Admin: 0, Member: 1, Guest: 2, Banned: 3, Talker: 4 } as const;

Deno.test("[rooms 10.11.4, 10.11.6, 9.6d, 22h] a role is told to the room and then acknowledged", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  await a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role: Role.Talker });
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: ["RoomUpdated A1 0 Admin, B1 1 Talker", "↩ Ack"],
    B1: ["RoomUpdated A1 0 Admin, B1 1 Talker"],
  });
});

Deno.test("[rooms 10.11.1, 10.11.3] only an admin of the room sets roles, of those in it, to roles that there are", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  const a2 = await stage.enter("A2");
  await stage.silence();
  const guest = { roomId, userId: b.userId, role: Role.Guest };
  assertEquals((await b.ask("SetRoomParticipantRole", guest)).name, "Error");
  assertEquals((await c.ask("SetRoomParticipantRole", guest)).name, "Error");
  assertEquals(
    (await a.ask("SetRoomParticipantRole", { ...guest, userId: c.userId })).name,
    "Error",
  );
  assertEquals((await a.ask("SetRoomParticipantRole", { ...guest, role: 9 })).name, "Error");
  assertEquals((await a.ask("SetRoomParticipantRole", { ...guest, roomId: 99n })).name, "Error");
  assertEquals(await stage.heard("B1"), ["↩ Error 0"]);
  // The right belongs to the user, not to the connection in the room.
  assertEquals((await a2.ask("SetRoomParticipantRole", guest)).name, "Ack");
  assertEquals(await stage.heard("B1"), ["RoomUpdated A1 0 Admin, B1 1 Guest"]);
});

Deno.test("[rooms 9.4b, 10.2.2] guests share nothing and call as guests, banned ones call nobody", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  await b.call("RequestContact", { responderId: c.userId });
  await c.call("RespondToContactRequest", { requesterId: b.userId, response: 0 });
  const setRole = (role: number) =>
    a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role });
  for (const role of [Role.Guest, Role.Talker, Role.Banned]) {
    await setRole(role);
    const answer = await b.ask("ShareProject", { roomId, worktrees: [] });
    assertEquals(answer.name, "Error");
  }
  assertEquals((await b.ask("Call", { roomId, calledUserId: c.userId })).name, "Error");
  await setRole(Role.Talker);
  b.send("Call", { roomId, calledUserId: c.userId });
  await stage.quiet();
  await c.call("JoinRoom", { id: roomId });
  assertEquals(
    (await stage.heard("C1")).at(-1),
    "↩ JoinRoomResponse A1 0 Admin, B1 1 Talker, C1 2 Guest",
  );
});

Deno.test("[rooms 9.4a, 9.3] whom a member calls is a member; indexes are the smallest free ones", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1", "C1");
  const d = await stage.enter("D1");
  for (const one of [a, b]) {
    await d.call("RequestContact", { responderId: one.userId });
    await one.call("RespondToContactRequest", { requesterId: d.userId, response: 0 });
  }
  await b.call("LeaveRoom", {});
  const c = stage.peer("C1");
  await c.call("RequestContact", { responderId: d.userId });
  await d.call("RespondToContactRequest", { requesterId: c.userId, response: 0 });
  c.send("Call", { roomId, calledUserId: d.userId });
  await stage.quiet();
  await d.call("JoinRoom", { id: roomId });
  a.send("Call", { roomId, calledUserId: b.userId });
  await stage.quiet();
  await b.call("JoinRoom", { id: roomId });
  assertEquals(
    (await stage.heard("B1")).at(-1),
    "↩ JoinRoomResponse A1 0 Admin, C1 2 Member, D1 1 Member, B1 3 Member",
  );
});

Deno.test("[rooms 9.3] the index of somebody lost is not given away", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a] } = await stage.meet("A1", "B1");
  const c = await stage.enter("C1");
  await a.call("RequestContact", { responderId: c.userId });
  await c.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });
  await stage.lose("B1");
  a.send("Call", { roomId, calledUserId: c.userId });
  await stage.quiet();
  await c.call("JoinRoom", { id: roomId });
  assertEquals(
    (await stage.heard("C1")).at(-1),
    "↩ JoinRoomResponse A1 0 Admin, B1 1 Member, C1 2 Member",
  );
});
