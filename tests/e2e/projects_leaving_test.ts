import { assertEquals } from "@std/assert";
import type { MessageTypes } from "../../proto/mod.ts";
import { FEATURES, Scene } from "../support/scene.ts";
import { settle, type TestPeer } from "../support/test_peer.ts";

function joinError({ name, value }: { name: string; value: unknown }): string {
  assertEquals(name, "Error");
  const { code, message } = value as MessageTypes["Error"];
  assertEquals(code, 0);
  return message;
}

Deno.test("[projects 16.2] [projects 6.2] [projects 6.2a] [projects 19.7] replicas are 8, 9, 10; the one that is freed is given next", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { projectId } = scene;
  const peers: TestPeer[] = [];
  const replicas: number[] = [];
  for (const login of ["a", "b", "c"]) {
    const peer = await scene.enter(login);
    peers.push(peer);
    replicas.push((await scene.join(peer)).replicaId);
  }
  assertEquals(replicas, [8, 9, 10]);
  peers[1]!.send("LeaveProject", { projectId });
  await peers[1]!.settle();
  const next = await scene.enter("d");
  assertEquals((await scene.join(next)).replicaId, 9);
  assertEquals((await scene.join(peers[1]!)).replicaId, 11);
});

Deno.test("[projects 19.9] [projects 6.2a] a guest whose connection is lost keeps its replica until it is removed", async () => {
  await using scene = await Scene.open();
  const { clock, guest } = scene;
  const late = await scene.enter("late");
  const last = await scene.enter("last");
  await scene.lose(guest);
  const { replicaId, collaborators } = await scene.join(late);
  assertEquals([replicaId, collaborators.map((one) => one.replicaId)], [9, [0, 8]]);
  clock.advance(30_000);
  await late.next("RemoveProjectCollaborator");
  assertEquals((await scene.join(last)).replicaId, 8);
});

Deno.test("[projects 6.5] [projects 16.7] leaving tells the collaborators, then the room, and answers nothing", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const onlooker = await scene.enter("onlooker");
  a!.send("LeaveProject", { projectId });
  assertEquals(await scene.told(a!), ["RoomUpdated"]);
  assertEquals(await scene.told(host), ["RemoveProjectCollaborator", "RoomUpdated"]);
  assertEquals(await scene.told(b!), ["RemoveProjectCollaborator", "RoomUpdated"]);
  assertEquals(await scene.told(onlooker), ["RoomUpdated"]);
  assertEquals(b!.all("RemoveProjectCollaborator").at(-1), { projectId, peerId: a!.peerId });
  // It hears nothing of the project any more.
  await scene.updateWorktree({});
  assertEquals(await scene.told(a!), []);
});

Deno.test("[projects 6.5a] [projects 19.1] [projects 14] the leave of somebody who is not in the project has no effect", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const onlooker = await scene.enter("onlooker");
  onlooker.send("LeaveProject", { projectId });
  onlooker.send("LeaveProject", { projectId: 77n });
  assertEquals(await scene.told(onlooker), []);
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(guest), []);
  await scene.join(onlooker);
});

Deno.test("[projects 6.5b] [projects 2i] [projects 13.3d] leaving ends the following in the project", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  for (const [follower, leader] of [[a!, host], [host, a!], [b!, host]] as const) {
    const asked = follower.ask("Follow", { roomId, projectId, leaderId: leader.peerId });
    leader.reply(await leader.next("Follow"), "FollowResponse", {});
    assertEquals((await asked).name, "FollowResponse");
  }
  await scene.quiet();
  const followers = () =>
    host.all("RoomUpdated").at(-1)?.room?.followers
      .map((one) => `${scene.nameOf(one.followerId!)}>${scene.nameOf(one.leaderId!)}`);
  assertEquals(followers(), ["guest1>host", "host>guest1", "guest2>host"]);
  a!.send("LeaveProject", { projectId });
  await settle(a!, host);
  assertEquals(followers(), ["guest2>host"]);
});

Deno.test("[projects 6.5c] [projects 17.5] a host that leaves its project ends it", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  host.send("LeaveProject", { projectId });
  assertEquals(await scene.told(host), ["RoomUpdated"]);
  for (const guest of [a!, b!]) {
    assertEquals(await scene.told(guest), ["UnshareProject", "RoomUpdated"]);
    const room = guest.all("RoomUpdated").at(-1)?.room;
    assertEquals(room?.participants.flatMap(({ projects }) => projects), []);
  }
  joinError(await a!.ask("JoinProject", { projectId, features: FEATURES }));
  const left = host.send("LeaveRoom", {});
  assertEquals((await scene.told(host)).filter((line) => line !== "UpdateContacts"), [
    `Ack re ${left}`,
  ]);
  assertEquals((await scene.told(a!)).filter((line) => line.startsWith("Unshare")), []);
});
