import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { isError } from "../support/rejoin.ts";
import { entries, entry, FEATURES, Scene } from "../support/scene.ts";
import { settle, type TestPeer } from "../support/test_peer.ts";
import { wire } from "../support/wire.ts";

const CLEAN_UP = 15_000;

const tree = (id: bigint, rootName: string) => ({
  id,
  rootName,
  visible: true,
  absPath: `/${rootName}`,
});

/** Fills the scene's project with one of everything, tombstones too. */
async function fill(scene: Scene): Promise<void> {
  const { host, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(256), scanId: 1n, isLastUpdate: false });
  await scene.updateWorktree({ updatedEntries: entries(44, 257n), scanId: 1n });
  await scene.updateWorktree({ removedEntries: [7n], scanId: 2n, rootRepoCommonDir: "/git" });
  await scene.updateWorktree({
    updatedEntries: [entry(8n, "changed")],
    scanId: 3n,
    rootRepoCommonDir: "/git",
  });
  for (const [path, kind] of [["", 0], ["", 2], ["sub", 1]] as const) {
    host.send("UpdateWorktreeSettings", {
      projectId,
      worktreeId: 100n,
      path,
      kind,
      content: `${path} ${kind}`,
      outsideWorktree: kind === 2,
    });
  }
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "a", languageServerId: 5n, errorCount: 1 },
    moreSummaries: [{ path: "a", languageServerId: 6n, warningCount: 2 }],
  });
  for (const id of [5n, 6n]) {
    host.send("StartLanguageServer", {
      projectId,
      server: { id, name: `ls${id}`, worktreeId: 100n },
      capabilities: `{"id":${id}}`,
    });
  }
  for (const id of [1n, 2n]) {
    await host.call("UpdateRepository", {
      projectId,
      id,
      absPath: `/r${id}`,
      mergeMessage: "merge",
      scanId: 3n,
      isLastUpdate: true,
      branchList: [{ refName: "main" }],
      updatedStatuses: [{ repoPath: "kept" }, { repoPath: "gone" }],
    });
  }
  await host.call("UpdateRepository", {
    projectId,
    id: 1n,
    absPath: "/r1",
    mergeMessage: "merge",
    scanId: 4n,
    isLastUpdate: true,
    branchList: [{ refName: "main" }],
    removedStatuses: ["gone"],
  });
  await host.call("RemoveRepository", { projectId, id: 2n });
  await takeBack(scene);
  await scene.quiet();
}

/** Adds more to the scene's project, and removes or replaces it again. */
async function takeBack(scene: Scene): Promise<void> {
  const { host, projectId } = scene;
  const app = { ...tree(100n, "app"), absPath: "/home/host/app" };
  await host.call("UpdateProject", { projectId, worktrees: [app, tree(101n, "second")] });
  for (const worktreeId of [100n, 101n]) {
    const settings = { projectId, worktreeId, path: "taken", kind: 0 };
    host.send("UpdateWorktreeSettings", { ...settings, content: "back" });
    if (worktreeId === 100n) host.send("UpdateWorktreeSettings", settings);
  }
  const summary = { path: "b", languageServerId: 5n, errorCount: 1 };
  host.send("UpdateDiagnosticSummary", { projectId, worktreeId: 101n, summary });
  await scene.updateWorktree({ worktreeId: 101n, updatedEntries: entries(3) });
  await host.call("UpdateProject", { projectId, worktrees: [app] });
  // It comes back as another one: nothing of the first may be seen in it.
  await host.call("UpdateProject", { projectId, worktrees: [app, tree(101n, "third")] });
  const server = { id: 7n, name: "removed" };
  host.send("StartLanguageServer", { projectId, server, capabilities: "{}" });
  host.send("UpdateLanguageServer", { projectId, languageServerId: 7n, removed: {} });
  const metadataUpdated = { capabilities: '{"id":5,"more":true}' };
  host.send("UpdateLanguageServer", { projectId, languageServerId: 5n, metadataUpdated });
}

