/** Entering the call of a channel: who may, as what, and what the room tells. [rooms 10.6] */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { befriend } from "../support/call.ts";
import { gather, ONE } from "../support/channel_stage.ts";
import { LiveKitService } from "../support/live_kit_service.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";
import { waitUntil } from "../support/wait_until.ts";

const Visibility = { Public: 0, Members: 1 } as const;
const Role = { Admin: 0, Member: 1, Guest: 2, Banned: 3, Talker: 4 } as const;

/** Code of the `Error` that answers; fails for any other answer. */
async function refusal(answer: Promise<Received>): Promise<number> {
  const { name, value } = await answer;
  assertEquals(name, "Error");
  return (value as Received<"Error">["value"]).code;
}

/** The role that a join's answer shows the joiner in. */
async function roleAfterJoin(peer: TestPeer): Promise<number | undefined> {
  const { room } = await peer.call("JoinChannel", ONE);
  return room?.participants.find(({ userId }) => userId === peer.userId)?.role;
}

Deno.test("[rooms 10.6.2, 6.7] a role, an invitation or a public channel lets in; else Forbidden", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, member] = await gather(stage, "A1", "B1");
  const [invited, stranger, banned] = await stage.friends("C1", "D1", "E1");
  await a.call("SetChannelVisibility", { ...ONE, visibility: Visibility.Members });
  await a.call("InviteChannelMember", { ...ONE, userId: invited.userId, role: Role.Talker });
  await a.call("InviteChannelMember", { ...ONE, userId: banned.userId, role: Role.Banned });
  await banned.call("RespondToChannelInvite", { ...ONE, accept: true });
  const setVisibility = (visibility: number) =>
    a.call("SetChannelVisibility", { ...ONE, visibility });

  assertEquals(await roleAfterJoin(member), Role.Member);
  assertEquals(await refusal(stranger.ask("JoinChannel", ONE)), 5);
  assertEquals(await refusal(banned.ask("JoinChannel", ONE)), 5);
  assertEquals(await refusal(stranger.ask("JoinChannel", { channelId: 99n })), 1);
  // A talker does not see a members' channel; where he does, joining accepts the invitation.
  assertEquals(await refusal(invited.ask("JoinChannel", ONE)), 5);
  await setVisibility(Visibility.Public);
  assertEquals(await roleAfterJoin(invited), Role.Talker);
  assertEquals(await refusal(banned.ask("JoinChannel", ONE)), 5);
  // A stranger is a guest from now on: the membership is the channel's.
  assertEquals(await roleAfterJoin(stranger), Role.Guest);
  const { members } = await a.call("GetChannelMembers", { ...ONE, query: "", limit: 10n });
  assertEquals(members.find(({ userId }) => userId === stranger.userId)?.role, Role.Guest);
});

Deno.test("[rooms 9.4c, Q-4] joining a channel gives its role, accepting a ring what the ring gives if that is more", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [admin, member, rung] = await gather(stage, "A1", "B1", "C1");
  const stranger = await stage.enter("D1");
  const { room } = await admin.call("JoinChannel", ONE);
  assertEquals(room?.participants.map(({ role }) => role), [Role.Admin]);
  assertEquals(await roleAfterJoin(member), Role.Member);
  assertEquals(await roleAfterJoin(stranger), Role.Guest);
  await admin.call("SetChannelMemberRole", { ...ONE, userId: rung.userId, role: Role.Guest });
  const roomId = room?.id as bigint;
  admin.send("Call", { roomId, calledUserId: rung.userId });
  await stage.quiet();
  stage.displayRing("C1");
  await stage.silence();
  assertEquals(await roleAfterJoin(rung), Role.Member);
  await rung.call("LeaveRoom", {});
  assertEquals(await roleAfterJoin(rung), Role.Guest);
  await rung.call("LeaveRoom", {});
  // Whom a guest calls is called as a guest: here the channel's role is more.
  await admin.call("SetChannelMemberRole", { ...ONE, userId: rung.userId, role: Role.Talker });
  await befriend(stranger, rung);
  stranger.send("Call", { roomId, calledUserId: rung.userId });
  await stage.quiet();
  stage.displayRing("C1");
  await stage.silence();
  assertEquals(await roleAfterJoin(rung), Role.Talker);
});

