/** Rooms with a media server: what clients get, what the media server is told. [rooms 12] */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  DeleteRoomRequest,
  ParticipantPermission,
  RoomParticipantIdentity,
  UpdateParticipantRequest,
} from "../support/packages/livekit_protocol.ts";
import { LiveKitService } from "../support/live_kit_service.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { waitUntil } from "../support/wait_until.ts";

const ADMIN = 0;
const MEMBER = 1;
const GUEST = 2;
const BANNED = 3;
const TALKER = 4;

Deno.test("[rooms 12.3, 12.4, 10.1.1] the creator of a room gets a token to speak in it", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const stage = new Stage(server);
  const [a] = await stage.friends("A1");
  const { room, liveKitConnectionInfo } = await a.call("CreateRoom", {});
  assert(liveKitConnectionInfo !== undefined);
  assertEquals(liveKitConnectionInfo.serverUrl, liveKit.url);
  assertEquals(liveKitConnectionInfo.canPublish, true);
  const claims = await liveKit.claims(liveKitConnectionInfo.token);
  const { iat, ...rest } = claims;
  assert(Math.abs(Number(iat) - Date.now() / 1000) < 60, `${iat}`);
  const identity = String(a.userId);
  assertEquals(rest, {
    iss: liveKit.key,
    sub: identity,
    jwtid: identity,
    nbf: 0,
    exp: Number(iat) + 21_600,
    video: {
      room: room?.livekitRoom,
      roomJoin: true,
      canPublish: true,
      canSubscribe: true,
    },
  });
});

Deno.test("[rooms 12.4, Q-10] who is called in by a guest gets a token to listen only", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  await a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role: GUEST });
  const c = await stage.enter("C1");
  await b.call("RequestContact", { responderId: c.userId });
  await c.call("RespondToContactRequest", { requesterId: b.userId, response: 0 });
  await stage.silence();
  const call = b.send("Call", { roomId, calledUserId: c.userId });
  await stage.quiet();
  stage.displayRing("C1");
  await b.answer(call);
  const { liveKitConnectionInfo } = await c.call("JoinRoom", { id: roomId });
  assertEquals(liveKitConnectionInfo?.canPublish, false);
  const { video } = await liveKit.claims(liveKitConnectionInfo?.token ?? "");
  assertEquals((video as { canPublish: boolean }).canPublish, false);
});

Deno.test("[rooms 12.5, 10.11.5, 9.4] a role reaches the media server as permissions", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const room = a.all("RoomUpdated").at(-1)?.room?.livekitRoom as string;
  const identity = String(b.userId);
  for (const role of [TALKER, GUEST, ADMIN, BANNED, MEMBER]) {
    liveKit.calls.length = 0;
    await a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role });
    const [call, ...more] = liveKit.calls;
    assertEquals([call?.method, more], ["UpdateParticipant", []]);
    assertEquals(call?.grants, { roomAdmin: true, room });
    const may = role !== GUEST && role !== BANNED;
    const permission = new ParticipantPermission({
      canSubscribe: true,
      canPublish: may,
      canPublishData: may,
      hidden: false,
      recorder: false,
    });
    assertEquals(call?.body, new UpdateParticipantRequest({ room, identity, permission }));
  }
  liveKit.calls.length = 0;
  await b.call("LeaveRoom", {});
  await a.call("LeaveRoom", {});
  assertEquals(liveKit.calls, [
    {
      method: "RemoveParticipant",
      grants: { roomAdmin: true, room },
      body: new RoomParticipantIdentity({ room, identity }),
    },
    {
      method: "RemoveParticipant",
      grants: { roomAdmin: true, room },
      body: new RoomParticipantIdentity({ room, identity: String(a.userId) }),
    },
    {
      method: "DeleteRoom",
      grants: { roomCreate: true },
      body: new DeleteRoomRequest({ room }),
    },
  ]);
  assertEquals(liveKit.refused, []);
});

Deno.test("[rooms 12.6, 10.8.6] the media server is told who left, and when nobody is left", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags });
  const stage = new Stage(server);
  const { peers: [a, b] } = await stage.meet("A1", "B1");
  await b.call("LeaveRoom", {});
  await waitUntil(() => liveKit.calls.length === 1, { describe: "one call for the first leave" });
  await a.call("LeaveRoom", {});
  await waitUntil(() => liveKit.calls.length === 3, { describe: "two calls for the last leave" });
  const told = liveKit.calls.map(({ method, body }) => [method, body.identity ?? ""]);
  assertEquals(told, [
    ["RemoveParticipant", String(b.userId)],
    ["RemoveParticipant", String(a.userId)],
    ["DeleteRoom", ""],
  ]);
  assertEquals(liveKit.calls.at(-1)?.grants.roomCreate, true);
});

Deno.test("[rooms 12.6] a media server that fails or is silent delays nothing for long and fails nothing", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags, times: { media: 100 } });
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  liveKit.failWith = 500;
  await a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role: TALKER });
  liveKit.silent = true;
  await a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role: GUEST });
  await b.call("LeaveRoom", {});
  await a.call("LeaveRoom", {});
});

Deno.test("[rooms 12.1] without a media server rooms work and tell of none", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a] = await stage.friends("A1");
  const { room, liveKitConnectionInfo } = await a.call("CreateRoom", {});
  assertEquals(liveKitConnectionInfo, undefined);
  assertMatch(room?.livekitRoom ?? "", /^[A-Za-z0-9_-]{30}$/);
});