/** What a peer was told since its join, in an order that says nothing. */
async function contents(scene: Scene, peer: TestPeer): Promise<unknown> {
  const { peerId: _, ...answer } = {
    ...await peer.call("JoinProject", { projectId: scene.projectId, features: FEATURES }),
    peerId: undefined,
  };
  await peer.settle();
  const byText = <T>(values: T[]) =>
    values.toSorted((a, b) => (JSON.stringify(a, text) < JSON.stringify(b, text) ? -1 : 1));
  return {
    worktrees: answer.worktrees,
    features: answer.features,
    windowsPaths: answer.windowsPaths,
    servers: byText(answer.languageServers),
    capabilities: answer.languageServerCapabilities.toSorted(),
    entries: byText(peer.all("UpdateWorktree").flatMap((one) => one.updatedEntries)),
    scans: peer.all("UpdateWorktree").map((one) => [one.scanId, one.rootRepoCommonDir]).at(-1),
    complete: peer.all("UpdateWorktree").at(-1)?.isLastUpdate,
    settings: byText(peer.all("UpdateWorktreeSettings")),
    diagnostics: byText(
      peer.all("UpdateDiagnosticSummary").flatMap((one) => [one.summary, ...one.moreSummaries]),
    ),
    repositories: byText(peer.all("UpdateRepository")),
  };
}

const text = (_: string, value: unknown) => typeof value === "bigint" ? `${value}n` : value;

function reshare(
  scene: Scene,
  worktrees: Init<MessageTypes["WorktreeMetadata"]>[] = [
    { ...tree(100n, "app"), absPath: "/home/host/app" },
    tree(101n, "third"),
  ],
): Init<MessageTypes["RejoinRoom"]> {
  return { id: scene.roomId, resharedProjects: [{ projectId: scene.projectId, worktrees }] };
}

function rejoin(scene: Scene, scanId = 3n): Init<MessageTypes["RejoinRoom"]> {
  return {
    id: scene.roomId,
    rejoinedProjects: [{
      id: scene.projectId,
      worktrees: [{ id: 100n, scanId }],
      repositories: [{ id: 1n, scanId: 4n }],
    }],
  };
}

const aboutProjects = (lines: string[]) => lines.filter((line) => line !== "UpdateContacts");

for (const order of ["host first", "guest first"] as const) {
  Deno.test(`[projects 12.6] [projects 19.16] [projects 13.2] [projects 12.4a] [projects 17.6] after a restart host and guest rejoin, ${order}, and a third user gets everything`, async () => {
    await using scene = await Scene.open({ share: { windowsPaths: true } });
    const { host, guest, projectId, roomId } = scene;
    const late = await scene.enter("late");
    await fill(scene);
    const before = await contents(scene, late);
    late.send("LeaveProject", { projectId });
    await scene.quiet();
    await scene.server.restart();
    await Promise.all([host.closed, guest.closed, late.closed]);

    const rejoinHost = async () => {
      const peer = await scene.connect("host");
      return { peer, answer: await peer.call("RejoinRoom", reshare(scene)) };
    };
    const rejoinGuest = async () => {
      const peer = await scene.connect("guest1");
      // As it was before the last two changes: they were told, but say that it has missed them.
      return { peer, answer: await peer.call("RejoinRoom", rejoin(scene, 1n)) };
    };
    const first = order === "host first" ? await rejoinHost() : await rejoinGuest();
    assertNotEquals(first.peer.peerId.ownerId, host.peerId.ownerId);
    const second = order === "host first" ? await rejoinGuest() : await rejoinHost();
    const [hostBack, guestBack] = order === "host first" ? [first, second] : [second, first];

    const [mine] = hostBack.answer.resharedProjects;
    assertEquals(mine?.collaborators.map((one) => [one.replicaId, one.isHost]), [[8, false]]);
    const [joined] = guestBack.answer.rejoinedProjects;
    assertEquals(joined?.collaborators.map((one) => one.isHost), [true]);
    assertEquals(joined?.languageServers.map(({ id }) => id), [5n, 6n]);
    await guestBack.peer.settle();
    const [delta] = guestBack.peer.all("UpdateWorktree");
    assertEquals(delta?.updatedEntries, [entry(8n, "changed")]);
    assertEquals([delta?.removedEntries, delta?.scanId, delta?.isLastUpdate], [[7n], 3n, true]);
    assertEquals(
      guestBack.peer.all("UpdateWorktreeSettings").length,
      order === "host first" ? 3 : 6,
    );
    assertEquals(guestBack.peer.all("UpdateDiagnosticSummary").length, 1);
    assertEquals(guestBack.peer.all("UpdateRepository"), []);

    const third = await scene.connect("late");
    await third.call("RejoinRoom", { id: roomId });
    assertEquals(await contents(scene, third), before);

    // It goes on: requests, pushes and edits find their way between the new connections.
    await scene.quiet();
    const [h, g] = [hostBack.peer, guestBack.peer];
    const open = g.send("OpenBufferByPath", { projectId });
    const asked = await h.next("OpenBufferByPath");
    assertEquals(asked.originalSenderId, g.peerId);
    h.reply(asked, "OpenBufferResponse", { bufferId: 7n });
    assertEquals((await g.answer(open)).name, "OpenBufferResponse");
    await h.call("UpdateWorktree", scene.worktreeUpdate({ scanId: 4n }));
    await g.next("UpdateWorktree");
    const edit = g.send("UpdateBuffer", { projectId, bufferId: 7n });
    h.reply(await h.next("UpdateBuffer"), "Ack", {});
    assertEquals((await g.answer(edit)).name, "Ack");
    await third.next("UpdateBuffer");
  });
}