Deno.test("[rooms 10.11a] a role that was set in a room lasts until its holder leaves, and is no role of the channel", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const { room } = await a.call("JoinChannel", ONE);
  await b.call("JoinChannel", ONE);
  const roomId = room?.id as bigint;
  await a.call("SetRoomParticipantRole", { roomId, userId: b.userId, role: Role.Guest });
  const { members } = await a.call("GetChannelMembers", { ...ONE, query: "", limit: 10n });
  assertEquals(members.find(({ userId }) => userId === b.userId)?.role, Role.Member);
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  await b2.call("RejoinRoom", { id: roomId });
  assertEquals((await stage.heard("B2")).at(-1), "RoomUpdated A1 0 Admin, B2 1 Guest");
  await b2.call("LeaveRoom", {});
  assertEquals(await roleAfterJoin(b2), Role.Member);
});

Deno.test("[rooms 10.9w6] a rejoined call tells the channel's people behind the projects, before the contacts", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const { room } = await a.call("JoinChannel", ONE);
  await b.call("JoinChannel", ONE);
  const roomId = room?.id as bigint;
  const worktrees = [{ id: 1n, rootName: "app", visible: true }];
  const { projectId } = await a.call("ShareProject", { roomId, worktrees });
  await b.call("JoinProject", { projectId });
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  b2.send("SubscribeToChannels", {});
  await stage.silence();
  const known = { id: projectId, worktrees: [], repositories: [] };
  await b2.call("RejoinRoom", { id: roomId, rejoinedProjects: [known] });
  const now = "A1 0 Admin hosts 1(app), B2 1 Member";
  assertEquals(await stage.heardBy("A1", "B2"), {
    A1: [
      `RoomUpdated ${now}`,
      "UpdateProjectCollaborator 1 B1→B2",
      "UpdateChannels calls 1(a,b)",
      "UpdateContacts b online busy",
    ],
    B2: [
      `↩ RejoinRoomResponse ${now}`,
      `RoomUpdated ${now}`,
      "UpdateWorktree",
      "UpdateChannels calls 1(a,b)",
    ],
  });
});

Deno.test("[rooms Q-13, 10.8.1, 10.6.1] whoever takes the place over is removed from projects under the id that the others know", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const { room } = await a.call("JoinChannel", ONE);
  await b.call("JoinChannel", ONE);
  const roomId = room?.id as bigint;
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  await stage.silence();
  await b2.call("JoinChannel", ONE);
  assertEquals((await stage.heard("A1")).slice(0, 2), [
    "RemoveProjectCollaborator 1 B1",
    "RoomUpdated A1 0 Admin hosts 1()",
  ]);
  await b2.call("JoinProject", { projectId });
  assertEquals(
    stage.peer("A1").all("AddProjectCollaborator").at(-1)?.collaborator?.peerId,
    b2.peerId,
  );
});

