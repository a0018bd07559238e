/** Calls of channels: joining, leaving, who hears of it. [channels 7.12] [rooms 9.8] [rooms 10.6] */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { gather, ONE, subscribe } from "../support/channel_stage.ts";
import { LiveKitService } from "../support/live_kit_service.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";

const MEMBERS = 1;
const [ADMIN, MEMBER, GUEST, TALKER] = [0, 1, 2, 4];

Deno.test("[rooms 9.8, 10.6.3] [channels 7.12.3] the room comes with the first join, goes with the last leave", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const first = await a.call("JoinChannel", ONE);
  const second = await b.call("JoinChannel", ONE);
  assertEquals(first.room?.id, second.room?.id);
  assertMatch(first.room?.livekitRoom ?? "", /^channel-[A-Za-z0-9_-]{30}$/);
  await a.call("LeaveRoom", {});
  await b.call("LeaveRoom", {});
  const { actors, store } = server.server;
  await actors.journal.settled();
  assertEquals([actors.registry.rooms.size, await store.load("rooms")], [0, []]);
  const next = await a.call("JoinChannel", ONE);
  assertNotEquals(next.room?.id, first.room?.id);
  assertNotEquals(next.room?.livekitRoom, first.room?.livekitRoom);
});

Deno.test("[rooms 10.6.4, 9.8a, 9.6, 9.6h] [channels 7.13, 19r, 19s] order of what a join and a leave tell", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await a.call("JoinChannel", ONE);
  await stage.silence();
  await b.call("JoinChannel", ONE);
  const both = "A1 0 Admin, B1 1 Member";
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [`RoomUpdated ${both}`, "UpdateChannels calls 1(a,b)", "UpdateContacts b online busy"],
    B1: [
      `↩ JoinRoomResponse of 1: ${both}`,
      `RoomUpdated ${both}`,
      "UpdateChannels calls 1(a,b)",
    ],
  });
  await b.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1"), {
    A1: [
      "RoomUpdated A1 0 Admin",
      "UpdateChannels calls 1(a)",
      "UpdateContacts b online free",
    ],
    B1: ["UpdateChannels calls 1(a)", "↩ Ack"],
  });
  await b.call("LeaveRoom", {});
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [], B1: ["↩ Ack"] });
});

Deno.test("[rooms S8, 10.6.1, 10.8.3, 22e] [channels 7.12.1] another device takes the place over", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await b.call("JoinChannel", ONE);
  await a.call("JoinChannel", ONE);
  await stage.lose("A1");
  const a2 = await stage.enter("A2");
  await subscribe(stage, a2);
  await a2.call("JoinChannel", ONE);
  const without = ["RoomUpdated B1 0 Member", "UpdateChannels calls 1(b)"];
  const all = "B1 0 Member, A2 1 Admin";
  assertEquals(await stage.heardBy("A2", "B1"), {
    A2: [
      "UpdateChannels calls 1(b)",
      `↩ JoinRoomResponse of 1: ${all}`,
      `RoomUpdated ${all}`,
      "UpdateChannels calls 1(b,a)",
    ],
    B1: [
      ...without,
      "UpdateContacts a online free",
      `RoomUpdated ${all}`,
      "UpdateChannels calls 1(b,a)",
      "UpdateContacts a online busy",
    ],
  });
  clock.advance(30_000);
  assertEquals(await stage.heard("B1"), ["UpdateContacts a online busy"]);

  // A live device is evicted without a word of its own.
  const a3 = await stage.enter("A3");
  await stage.silence();
  await a3.call("CreateChannel", { name: "y" });
  await a3.call("JoinChannel", { channelId: 2n });
  assertEquals(
    (await stage.heard("A2")).filter((line) => !line.includes("y Members")),
    ["UpdateUserChannels 2 Admin", "UpdateChannels calls 1(b)", "UpdateChannels calls 2(a)"],
  );
  assertEquals((await stage.heard("B1")).slice(0, 2), without);
});

