import { assertEquals } from "@std/assert";
import { ProjectState, Worktree } from "../../../actors/project/mod.ts";
import { Rings } from "../../../actors/room/rings.ts";
import { type Participant, participantProject, RoomState } from "../../../actors/room/state.ts";
import { Role } from "../../../actors/roles.ts";
import type { ConnectionRef } from "../../../actors/refs/mod.ts";
import { decode, encode } from "../../../proto/mod.ts";
import { peerKey } from "../../../rpc/peer_id.ts";

function newRoom(): RoomState {
  return new RoomState(3, "media", undefined);
}

/** An active participant whose connection is `1:<id>`, or a pending one. */
function participant(room: RoomState, userId: number, id?: number): Participant {
  const one: Participant = {
    userId,
    key: id === undefined ? undefined : peerKey(1, id),
    location: { kind: "external" },
    initialProjectId: undefined,
    callingUserId: 1,
    callingKey: undefined,
    index: id === undefined ? undefined : room.freeIndex(),
    role: Role.Member,
    ordinal: room.nextOrdinal(),
  };
  room.add(one);
  return one;
}

function share(room: RoomState, id: number, host: number): ProjectState {
  const project = new ProjectState({
    id,
    roomId: room.id,
    hostUserId: 1,
    hostKey: peerKey(1, host),
    windowsPaths: false,
    features: [],
  });
  room.projects.set(id, project);
  return project;
}

/** The snapshot as its receivers read it. */
function snapshot(room: RoomState) {
  return decode("Room", encode("Room", room.snapshot()));
}

Deno.test("[rooms 9.3] the participant index is the smallest that no row uses", () => {
  const room = newRoom();
  const [a, b, c] = [participant(room, 1, 1), participant(room, 2, 2), participant(room, 3, 3)];
  assertEquals([a.index, b.index, c.index], [0, 1, 2]);
  participant(room, 4);
  assertEquals(room.freeIndex(), 3);
  room.delete(b);
  assertEquals(participant(room, 5, 5).index, 1);
  room.delete(a);
  room.bind(c, peerKey(2, 9));
  assertEquals(c.index, 2);
  assertEquals(participant(room, 6, 6).index, 0);
});

Deno.test("[rooms 9.5] the snapshot lists who is there with role, place and projects", () => {
  const room = newRoom();
  const [host, guest] = [participant(room, 1, 1), participant(room, 2, 2)];
  host.role = Role.Admin;
  host.location = { kind: "shared", projectId: 12n };
  guest.role = undefined;
  guest.location = { kind: "unshared" };
  const project = share(room, 12, 1);
  project.worktrees.set(2n, new Worktree(2n, "second", "/2", true));
  project.worktrees.set(1n, new Worktree(1n, "first", "/1", true));
  project.worktrees.set(3n, new Worktree(3n, "hidden", "/3", false));
  const { id, livekitRoom, participants } = snapshot(room);
  assertEquals([id, livekitRoom], [3n, "media"]);
  assertEquals(
    participants,
    [
      {
        userId: 1n,
        peerId: { ownerId: 1, id: 1 },
        participantIndex: 0,
        role: Role.Admin,
        location: { sharedProject: { id: 12n } },
        projects: [{ id: 12n, worktreeRootNames: ["first", "second"] }],
      },
      {
        userId: 2n,
        peerId: { ownerId: 1, id: 2 },
        participantIndex: 1,
        role: Role.Member,
        location: { unsharedProject: {} },
        projects: [],
      },
    ] as unknown as typeof participants,
  );
});

Deno.test("[rooms 9.5] a location is always set; external is the default", () => {
  const room = newRoom();
  participant(room, 1, 1);
  assertEquals(Object.keys(snapshot(room).participants[0]?.location ?? {}), ["external"]);
});