Deno.test("[rooms Q-6, 19.5, 19.6] people who join a channel's call at the same time are told of in one order", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b, ...others] = await gather(stage, "A1", "B1", "C1", "D1", "E1", "F1");
  const { room } = await a.call("JoinChannel", ONE);
  await b.call("JoinChannel", ONE);
  const roomId = room?.id as bigint;
  await stage.silence();
  const project = (round: number) => ({ sharedProject: { id: BigInt(round) } });
  for (let round = 1; round <= 10; round++) {
    for (const peer of others) {
      peer.send("JoinChannel", ONE);
      peer.send("UpdateParticipantLocation", { roomId, location: project(round) });
      peer.send("LeaveRoom", {});
    }
    a.send("UpdateParticipantLocation", { roomId, location: project(round) });
  }
  for (const peer of others) peer.send("JoinChannel", ONE);
  const told = await stage.heardBy("A1", "B1", "C1");
  const snapshots = (lines: readonly string[]) =>
    lines.filter((line) => line.startsWith("RoomUpdated"));
  assert(snapshots(told.A1).length >= 10 + 2 * 10 * others.length);
  assertEquals(snapshots(told.B1), snapshots(told.A1));
  // Who comes and goes sees a part of the same sequence, and its answers fit in.
  let at = 0;
  for (const line of told.C1) {
    const [, snapshot] = line.match(/^(?:RoomUpdated|↩ JoinRoomResponse of 1:) (.*)$/) ?? [];
    if (snapshot === undefined) continue;
    const next = told.A1.indexOf(`RoomUpdated ${snapshot}`, at);
    assert(next >= at, `older than what was told before: ${line}`);
    at = next;
  }
});

Deno.test("[rooms 15.4f, 12.6, 15.4b] the cleanup ends empty calls on the media server, and puts nobody out of it", async () => {
  const clock = new SteppedClock();
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags, parts: { clock } });
  const stage = new Stage(server);
  const [a, b] = await gather(stage, "A1", "B1");
  const [c, d] = await stage.friends("C1", "D1");
  const channel = await b.call("JoinChannel", ONE);
  const ofOne = await a.call("CreateRoom", {});
  const ofTwo = await c.call("CreateRoom", {});
  c.send("Call", { roomId: ofTwo.room?.id as bigint, calledUserId: d.userId });
  await stage.quiet();
  stage.displayRing("D1");
  await d.call("JoinRoom", { id: ofTwo.room?.id as bigint });
  await server.restart();
  liveKit.calls.length = 0;
  const back = await stage.enter("C2");
  await back.call("RejoinRoom", { id: ofTwo.room?.id as bigint });
  clock.advance(15_000);
  assertEquals((await stage.heard("C2")).at(-2), "RoomUpdated C2 0 Admin");
  await waitUntil(() => liveKit.calls.length >= 2, { describe: "both rooms to end" });
  assertEquals(
    liveKit.calls.map(({ method, body }) => `${method} ${body.room}`).sort(),
    [channel, ofOne].map(({ room }) => `DeleteRoom ${room?.livekitRoom}`).sort(),
  );
});

Deno.test("[rooms 19.10, 10.7] a leave is acknowledged when the media server has been told", async () => {
  await using liveKit = new LiveKitService();
  await using server = await startServer({ flags: liveKit.flags, times: { media: 2_000 } });
  const stage = new Stage(server);
  const { peers: [a, b] } = await stage.meet("A1", "B1");
  const told = () => liveKit.calls.map(({ method }) => method);
  assertEquals((await b.ask("LeaveRoom", {})).name, "Ack");
  assertEquals(told(), ["RemoveParticipant"]);
  // A silent one delays the Ack for as long as a call may take, and nothing else.
  liveKit.silent = true;
  const leave = a.send("LeaveRoom", {});
  const create = a.send("CreateRoom", {});
  assertEquals((await a.answer(create)).name, "CreateRoomResponse");
  assertEquals((await a.answer(leave)).name, "Ack");
  const answers = a.received.map(({ respondingTo }) => respondingTo);
  assert(answers.indexOf(create) < answers.indexOf(leave), "an Ack too early");
  assertEquals(told(), ["RemoveParticipant", "RemoveParticipant", "DeleteRoom"]);
});