Deno.test("[channels Q-22, 7.12.1, 18q, 18aa] a join that is refused ends nothing", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await b.call("CreateChannel", { name: "private" });
  await a.call("JoinChannel", ONE);
  await stage.silence();
  await a.ask("JoinChannel", { channelId: 2n });
  await a.ask("JoinChannel", { channelId: 77n });
  assertEquals(await stage.heardBy("A1", "B1"), { A1: ["↩ Error 5", "↩ Error 1"], B1: [] });
  const { actors } = server.server;
  assertEquals(actors.presence.get(Number(a.userId)).busy, true);
});

Deno.test("[rooms 10.5.1, 10.6.3, Q-4, Q-11] [channels 7.12a] a ring into a channel's room is accepted by joining", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const b2 = await stage.enter("B2");
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: a.userId });
  await a.call("RespondToContactRequest", { requesterId: c.userId, response: 0 });
  const { room } = await a.call("JoinChannel", ONE);
  const roomId = room?.id as bigint;
  await stage.silence();

  a.send("Call", { roomId, calledUserId: b.userId });
  await stage.quiet();
  stage.displayRing("B1");
  await stage.silence();
  // Whoever subscribes sees also who is being rung.
  await subscribe(stage, c);
  b2.send("SubscribeToChannels", {});
  assertEquals(
    (await stage.heard("B2")).at(-1),
    "UpdateChannels shows 1 zed Public 1 | calls 1(a,b)",
  );
  await b.call("JoinRoom", { id: roomId });
  const both = "A1 0 Admin, B1 1 Member";
  assertEquals(await stage.heardBy("B1", "B2"), {
    B1: [
      `↩ JoinRoomResponse of 1: ${both}`,
      `RoomUpdated ${both}`,
      "UpdateChannels calls 1(a,b)",
      "CallCanceled 1",
    ],
    B2: ["UpdateChannels calls 1(a,b)", "CallCanceled 1"],
  });

  // A stranger who is rung gets the stronger of the ring's role and a guest's.
  a.send("Call", { roomId, calledUserId: c.userId });
  await stage.quiet();
  stage.displayRing("C1");
  await stage.silence();
  await c.call("JoinChannel", ONE);
  assertEquals((await stage.heard("C1"))[0], `↩ JoinRoomResponse of 1: ${both}, C1 2 Member`);
});

Deno.test("[channels 18q] [rooms 22c, 10.6.3] a ring elsewhere is in the way", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const { room } = await a.call("CreateRoom", {});
  a.send("Call", { roomId: room?.id as bigint, calledUserId: b.userId });
  await stage.quiet();
  stage.displayRing("B1");
  await stage.silence();
  await b.ask("JoinChannel", ONE);
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [], B1: ["↩ Error 0"] });
});

Deno.test("[rooms 10.5.1] [channels 7.12a] rung into a members' channel: Forbidden, the ring stays", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1", "B1");
  await a.call("SetChannelVisibility", { ...ONE, visibility: MEMBERS as number });
  const c = await stage.enter("C1");
  await c.call("RequestContact", { responderId: a.userId });
  await a.call("RespondToContactRequest", { requesterId: c.userId, response: 0 });
  const { room } = await a.call("JoinChannel", ONE);
  a.send("Call", { roomId: room?.id as bigint, calledUserId: c.userId });
  await stage.quiet();
  stage.displayRing("C1");
  await stage.silence();
  await c.ask("JoinRoom", { id: room?.id as bigint });
  assertEquals(await stage.heardBy("A1", "C1"), { A1: [], C1: ["↩ Error 5"] });
  c.send("DeclineCall", { roomId: room?.id as bigint });
  assertEquals((await stage.heard("A1"))[0], "RoomUpdated A1 0 Admin");
});

Deno.test("[rooms 19.4] [channels 1.6] join and leave sent back to back take effect in that order", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1");
  const join = a.send("JoinChannel", ONE);
  const leave = a.send("LeaveRoom", {});
  const create = a.send("CreateRoom", {});
  await Promise.all([a.answer(join), a.answer(leave)]);
  assertEquals((await a.answer(create)).name, "CreateRoomResponse");
});

/** A public channel whose host A is in the call, and B, a stranger. */
async function publicCall(server: TestServer): Promise<{
  readonly stage: Stage;
  readonly a: TestPeer;
  readonly b: TestPeer;
  readonly roomId: bigint;
}> {
  const stage = new Stage(server);
  const [a] = await gather(stage, "A1");
  const { room } = await a.call("JoinChannel", ONE);
  const b = await stage.enter("B1");
  await stage.silence();
  return { stage, a, b, roomId: room?.id as bigint };
}

