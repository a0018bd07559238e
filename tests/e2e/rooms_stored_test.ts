/** A room after a start is the room that was told before it. [rooms 9.1] [rooms 15.7] */
import { assertEquals } from "@std/assert";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import type { TestPeer } from "../support/test_peer.ts";

const GUEST = 2;
const TALKER = 4;

function answerFollowers(...peers: readonly TestPeer[]): void {
  for (const peer of peers) peer.on("Follow", (asked) => peer.reply(asked, "FollowResponse", {}));
}

Deno.test("[rooms 15.7, 9.1, 9.2, 9.3, 9.5c, 10.11.3, 10.12, 11.1, 11.2, 16] [projects 12.6, 13.2, 13.3d] seats, roles, places, rings, followers and projects are stored as they were told", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b, c, gone, f] } = await stage.meet(
    ...["A1", "B1", "C1", "E1", "F1"] as const,
  );
  const d = await stage.enter("D1");
  await a.call("RequestContact", { responderId: d.userId });
  await d.call("RespondToContactRequest", { requesterId: a.userId, response: 0 });

  // Projects: A hosts one, C one and another that is over; B leaves C's.
  const worktrees = [{ id: 100n, rootName: "app", visible: true }];
  const { projectId } = await a.call("ShareProject", { roomId, worktrees });
  const shared = [];
  for (let index = 0; index < 2; index++) {
    shared.push((await c.call("ShareProject", { roomId, worktrees: [] })).projectId);
  }
  const [own, over] = shared as [bigint, bigint];
  for (const guest of [b, c, gone, f]) await guest.call("JoinProject", { projectId });
  for (const guest of [a, b, f]) await guest.call("JoinProject", { projectId: own });
  c.send("UnshareProject", { projectId: over });
  b.send("LeaveProject", { projectId: own });
  await gone.call("LeaveRoom", {});
  await stage.silence();

  // A and B are lost and come back.
  await stage.lose("B1");
  const b2 = await stage.enter("B2");
  await b2.call("RejoinRoom", { id: roomId, rejoinedProjects: [{ id: projectId }] });
  await stage.lose("A1");
  const a2 = await stage.enter("A2");
  await a2.call("RejoinRoom", {
    id: roomId,
    resharedProjects: [{ projectId, worktrees }],
    rejoinedProjects: [{ id: own }],
  });

  // Roles, places, followers, a ring.
  await a2.call("SetRoomParticipantRole", { roomId, userId: b.userId, role: TALKER });
  const inProject = { sharedProject: { id: projectId } };
  await a2.call("UpdateParticipantLocation", { roomId, location: inProject });
  await b2.call("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  answerFollowers(a2, b2);
  await b2.call("Follow", { roomId, projectId, leaderId: a2.peerId });
  await a2.call("Follow", { roomId, projectId, leaderId: b2.peerId });
  a2.send("Unfollow", { roomId, projectId, leaderId: b2.peerId });
  a2.send("Call", { roomId, calledUserId: d.userId, initialProjectId: projectId });
  await a2.call("SetRoomParticipantRole", { roomId, userId: d.userId, role: GUEST });
  // C does nothing more than come back.
  await stage.lose("C1");
  const c2 = await stage.enter("C2");
  await c2.call("RejoinRoom", {
    id: roomId,
    resharedProjects: [{ projectId: own, worktrees: [] }],
    rejoinedProjects: [{ id: projectId }],
  });
  answerFollowers(c2);
  await c2.call("Follow", { roomId, projectId, leaderId: b2.peerId });
  await b2.call("Follow", { roomId, projectId, leaderId: c2.peerId });
  const told = (await stage.heard("F1")).findLast((line) => line.startsWith("RoomUpdated"));
  assertEquals(
    told,
    `RoomUpdated A2 0 Admin in ${projectId} hosts ${projectId}(app), B2 1 Talker in own, ` +
      `C2 2 Member hosts ${own}(), F1 4 Member | d rung by a for ${projectId}` +
      ["B2 follows A2", "C2 follows B2", "B2 follows C2"].map((one) => ` | ${one} in ${projectId}`)
        .join(""),
  );

  await server.restart();
  const f2 = await stage.enter("F2");
  const rejoined = await f2.call("RejoinRoom", {
    id: roomId,
    rejoinedProjects: [{ id: projectId }, { id: own }],
  });
  assertEquals(`RoomUpdated ${stage.room(rejoined.room!)}`, told?.replaceAll("F1", "F2"));
  const collaborators = rejoined.rejoinedProjects.map((project) =>
    project.collaborators
      .map(({ peerId, replicaId, isHost }) => ({ peerId, replicaId, isHost }))
      .toSorted((one, other) => one.replicaId - other.replicaId)
  );
  assertEquals(collaborators, [
    [
      { peerId: a2.peerId, replicaId: 0, isHost: true },
      { peerId: b2.peerId, replicaId: 8, isHost: false },
      { peerId: c2.peerId, replicaId: 9, isHost: false },
    ],
    [
      { peerId: c2.peerId, replicaId: 0, isHost: true },
      { peerId: a2.peerId, replicaId: 8, isHost: false },
    ],
  ]);

  // Who is rung takes the call with the role that it was given.
  const d2 = await stage.enter("D2");
  const { room } = await d2.call("JoinRoom", { id: roomId });
  const seat = room?.participants.find(({ userId }) => userId === d.userId);
  assertEquals([seat?.role, seat?.participantIndex], [GUEST, 3]);
  await server.server.actors.journal.settled();
  assertEquals((await server.server.store.load("projects")).map(({ id }) => BigInt(id)), [
    projectId,
    own,
  ]);
});
