import { assertEquals } from "@std/assert";
import { known, reconnect, toldOfProjects, tree } from "../support/rejoin.ts";
import { entries, entry, Scene } from "../support/scene.ts";

const bufferId = 700n;

Deno.test("[projects 16.5] [projects 12.3.1] [projects 12.3.4] [projects 12.4a] [projects 12.5.1] [projects 12.5.2] [projects 12.5.4] [projects 12.5.5] [projects 6.2b] [projects 1.5] a guest is lost and comes back: answer, room, new id, delta", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(10), scanId: 4n });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "{}" });
  host.send("StartLanguageServer", {
    projectId,
    server: { id: 5n, name: "ls" },
    capabilities: '{"x":1}',
  });
  const repository = { projectId, id: 1n, isLastUpdate: true };
  await host.call("UpdateRepository", {
    ...repository,
    scanId: 3n,
    updatedStatuses: [{ repoPath: "a" }, { repoPath: "b" }],
  });
  await scene.quiet();
  await scene.lose(a!);
  await scene.updateWorktree({ updatedEntries: [entry(5n, "changed")], scanId: 6n });
  await scene.updateWorktree({ removedEntries: [9n], scanId: 7n });
  await host.call("UpdateRepository", {
    ...repository,
    scanId: 5n,
    updatedStatuses: [{ repoPath: "c" }],
    removedStatuses: ["a"],
  });
  const back = await reconnect(scene, "guest1");
  const rejoin = back.send(
    "RejoinRoom",
    known(scene, {
      worktrees: [{ id: 100n, scanId: 4n }],
      repositories: [{ id: 1n, scanId: 3n }],
    }),
  );
  assertEquals(await toldOfProjects(scene, back), [
    `RejoinRoomResponse re ${rejoin}`,
    "RoomUpdated",
    "UpdateWorktree",
    "UpdateWorktreeSettings",
    "UpdateRepository",
    "UpdateRepository",
  ]);
  for (const peer of [host, b!]) {
    assertEquals(await toldOfProjects(scene, peer), [
      "RoomUpdated",
      "UpdateProjectCollaborator",
    ]);
    assertEquals(peer.all("UpdateProjectCollaborator"), [{
      projectId,
      oldPeerId: a!.peerId,
      newPeerId: back.peerId,
    }]);
  }
  const [answer] = back.all("RejoinRoomResponse");
  assertEquals(answer?.room?.id, roomId);
  assertEquals(answer?.resharedProjects, []);
  const [project] = answer!.rejoinedProjects;
  assertEquals(project?.collaborators.map((one) => [scene.nameOf(one.peerId!), one.replicaId]), [
    ["host", 0],
    ["guest2", 9],
  ]);
  assertEquals(project?.worktrees.map(({ id, rootName }) => [id, rootName]), [[100n, "app"]]);
  assertEquals(project?.languageServers.map(({ id }) => id), [5n]);
  assertEquals(project?.languageServerCapabilities, ['{"x":1}']);
  const seat = answer?.room?.participants.find(({ userId }) => userId === back.userId);
  assertEquals(seat?.peerId, back.peerId);
  const [delta] = back.all("UpdateWorktree");
  assertEquals(
    [delta?.updatedEntries, delta?.removedEntries, delta?.scanId, delta?.isLastUpdate],
    [[entry(5n, "changed")], [9n], 7n, true],
  );
  const [statuses, closing] = back.all("UpdateRepository");
  assertEquals(
    [statuses?.updatedStatuses.map(({ repoPath }) => repoPath), statuses?.removedStatuses],
    [["c"], ["a"]],
  );
  assertEquals([statuses?.isLastUpdate, closing?.isLastUpdate, closing?.scanId], [false, true, 5n]);
  // It goes on where it was: with its replica id, and with messages for it.
  const late = await scene.enter("late");
  const { collaborators } = await scene.join(late);
  assertEquals(
    collaborators.find((one) => scene.nameOf(one.peerId!) === "guest1")?.replicaId,
    8,
  );
  await scene.quiet();
  back.send("SynchronizeBuffers", { projectId, buffers: [{ id: bufferId }] });
  assertEquals(
    (await host.next("SynchronizeBuffers")).originalSenderId,
    back.peerId,
  );
});