Deno.test("[projects 12.6] [projects 12.5.3] [projects 12.5.4] messages of a rejoin after a restart name the old epoch's peer ids", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.server.restart();
  const h = await scene.connect("host");
  await h.call("RejoinRoom", reshare(scene));
  await scene.quiet();
  const g = await scene.connect("guest1");
  await g.call("RejoinRoom", rejoin(scene));
  assertEquals(aboutProjects(await scene.told(h)), ["RoomUpdated", "UpdateProjectCollaborator"]);
  assertEquals(h.all("UpdateProjectCollaborator"), [{
    projectId,
    oldPeerId: guest.peerId,
    newPeerId: g.peerId,
  }]);
  assertEquals(h.peerId.ownerId, host.peerId.ownerId + 1);
});

Deno.test("[projects 12.6a] [projects 12.6b] [projects 17.8] [projects 1.9] [rooms Q-19] a host who does not come back is removed 15 s after the start, and its guests are told", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, projectId, roomId } = scene;
  await fill(scene);
  await scene.server.restart();
  const a = await scene.connect("guest1");
  await a.call("RejoinRoom", rejoin(scene));
  await scene.quiet();
  clock.advance(CLEAN_UP - 1);
  assertEquals(aboutProjects(await scene.told(a)), []);
  clock.advance(1);
  assertEquals(aboutProjects(await scene.told(a)), ["UnshareProject", "RoomUpdated"]);
  const room = a.all("RoomUpdated").at(-1)?.room;
  assertEquals(room?.participants.map(({ userId }) => userId), [a.userId]);
  assert(isError(await a.ask("JoinProject", { projectId, features: FEATURES })));
  const { store } = scene.server.server;
  assertEquals([await store.load("projects"), await store.load("worktree_entries")], [[], []]);
  const h = await scene.connect("host");
  assert(isError(await h.ask("RejoinRoom", { id: roomId })));
});

Deno.test("[projects 12.6a] [projects 12.6b] [projects 17.5] [rooms Q-19] a guest who does not come back is removed 15 s after the start", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { clock, guests: [a, b], projectId } = scene;
  await scene.server.restart();
  const h = await scene.connect("host");
  await h.call("RejoinRoom", reshare(scene));
  const back = await scene.connect("guest2");
  await back.call("RejoinRoom", rejoin(scene));
  await scene.quiet();
  clock.advance(CLEAN_UP);
  for (const peer of [h, back]) {
    assertEquals(aboutProjects(await scene.told(peer)), [
      "RemoveProjectCollaborator",
      "RoomUpdated",
    ]);
    assertEquals(peer.all("RemoveProjectCollaborator"), [{ projectId, peerId: a!.peerId }]);
  }
  assertNotEquals(a!.peerId, b!.peerId);
  clock.advance(60_000);
  assertEquals(aboutProjects(await scene.told(h)), []);
});

Deno.test("[projects 12.6a] [projects 13.3b] a room that nobody rejoins is gone with all its projects", async () => {
  await using scene = await Scene.open();
  await fill(scene);
  await scene.server.restart();
  const { store } = scene.server.server;
  assertEquals((await store.load("projects")).length, 1);
  scene.clock.advance(CLEAN_UP);
  await scene.server.server.actors.journal.settled();
  for (const table of ["rooms", "projects", "worktrees", "repositories"] as const) {
    assertEquals(await store.load(table), []);
  }
});

Deno.test("[projects 12.1.4] [projects 12.6] connections that end because the server stops start no grace", async () => {
  await using scene = await Scene.open();
  const { clock, projectId } = scene;
  await fill(scene);
  await scene.server.restart();
  // Long after the stop, but before the clean-up: the old grace has nothing to say.
  clock.advance(CLEAN_UP - 1);
  const h = await scene.connect("host");
  const { resharedProjects } = await h.call("RejoinRoom", reshare(scene));
  assertEquals(resharedProjects.map(({ id }) => id), [projectId]);
  clock.advance(60_000);
  await h.settle();
  assert(h.end === undefined);
  await h.call("UpdateWorktree", scene.worktreeUpdate({ scanId: 9n }));
});