Deno.test("[rooms S9, 12.4, 10.6.4, 10.11.5] [channels 7.12.4] a guest listens, and is promoted", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const { stage, a, b, roomId } = await publicCall(server);
  const answer = await b.call("JoinChannel", ONE);
  assertEquals(answer.liveKitConnectionInfo?.canPublish, false);
  const { video } = await liveKit.claims(answer.liveKitConnectionInfo?.token ?? "");
  assertEquals((video as { canPublish: boolean }).canPublish, false);
  assertEquals(await stage.heard("B1"), [
    "↩ JoinRoomResponse of 1: A1 0 Admin, B1 1 Guest",
    "UpdateUserChannels 1 Guest",
    "UpdateChannels shows 1 zed Public 1 | uninvites 1 | calls 1(a)",
    "RoomUpdated A1 0 Admin, B1 1 Guest",
    "UpdateChannels calls 1(a,b)",
  ]);
  await stage.silence();
  const setRole = (peer: TestPeer, userId: bigint, role: number) =>
    peer.ask("SetRoomParticipantRole", { roomId, userId, role });
  await setRole(a, b.userId, TALKER as number);
  const told = "RoomUpdated A1 0 Admin, B1 1 Talker";
  assertEquals(await stage.heardBy("A1", "B1"), { A1: [told, "↩ Ack"], B1: [told] });
  const call = liveKit.calls.findLast(({ method }) => method === "UpdateParticipant");
  assertEquals((call?.body.permission as { canPublish?: boolean }).canPublish, true);
  assertEquals((await setRole(a, b.userId, MEMBER as number)).name, "Ack");
  assertEquals((await setRole(a, b.userId, GUEST as number)).name, "Ack");
  assertEquals((await setRole(b, b.userId, ADMIN as number)).name, "Error");
});

Deno.test("[rooms 10.11.2, Q-3] [channels 2.6, 5.8, Q-1, 1.4] who may edit needs the agreement that the channel asks for", async () => {
  await using server = await startServer();
  const prepared = new Stage(server);
  const [host] = await gather(prepared, "A1");
  const guest = await prepared.enter("B1");
  await host.call("CreateChannel", { name: "below", parentId: 1n });
  await host.call("SetChannelVisibility", { channelId: 2n, visibility: 0 });
  const { store } = server.server;
  const [root] = await store.load("channels", { id: 1 });
  assert(root !== undefined);
  await store.commit([{
    actor: "/test",
    writes: [{ op: "put", table: "channels", row: { ...root, requires_zed_cla: true } }],
  }]);
  await server.restart();
  await Promise.all([host.closed, guest.closed]);

  const stage = new Stage(server);
  const a = await stage.enter("A2");
  const b = await stage.enter("B2");
  const { room } = await a.call("JoinChannel", { channelId: 2n });
  await b.call("JoinChannel", { channelId: 2n });
  await stage.silence();
  const setRole = (role: number) =>
    a.ask("SetRoomParticipantRole", { roomId: room?.id as bigint, userId: b.userId, role });
  assertEquals((await setRole(TALKER as number)).name, "Ack");
  const refused = await setRole(MEMBER as number) as Received<"Error">;
  assertEquals([refused.value.code, refused.value.message], [7, "NeedsCla"]);
  await server.server.store.commit([{
    actor: "/test",
    writes: [{
      op: "put",
      table: "contributors",
      row: { user_id: Number(b.userId), signed_at: 1 },
    }],
  }]);
  assertEquals((await setRole(MEMBER as number)).name, "Ack");
  assertEquals((await stage.heard("B2")).at(-1), "RoomUpdated A2 0 Admin, B2 1 Member");
});

Deno.test("[rooms 9.8a, 14.4.1] [channels 7.13] a lost member of a call stays listed for 30 s", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await a.call("JoinChannel", ONE);
  await b.call("JoinChannel", ONE);
  await stage.lose("B1");
  await stage.silence();
  clock.advance(29_999);
  assertEquals(await stage.heard("A1"), []);
  clock.advance(1);
  assertEquals((await stage.heard("A1")).slice(0, 2), [
    "RoomUpdated A1 0 Admin",
    "UpdateChannels calls 1(a)",
  ]);
});

