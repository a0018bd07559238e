import { assertEquals, assertRejects } from "@std/assert";
import { RequestError } from "../../client/errors.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { entry, Role, Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";

const tree = (id: bigint, rootName: string) => ({
  id,
  rootName,
  visible: true,
  absPath: `/${rootName}`,
});

/** The projects of a participant in the last description of the room. */
function projectsOf(viewer: TestPeer, user: TestPeer): MessageTypes["ParticipantProject"][] {
  const room = viewer.all("RoomUpdated").at(-1)?.room;
  return room?.participants.find(({ userId }) => userId === user.userId)?.projects ?? [];
}

Deno.test("[projects 16.1] [projects 5.1d] [projects 1.1] [projects 5.2] [projects 5.2d] [projects 1.4a] sharing, from the request to the whole tree", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], roomId } = scene;
  const share = host.send("ShareProject", {
    roomId,
    worktrees: [{ id: 100n, rootName: "app", visible: true, absPath: "/app" }, {
      id: 101n,
      rootName: "hidden",
      visible: false,
      absPath: "/hidden",
    }],
  });
  const answer = await host.answer(share);
  const { projectId } = answer.value as MessageTypes["ShareProjectResponse"];
  assertEquals(await scene.told(host), [`ShareProjectResponse re ${share}`, "RoomUpdated"]);
  assertEquals(await scene.told(a!, host), ["RoomUpdated"]);
  assertEquals(await scene.told(b!), ["RoomUpdated"]);
  assertEquals(projectsOf(a!, host).at(-1), { id: projectId, worktreeRootNames: ["app"] });

  host.send("StartLanguageServer", { projectId, server: { id: 5n, name: "ls" } });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "{}" });
  const repository = host.send("UpdateRepository", { projectId, id: 1n, isLastUpdate: true });
  const update = host.send("UpdateProject", { projectId, worktrees: [tree(100n, "app")] });
  assertEquals(await scene.told(host), [
    `Ack re ${repository}`,
    "RoomUpdated",
    `Ack re ${update}`,
  ]);
  assertEquals(await scene.told(a!), ["RoomUpdated"]);
  const chunk = host.send("UpdateWorktree", {
    projectId,
    worktreeId: 100n,
    rootName: "app",
    absPath: "/app",
    updatedEntries: [entry(1n, "a")],
    scanId: 1n,
    isLastUpdate: true,
  });
  const location = host.send("UpdateParticipantLocation", {
    roomId,
    location: { sharedProject: { id: projectId } },
  });
  assertEquals(await scene.told(host), [`Ack re ${chunk}`, "RoomUpdated", `Ack re ${location}`]);
});

Deno.test("[projects 5.1.1] [projects 5.1.2] [projects 14a] sharing needs the room that the sender is in", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId } = scene;
  const stranger = await scene.connect("stranger");
  for (const [who, room] of [[stranger, roomId], [guest, roomId + 1n], [guest, 0n]] as const) {
    const error = await assertRejects(
      () => who.call("ShareProject", { roomId: room, worktrees: [tree(1n, "x")] }),
      RequestError,
    );
    assertEquals(error.code, 0);
  }
  const own = await stranger.call("CreateRoom", {});
  await assertRejects(
    () => guest.call("ShareProject", { roomId: own.room?.id as bigint, worktrees: [] }),
    RequestError,
  );
  assertEquals(await scene.told(host, stranger, guest), []);
});

Deno.test("[projects 5.1.3] [projects 4a] Admin and Member may share, Talker, Guest and Banned not, and nobody notices", async () => {
  await using scene = await Scene.open();
  const { host, guest, roomId } = scene;
  for (const role of [Role.Guest, Role.Talker, Role.Banned]) {
    await scene.setRole(guest, role);
    const answer = await guest.ask("ShareProject", { roomId, worktrees: [tree(1n, "x")] });
    assertEquals(answer.name, "Error");
    assertEquals((answer.value as MessageTypes["Error"]).code, 0);
    assertEquals(await scene.told(host), []);
  }
  await scene.setRole(guest, Role.Member);
  await guest.call("ShareProject", { roomId, worktrees: [tree(1n, "x")] });
  await scene.quiet();
  await scene.setRole(guest, Role.Admin);
  await guest.call("ShareProject", { roomId, worktrees: [tree(1n, "y")] });
  await host.settle();
  assertEquals(projectsOf(host, guest).map(({ worktreeRootNames }) => worktreeRootNames), [
    ["x"],
    ["y"],
  ]);
});