Deno.test("[projects 12.4a] [projects 12.4c] [projects 12.4d] [projects 17.6] [rooms Q-15] a guest that has missed nothing gets one empty chunk per worktree, and all settings and diagnostics", async () => {
  await using scene = await Scene.open({ peer: { version: "0.191.0" } });
  const { host, guest, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(4), scanId: 3n });
  // With the very scan that the guest has.
  await scene.updateWorktree({ updatedEntries: entries(2), removedEntries: [4n], scanId: 4n });
  for (const path of ["", "sub"]) {
    host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path, content: path });
  }
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "a", languageServerId: 5n, errorCount: 1 },
    moreSummaries: [{ path: "zero", languageServerId: 5n }],
  });
  await scene.quiet();
  await scene.lose(guest);
  const back = await reconnect(scene, "guest1");
  const rejoin = back.send("RejoinRoom", known(scene, { worktrees: [{ id: 100n, scanId: 4n }] }));
  assertEquals(await toldOfProjects(scene, back), [
    `RejoinRoomResponse re ${rejoin}`,
    "RoomUpdated",
    "UpdateWorktree",
    "UpdateDiagnosticSummary",
    "UpdateDiagnosticSummary",
    "UpdateWorktreeSettings",
    "UpdateWorktreeSettings",
  ]);
  const [chunk] = back.all("UpdateWorktree");
  assertEquals(
    [chunk?.updatedEntries, chunk?.removedEntries, chunk?.scanId, chunk?.isLastUpdate],
    [[], [], 4n, true],
  );
});

Deno.test("[projects 12.4a] [projects 7.2] [rooms 10.9a] a large delta comes in chunks of 256, removals beside updates, the last flag at the end", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  for (let first = 1n; first < 1000n; first += 250n) {
    await scene.updateWorktree({ updatedEntries: entries(250, first), scanId: 1n });
  }
  await scene.quiet();
  await scene.lose(guest);
  const removed = Array.from({ length: 600 }, (_, index) => BigInt(index + 1));
  for (let from = 0; from < 600; from += 200) {
    await scene.updateWorktree({ removedEntries: removed.slice(from, from + 200), scanId: 2n });
  }
  await scene.updateWorktree({ updatedEntries: entries(256, 2000n), scanId: 3n });
  await scene.updateWorktree({
    updatedEntries: entries(10, 2256n),
    scanId: 3n,
    isLastUpdate: false,
  });
  await host.settle();
  const back = await reconnect(scene, "guest1");
  await back.call("RejoinRoom", known(scene, { worktrees: [{ id: 100n, scanId: 1n }] }));
  await back.settle();
  const chunks = back.all("UpdateWorktree");
  assertEquals(
    chunks.map((one) => [
      one.updatedEntries.length,
      one.removedEntries.length,
      one.scanId,
      one.isLastUpdate,
    ]),
    [[256, 256, 3n, false], [10, 256, 3n, false], [0, 88, 3n, true]],
  );
  assertEquals(chunks.flatMap(({ removedEntries }) => removedEntries), removed);
});

Deno.test("[projects 12.4a] [projects 17.1] [projects 19.5] an entry that went and came back while a guest was away is no removal", async () => {
  await using scene = await Scene.open();
  const { guest } = scene;
  await scene.updateWorktree({ updatedEntries: entries(2), scanId: 1n });
  await scene.lose(guest);
  await scene.updateWorktree({ removedEntries: [1n, 2n], scanId: 2n });
  await scene.updateWorktree({ updatedEntries: [entry(1n, "again")], scanId: 3n });
  const back = await reconnect(scene, "guest1");
  await back.call("RejoinRoom", known(scene, { worktrees: [{ id: 100n, scanId: 1n }] }));
  await back.settle();
  assertEquals(
    back.all("UpdateWorktree").map((one) => [one.updatedEntries, one.removedEntries]),
    [[[entry(1n, "again")], [2n]]],
  );
});

Deno.test("[projects 12.4a] [rooms 10.9a] the last chunk of a delta tells that the scan is not complete", async () => {
  await using scene = await Scene.open();
  const { guest } = scene;
  await scene.updateWorktree({ scanId: 1n });
  await scene.lose(guest);
  await scene.updateWorktree({ updatedEntries: entries(1), scanId: 2n, isLastUpdate: false });
  const back = await reconnect(scene, "guest1");
  await back.call("RejoinRoom", known(scene, { worktrees: [{ id: 100n, scanId: 1n }] }));
  await back.settle();
  assertEquals(back.all("UpdateWorktree").map((one) => [one.scanId, one.isLastUpdate]), [
    [2n, false],
  ]);
});

Deno.test("[projects 12.4b] a worktree that the guest does not know comes whole, one that is gone not at all", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(3), scanId: 1n });
  await scene.updateWorktree({ removedEntries: [2n], scanId: 2n });
  await scene.lose(guest);
  await host.call("UpdateProject", {
    projectId,
    worktrees: [tree(100n, "app"), tree(101n, "new")],
  });
  await scene.updateWorktree({ worktreeId: 101n, updatedEntries: entries(2), rootName: "new" });
  const back = await reconnect(scene, "guest1");
  const answer = await back.call(
    "RejoinRoom",
    known(scene, { worktrees: [{ id: 99n, scanId: 5n }] }),
  );
  await back.settle();
  assertEquals(answer.rejoinedProjects[0]?.worktrees.map(({ id }) => id).sort(), [100n, 101n]);
  assertEquals(
    back.all("UpdateWorktree")
      .map((one) => [one.worktreeId, one.updatedEntries.map(({ id }) => id), one.removedEntries]),
    [[100n, [1n, 3n], []], [101n, [1n, 2n], []]],
  );
});