Deno.test("[rooms 15.4b, 15.4c, 9.8a] [channels 7.13] a restart: who rejoins is told of, and who does not", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const { room } = await a.call("JoinChannel", ONE);
  await b.call("JoinChannel", ONE);
  const id = room?.id as bigint;
  await server.restart();
  await Promise.all([a.closed, b.closed]);
  const a2 = await stage.enter("A2");
  await stage.silence();
  a2.send("SubscribeToChannels", {});
  assertEquals(await stage.heard("A2"), [
    "UpdateUserChannels 1 Admin",
    "UpdateChannels shows 1 zed Public 1 | calls 1(a,b)",
  ]);
  await a2.call("RejoinRoom", { id });
  assertEquals((await stage.heard("A2")).slice(-2), [
    "RoomUpdated A2 0 Admin, B1 1 Member",
    "UpdateChannels calls 1(a,b)",
  ]);
  clock.advance(15_000);
  assertEquals((await stage.heard("A2")).slice(0, 2), [
    "RoomUpdated A2 0 Admin",
    "UpdateChannels calls 1(a)",
  ]);

  // Nobody comes back: the channel's room is kept, and is the one that the next joins.
  await server.restart();
  await a2.closed;
  clock.advance(15_000);
  const b3 = await stage.enter("B3");
  const next = await b3.call("JoinRoom", { id });
  assertEquals([next.room?.id, next.channelId, next.room?.participants.length], [id, 1n, 1]);
});

Deno.test("[channels 7.2, 18h] a channel with people in its call is not deleted, an empty room does not matter", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  await a.call("CreateChannel", { name: "below", parentId: 1n });
  await b.call("JoinChannel", { channelId: 2n });
  await stage.silence();
  await a.ask("DeleteChannel", ONE);
  await a.ask("DeleteChannel", { channelId: 2n });
  assertEquals(await stage.heardBy("A1", "B1"), { A1: ["↩ Error 0", "↩ Error 0"], B1: [] });
  await server.restart();
  await Promise.all([a.closed, b.closed]);
  clock.advance(15_000);
  const a2 = await stage.enter("A2");
  assertEquals((await a2.ask("DeleteChannel", ONE)).name, "Ack");
  const { actors, store } = server.server;
  await actors.journal.settled();
  for (const table of ["rooms", "channels", "channel_members"] as const) {
    assertEquals(await store.load(table), [], table);
  }
  assertEquals([actors.registry.rooms.size, actors.registry.channels.size], [0, 0]);
});

Deno.test("[channels 6.4] who subscribes sees who is rung into a call, too; what is pushed later names who is in it", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { a, roomId } = await ringing(stage);
  const b = stage.peer("B1");
  b.send("SubscribeToChannels", {});
  assertEquals(await stage.heard("B1"), [
    "UpdateUserChannels 1 Member",
    "UpdateChannels shows 1 zed Members 1 | calls 1(a,c)",
  ]);
  await a.call("CancelCall", { roomId, calledUserId: stage.peer("C1").userId });
  assertEquals(await stage.heard("B1"), ["UpdateContacts c online free"]);
  await b.call("JoinChannel", { channelId: 1n });
  assertEquals((await stage.heard("B1")).at(-1), "UpdateChannels calls 1(a,b)");
});

/** `A1` is in the call of channel 1, of which `B1` is a member, and rings `C1`. */
async function ringing(stage: Stage): Promise<{ a: TestPeer; roomId: bigint }> {
  const [a, b, c] = await stage.friends("A1", "B1", "C1");
  await a.call("CreateChannel", { name: "zed" });
  await a.call("InviteChannelMember", { channelId: 1n, userId: b.userId, role: 1 });
  await b.call("RespondToChannelInvite", { channelId: 1n, accept: true });
  const roomId = (await a.call("JoinChannel", { channelId: 1n })).room?.id as bigint;
  const call = a.send("Call", { roomId, calledUserId: c.userId });
  await c.next("IncomingCall");
  stage.displayRing("C1");
  await a.answer(call);
  await stage.silence();
  return { a, roomId };
}