Deno.test("[projects 5.1a] [projects 5.1e] [projects 2a] a project may start empty, and one connection may share many under ids of their own", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  const empty = await scene.share(host, { worktrees: [] });
  const same = await scene.share(host);
  assertEquals(new Set([scene.projectId, empty, same]).size, 3);
  await host.settle();
  assertEquals(projectsOf(host, host).map(({ id, worktreeRootNames }) => [id, worktreeRootNames]), [
    [scene.projectId, ["app"]],
    [empty, []],
    [same, ["app"]],
  ]);
  const joined = await scene.join(guest, empty);
  assertEquals(joined.worktrees, []);
  await scene.quiet();
  await scene.join(guest, same);
  const { value } = await guest.next("UpdateWorktree");
  assertEquals([value.scanId, value.isLastUpdate, value.updatedEntries], [0n, true, []]);
});

Deno.test("[projects 13.3f] [projects 2a] ids of ended projects are not given again, not even after a restart", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { host } = scene;
  const first = await scene.share(host);
  host.send("UnshareProject", { projectId: first });
  const second = await scene.share(host);
  assertEquals(second, first + 1n);
  host.send("UnshareProject", { projectId: second });
  await host.settle();
  await scene.server.restart();
  const again = await scene.connect("host");
  await again.call("RejoinRoom", { id: scene.roomId });
  assertEquals(await scene.share(again), second + 1n);
});

Deno.test("[projects 5.1b] [projects 11d] [projects 19.7] a host has the replica 0, or 1 if the project is on a remote machine", async () => {
  await using scene = await Scene.open({ share: { isSshProject: true } });
  const { host, guest } = scene;
  const [own] = guest.all("JoinProjectResponse")[0]!.collaborators;
  assertEquals([own?.replicaId, own?.isHost, own?.userId], [1, true, host.userId]);
  const local = await scene.join(guest, await scene.share(host));
  assertEquals(local.collaborators.map((one) => one.replicaId), [0]);
  assertEquals(local.replicaId, 8);
});

Deno.test("[projects 5.2] only the host may change the worktrees", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const answer = await a!.ask("UpdateProject", { projectId, worktrees: [] });
  assertEquals((answer.value as MessageTypes["Error"]).code, 0);
  assertEquals(answer.name, "Error");
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(b!), []);
});

Deno.test("[projects 5.2a] [projects 5.2b] [projects 5.2d] [projects 7a] [projects 1.5] a new list is told to guests, then the room, then acknowledged; known worktrees keep their content", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: [entry(1n, "kept")], scanId: 3n });
  await scene.quiet();
  const worktrees = [tree(100n, "renamed"), tree(101n, "new")];
  const update = host.send("UpdateProject", { projectId, worktrees });
  assertEquals(await scene.told(host), ["RoomUpdated", `Ack re ${update}`]);
  assertEquals(await scene.told(guest), ["UpdateProject from host", "RoomUpdated"]);
  assertEquals(guest.all("UpdateProject").at(-1)?.worktrees.map(({ rootName }) => rootName), [
    "renamed",
    "new",
  ]);
  assertEquals(projectsOf(guest, host), [{ id: projectId, worktreeRootNames: ["renamed", "new"] }]);
  const late = await scene.enter("late");
  await scene.join(late);
  await late.settle();
  assertEquals(
    late.all("UpdateWorktree").map((one) => [
      one.worktreeId,
      one.rootName,
      one.scanId,
      one.isLastUpdate,
      one.updatedEntries.map(({ path }) => path),
    ]),
    [[100n, "renamed", 3n, true, ["kept"]], [101n, "new", 0n, true, []]],
  );
});

Deno.test("[projects 17.1] a known worktree takes a new visible flag from the list", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await host.call("UpdateProject", {
    projectId,
    worktrees: [{ ...tree(100n, "app"), visible: false }],
  });
  await guest.settle();
  assertEquals(projectsOf(guest, host), [{ id: projectId, worktreeRootNames: [] }]);
  const late = await scene.enter("late");
  assertEquals((await scene.join(late)).worktrees.map(({ visible }) => visible), [false]);
});

Deno.test("[projects 16.8] [projects 5.2c] [projects 13.3c] [projects 7.1] one worktree replaces another, whose content is gone and whose late chunk is refused", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: [entry(1n, "old")] });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "old" });
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "old", languageServerId: 5n, errorCount: 1 },
  });
  await scene.quiet();
  const update = host.send("UpdateProject", { projectId, worktrees: [tree(101n, "next")] });
  const late = host.send("UpdateWorktree", scene.worktreeUpdate({ scanId: 2n }));
  assertEquals(await scene.told(host), [
    "RoomUpdated",
    `Ack re ${update}`,
    `Error re ${late}`,
  ]);
  assertEquals(await scene.told(guest), ["UpdateProject from host", "RoomUpdated"]);
  const joiner = await scene.enter("joiner");
  const { worktrees } = await scene.join(joiner);
  assertEquals(worktrees.map(({ id }) => id), [101n]);
  assertEquals((await scene.told(joiner)).slice(1), ["UpdateWorktree"]);
  // It comes back empty: nothing of the old one was kept.
  await host.call("UpdateProject", { projectId, worktrees: [tree(100n, "app")] });
  const last = await scene.enter("last");
  await scene.join(last);
  assertEquals((await scene.told(last)).slice(1), ["UpdateWorktree"]);
  assertEquals(last.all("UpdateWorktree").map((one) => [one.scanId, one.updatedEntries]), [[
    0n,
    [],
  ]]);
});