Deno.test("[projects 12.4e] [projects 17.6] [rooms 10.9a, Q-16] repositories: changed, unchanged, removed and unknown ones", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const update = (id: bigint, scanId: bigint, repoPath: string) =>
    host.call("UpdateRepository", {
      projectId,
      id,
      scanId,
      isLastUpdate: true,
      updatedStatuses: [{ repoPath }],
      branchList: [{ refName: `b${id}` }],
    });
  for (const id of [1n, 2n, 3n]) await update(id, 1n, "old");
  await scene.lose(guest);
  await update(1n, 2n, "new");
  await host.call("RemoveRepository", { projectId, id: 3n });
  await update(4n, 1n, "unknown");
  await update(5n, 1n, "gone");
  await host.call("RemoveRepository", { projectId, id: 5n });
  const back = await reconnect(scene, "guest1");
  const repositories = [1n, 2n, 3n].map((id) => ({ id, scanId: 1n }));
  await back.call("RejoinRoom", known(scene, { repositories }));
  const lines = await toldOfProjects(scene, back);
  assertEquals(lines.slice(-5), [
    "UpdateRepository",
    "UpdateRepository",
    "UpdateRepository",
    "UpdateRepository",
    "RemoveRepository",
  ]);
  assertEquals(lines.filter((line) => line === "UpdateRepository").length, 4);
  assertEquals(
    back.all("UpdateRepository").map((one) => [
      one.id,
      one.updatedStatuses.map(({ repoPath }) => repoPath),
      one.isLastUpdate,
      one.branchList.map(({ refName }) => refName),
    ]),
    [
      [1n, ["new"], false, []],
      [1n, [], true, ["b1"]],
      [4n, ["unknown"], false, []],
      [4n, [], true, ["b4"]],
    ],
  );
  assertEquals(back.all("RemoveRepository"), [{ projectId, id: 3n }]);
});

Deno.test("[projects 16.5] [projects 12.3.4] a project that ended meanwhile is left out of the answer", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.lose(guest);
  host.send("UnshareProject", { projectId });
  await host.settle();
  const back = await reconnect(scene, "guest1");
  const answer = await back.call("RejoinRoom", {
    id: scene.roomId,
    rejoinedProjects: [{ id: projectId }, { id: 999n }, { id: 2n ** 64n - 1n }],
  });
  assertEquals(answer.rejoinedProjects, []);
  assertEquals(answer.room?.participants.flatMap(({ projects }) => projects), []);
  assertEquals((await toldOfProjects(scene, back)).slice(1), ["RoomUpdated"]);
});

Deno.test("[projects 12.3.5] [projects 17.5] [rooms Q-14] a project that the guest does not name loses it: no ghost stays", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, host, guests: [a, b], projectId } = scene;
  const other = await scene.share(host);
  await scene.join(a!, other);
  await scene.join(b!, other);
  await scene.quiet();
  await scene.lose(a!);
  const back = await reconnect(scene, "guest1");
  await back.call("RejoinRoom", known(scene));
  for (const peer of [host, b!]) {
    assertEquals(await toldOfProjects(scene, peer), [
      "RoomUpdated",
      "UpdateProjectCollaborator",
      "RemoveProjectCollaborator",
    ]);
    assertEquals(peer.all("RemoveProjectCollaborator"), [{
      projectId: other,
      peerId: a!.peerId,
    }]);
    assertEquals(peer.all("UpdateProjectCollaborator")[0]?.projectId, projectId);
  }
  clock.advance(60_000);
  assertEquals(await toldOfProjects(scene, host), []);
  const { replicaId, collaborators } = await scene.join(back, other);
  assertEquals([replicaId, collaborators.map((one) => one.replicaId)], [8, [0, 9]]);
});

Deno.test("[projects 15.5k] [projects 15.5j] a rejoined guest's new id reaches the host before its first request", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.lose(guest);
  const back = await reconnect(scene, "guest1");
  back.send("RejoinRoom", known(scene));
  back.send("SynchronizeBuffers", { projectId, buffers: [{ id: bufferId }] });
  back.send("UpdateBuffer", { projectId, bufferId });
  assertEquals(await toldOfProjects(scene, host, back), [
    "RoomUpdated",
    "UpdateProjectCollaborator",
    "SynchronizeBuffers from guest1",
    "UpdateBuffer from guest1",
  ]);
});