Deno.test("[projects 6.1a] [projects 12.6] [projects 13.1] a project can be joined after a restart before its host is back", async () => {
  await using scene = await Scene.open();
  const onlooker = await scene.enter("onlooker");
  await fill(scene);
  await scene.server.restart();
  assert(await onlooker.closed);
  const late = await scene.connect("onlooker");
  await late.call("RejoinRoom", { id: scene.roomId });
  const all = await contents(scene, late) as { entries: unknown[]; repositories: unknown[] };
  assertEquals([all.entries.length, all.repositories.length], [299, 2]);
  assert(isError(await late.ask("OpenBufferByPath", { projectId: scene.projectId })));
});

Deno.test("[projects 13.2] [projects 2j] what was acknowledged is there after a restart without a word of goodbye", async () => {
  await using scene = await Scene.open();
  const { host } = scene;
  const onlooker = await scene.enter("onlooker");
  for (let chunk = 0n; chunk < 20n; chunk++) {
    await scene.updateWorktree({
      updatedEntries: entries(100, 1n + chunk * 100n),
      isLastUpdate: chunk === 19n,
    });
    // Read behind the back of the server, at the moment of the Ack.
    const rows = await scene.server.server.store.load("worktree_entries", {
      project_id: Number(scene.projectId),
    });
    assert(rows.length >= Number((chunk + 1n) * 100n), `${rows.length} after chunk ${chunk}`);
  }
  await scene.server.restart();
  assert(await host.closed);
  assert(await onlooker.closed);
  const late = await scene.connect("onlooker");
  await late.call("RejoinRoom", { id: scene.roomId });
  await scene.join(late);
  await late.settle();
  const ids = late.all("UpdateWorktree").flatMap((one) => one.updatedEntries.map(({ id }) => id));
  assertEquals(new Set(ids).size, 2000);
  assertEquals(late.all("UpdateWorktree").at(-1)?.isLastUpdate, true);
});

Deno.test("[projects 12.6] [projects 6.2b] [projects 2d] two restarts in a row: replicas, roles and names of committers stay", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { projectId, roomId } = scene;
  const ada = await scene.enter("ada");
  const bob = await scene.enter("bob");
  await scene.join(ada);
  await bob.call("JoinProject", {
    projectId,
    features: FEATURES,
    committerName: "Bob",
    committerEmail: "bob@example.org",
  });
  await scene.setRole(bob, 2);
  ada.send("LeaveProject", { projectId });
  await ada.settle();
  for (let round = 0; round < 2; round++) {
    await scene.server.restart();
    const back = await scene.connect("bob");
    await back.call("RejoinRoom", rejoin(scene));
    const h = await scene.connect("host");
    const { room, resharedProjects } = await h.call("RejoinRoom", reshare(scene));
    assertEquals(resharedProjects[0]?.collaborators, [wire("Collaborator", {
      peerId: back.peerId,
      replicaId: 9,
      userId: back.userId,
      isHost: false,
      committerName: "Bob",
      committerEmail: "bob@example.org",
    })]);
    assertEquals(room?.participants.find(({ userId }) => userId === back.userId)?.role, 2);
    await settle(h, back);
    assert(isError(await back.ask("SaveBuffer", { projectId })));
  }
  const again = await scene.connect("ada");
  await again.call("RejoinRoom", { id: roomId });
  assertEquals((await scene.join(again)).replicaId, 8);
});

Deno.test("[projects 17.10] [projects 4.2] a connection of the new epoch with an old one's number has none of its rights", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await scene.server.restart();
  assertEquals(host.peerId.id, 0);
  // Connection 0 of the new epoch belongs to somebody who never was in the room.
  const stranger = await scene.connect("stranger");
  assertEquals(stranger.peerId.id, host.peerId.id);
  const back = await scene.connect("guest1");
  assertEquals(back.peerId.id, guest.peerId.id);
  for (const who of [stranger, back]) {
    assert(isError(await who.ask("UpdateProject", { projectId, worktrees: [] })));
    assert(isError(await who.ask("JoinProject", { projectId, features: FEATURES })));
    assert(isError(await who.ask("UpdateBuffer", { projectId, bufferId: 7n })));
  }
  await back.call("RejoinRoom", rejoin(scene));
  // A message to the host's old peer id reaches nobody, least of all the stranger.
  const buffer = await back.ask("UpdateBuffer", { projectId, bufferId: 7n });
  assert(isError(buffer));
  await stranger.settle();
  assertEquals(stranger.received.filter((one) => one.originalSenderId !== undefined), []);
});