Deno.test("[projects 5.2c] an empty list removes all worktrees", async () => {
  await using scene = await Scene.open();
  const { host, projectId } = scene;
  await host.call("UpdateProject", { projectId, worktrees: [] });
  const late = await scene.enter("late");
  assertEquals((await scene.join(late)).worktrees, []);
  assertEquals((await scene.told(late)).slice(1), []);
});

Deno.test("[projects 16.7] [projects 5.3.1] [projects 5.3.2] [projects 5.3.3] [projects 17.4] [projects 19.1] unsharing, twice at once and once more later", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  host.send("UnshareProject", { projectId });
  host.send("UnshareProject", { projectId });
  assertEquals(await scene.told(host), ["RoomUpdated"]);
  assertEquals(await scene.told(a!), ["UnshareProject", "RoomUpdated"]);
  assertEquals(await scene.told(b!), ["UnshareProject", "RoomUpdated"]);
  assertEquals(projectsOf(a!, host), []);
  host.send("UnshareProject", { projectId });
  assertEquals(await scene.told(host), []);
  const answer = await b!.ask("GetCompletions", { projectId });
  assertEquals([answer.name, (answer.value as MessageTypes["Error"]).code], ["Error", 0]);
  assertEquals((await a!.ask("JoinProject", { projectId })).name, "Error");
  assertEquals(await scene.told(host), []);
});

Deno.test("[projects 5.3.1] [projects 14] a guest cannot unshare, and gets no answer", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  a!.send("UnshareProject", { projectId });
  a!.send("UnshareProject", { projectId: 999n });
  assertEquals(await scene.told(a!), []);
  assertEquals(await scene.told(b!), []);
  assertEquals(await scene.told(host), []);
  await scene.updateWorktree({});
});

Deno.test("[projects 5.3.4] [projects 13.3a] nothing of an unshared project is left in the database", async () => {
  await using scene = await Scene.open();
  const { host, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: [entry(1n, "a")], removedEntries: [] });
  await scene.updateWorktree({ removedEntries: [1n], scanId: 2n });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "{}" });
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "a", languageServerId: 5n, errorCount: 1 },
  });
  host.send("StartLanguageServer", { projectId, server: { id: 5n, name: "ls" } });
  await host.call("UpdateRepository", {
    projectId,
    id: 1n,
    updatedStatuses: [{ repoPath: "a", simpleStatus: 1 }],
    isLastUpdate: true,
  });
  const { store } = scene.server.server;
  const tables = [
    "projects",
    "project_collaborators",
    "worktrees",
    "worktree_entries",
    "repositories",
    "repository_statuses",
    "diagnostic_summaries",
    "worktree_settings",
    "language_servers",
  ] as const;
  const counts = () => Promise.all(tables.map(async (table) => (await store.load(table)).length));
  assertEquals(await counts(), [1, 2, 1, 1, 1, 1, 1, 1, 1]);
  host.send("UnshareProject", { projectId });
  await scene.told(host);
  assertEquals(await counts(), tables.map(() => 0));
});

Deno.test("[projects 16.7] [projects 6.6] [projects 6.6a] [projects 13.3b] [projects 13.3d] who leaves the room leaves its projects, before the room is told", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId, roomId } = scene;
  const left = a!.send("LeaveRoom", {});
  assertEquals(await scene.told(a!), [`Ack re ${left}`]);
  assertEquals((await scene.told(b!)).filter((line) => line !== "UpdateContacts"), [
    "RemoveProjectCollaborator",
    "RoomUpdated",
  ]);
  assertEquals((await scene.told(host)).filter((line) => line !== "UpdateContacts"), [
    "RemoveProjectCollaborator",
    "RoomUpdated",
  ]);
  const [removed] = host.all("RemoveProjectCollaborator");
  assertEquals([removed?.projectId, scene.nameOf(removed!.peerId!)], [projectId, "guest1"]);
  const hangUp = host.send("LeaveRoom", {});
  assertEquals((await scene.told(host)).filter((line) => line !== "UpdateContacts"), [
    `Ack re ${hangUp}`,
  ]);
  assertEquals((await scene.told(b!)).filter((line) => line !== "UpdateContacts"), [
    "UnshareProject",
    "RoomUpdated",
  ]);
  assertEquals((await b!.ask("GetCompletions", { projectId })).name, "Error");
  b!.send("LeaveRoom", {});
  await b!.settle();
  const { store } = scene.server.server;
  assertEquals([await store.load("projects"), await store.load("rooms")], [[], []]);
  assertEquals((await b!.ask("RejoinRoom", { id: roomId })).name, "Error");
});