Deno.test("[rooms 6.7] what else is refused in rooms is Internal", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const [, stranger] = await gather(stage, "C1", "D1");
  const location = { external: {} };
  const refused: readonly Promise<Received>[] = [
    a.ask("CreateRoom", {}),
    a.ask("JoinRoom", { id: roomId }),
    a.ask("Call", { roomId, calledUserId: b.userId }),
    a.ask("Call", { roomId, calledUserId: stranger.userId }),
    a.ask("CancelCall", { roomId, calledUserId: b.userId }),
    a.ask("UpdateParticipantLocation", { roomId }),
    a.ask("SetRoomParticipantRole", { roomId, userId: stranger.userId, role: Role.Guest }),
    a.ask("Follow", { roomId, leaderId: stranger.peerId }),
    a.ask("JoinProject", { projectId: 99n }),
    a.ask("RejoinRoom", { id: roomId, resharedProjects: [{ projectId: 99n, worktrees: [] }] }),
    b.ask("SetRoomParticipantRole", { roomId, userId: a.userId, role: Role.Guest }),
    stranger.ask("JoinRoom", { id: roomId }),
    stranger.ask("RejoinRoom", { id: roomId }),
    stranger.ask("ShareProject", { roomId, worktrees: [] }),
    stranger.ask("UpdateParticipantLocation", { roomId, location }),
    stranger.ask("UpdateParticipantLocation", { roomId: 99n, location }),
  ];
  for (const answer of refused) assertEquals(await refusal(answer), 0);
  await stage.silence();
});

Deno.test("[rooms 7c] clients of any version meet in a room; a refused join alone names their versions", async () => {
  await using server = await startServer();
  const scenes: string[][] = [];
  for (const [index, version] of ["0.191.0", "1.12.0"].entries()) {
    const stage = new Stage(server);
    const names = [`${"ac"[index]}1`, `${"bd"[index]}1`].map((name) => name.toUpperCase());
    const [host, guest] = [
      await stage.enter(names[0]!, { version }),
      await stage.enter(names[1]!, { version: "0.200.1" }),
    ];
    await host.call("RequestContact", { responderId: guest.userId });
    await guest.call("RespondToContactRequest", { requesterId: host.userId, response: 0 });
    await stage.silence();
    const { room } = await host.call("CreateRoom", {});
    const roomId = room?.id as bigint;
    host.send("Call", { roomId, calledUserId: guest.userId });
    await stage.quiet();
    stage.displayRing(names[1]!);
    await guest.call("JoinRoom", { id: roomId });
    const worktrees = [{ id: 1n, rootName: "app", visible: true }];
    const share = { roomId, worktrees, features: ["same"] };
    const { projectId } = await host.call("ShareProject", share);
    await guest.call("JoinProject", { projectId, features: ["same"] });
    await guest.call("LeaveRoom", {});
    await host.call("LeaveRoom", {});
    const told = [...await stage.heard(names[0]!), ...await stage.heard(names[1]!)];
    const plain = told.map((line) =>
      line.replaceAll(/\b[abcd](?=1?\b)/gi, (one) => /[ac]/i.test(one) ? "H" : "G")
        .replaceAll(`UnshareProject ${projectId}`, "UnshareProject P")
        .replaceAll(/\d+\(app\)/g, "P(app)").replaceAll(/(Canceled|Call|Collaborator) \d+/g, "$1 N")
    );
    scenes.push(plain);
  }
  assertEquals(scenes[0], scenes[1]);
  assert((scenes[0] as string[]).length > 10);

  const stage = new Stage(server);
  const { roomId, peers: [host, guest] } = await stage.meet("E1", "F1");
  const outsider = await stage.enter("G1");
  const { projectId } = await host.call("ShareProject", { roomId, worktrees: [], features: ["x"] });
  const refused = await guest.ask("JoinProject", { projectId }) as Received<"Error">;
  assertMatch(refused.value.message, /from Zed \d+\.\d+\.\d+ .* use Zed \d+\.\d+\.\d+/);
  // Only those who may read the project learn what its host runs.
  const stranger = await outsider.ask("JoinProject", { projectId }) as Received<"Error">;
  assertEquals(stranger.value.message.includes("Zed"), false);
});