Deno.test("[rooms 9.5a] a project appears under the participant whose connection hosts it, or nobody", () => {
  const room = newRoom();
  const host = participant(room, 1, 1);
  participant(room, 2, 2);
  const project = share(room, 12, 1);
  const shown = () => snapshot(room).participants.map((one) => one.projects.map(({ id }) => id));
  assertEquals(shown(), [[12n], []]);
  room.bind(host, peerKey(2, 1));
  assertEquals(shown(), [[], []]);
  project.hostKey = peerKey(2, 1);
  assertEquals(shown(), [[12n], []]);
});

Deno.test("[rooms 9.5b] pending participants come with caller and first project, in their order", () => {
  const room = newRoom();
  participant(room, 1, 1);
  const later = participant(room, 9);
  const called = participant(room, 2);
  called.initialProjectId = 12n;
  called.callingUserId = 5;
  assertEquals(snapshot(room).pendingParticipants, [
    { userId: 9n, callingUserId: 1n },
    { userId: 2n, callingUserId: 5n, initialProjectId: 12n },
  ] as never);
  room.bind(later, peerKey(1, 9));
  assertEquals(room.pendingParticipants(), [called]);
  assertEquals(snapshot(room).participants.length, 2);
});

Deno.test("[rooms 9.5c] followers come in the order of insertion", () => {
  const room = newRoom();
  const follower = (leader: number, one: number) => ({
    projectId: 12,
    leader: peerKey(1, leader),
    follower: peerKey(1, one),
    ordinal: room.nextOrdinal(),
  });
  room.addFollower(follower(2, 1));
  room.addFollower(follower(1, 3));
  assertEquals(snapshot(room).followers, [
    { leaderId: { ownerId: 1, id: 2 }, followerId: { ownerId: 1, id: 1 }, projectId: 12n },
    { leaderId: { ownerId: 1, id: 1 }, followerId: { ownerId: 1, id: 3 }, projectId: 12n },
  ]);
});

Deno.test("[rooms 9.2] a row is found by its user, an active one by its connection as well", () => {
  const room = newRoom();
  const one = participant(room, 1);
  assertEquals([room.participants.get(1), room.active.size], [one, 0]);
  room.bind(one, peerKey(1, 5));
  assertEquals(room.active.get(peerKey(1, 5)), one);
  room.bind(one, peerKey(2, 6));
  assertEquals([room.active.get(peerKey(1, 5)), room.active.get(peerKey(2, 6))], [undefined, one]);
  room.delete(one);
  assertEquals([room.participants.size, room.active.size], [0, 0]);
});

Deno.test("[rooms 15.7] a room that is read back goes on counting behind what it had", () => {
  const room = newRoom();
  room.add({ ...participant(newRoom(), 1, 1), ordinal: 40 });
  room.addFollower({ projectId: 1, leader: 1, follower: 2, ordinal: 50 });
  room.add({ ...participant(newRoom(), 2, 2), ordinal: 45 });
  assertEquals(room.nextOrdinal(), 51);
  assertEquals(room.activeParticipants().map(({ userId }) => userId), [1, 2]);
});

Deno.test("[rooms 9.5a] only visible worktrees give a project its names", () => {
  const project = share(newRoom(), 12, 1);
  project.worktrees.set(1n, new Worktree(1n, "a", "/a", false));
  assertEquals(participantProject(project), { id: 12n, worktreeRootNames: [] });
});

Deno.test("[rooms 10.2] a late answer finds its own call and no other", () => {
  const rings = new Rings();
  const ring = (calleeId: number) => ({
    caller: {} as ConnectionRef,
    requestId: 1,
    calleeId,
    initialProjectId: undefined,
    callee: undefined,
    later: [],
  });
  const [a, b] = [ring(1), ring(2)];
  const [first, second] = [rings.add(a), rings.add(b)];
  assertEquals([rings.get(first), rings.take(first), rings.take(first)], [a, a, undefined]);
  const third = rings.add(ring(3));
  assertEquals(new Set([first, second, third]).size, 3);
  assertEquals(rings.get(second), b);
  const rung = { ...ring(4), callee: 7 };
  const fourth = rings.add(rung);
  assertEquals(rings.takeAsked().map(({ calleeId }) => calleeId), [2, 3]);
  assertEquals([rings.get(second), rings.get(fourth)], [undefined, rung]);
});
