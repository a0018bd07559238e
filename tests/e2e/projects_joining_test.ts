import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { entries, entry, FEATURES, Role, Scene } from "../support/scene.ts";
import { settle } from "../support/test_peer.ts";

const OLD = "0.191.0";

/** Fills the scene's project with two chunks of a tree, and one of everything else. */
async function fill(scene: Scene): Promise<void> {
  const { host, projectId } = scene;
  await scene.updateWorktree({ updatedEntries: entries(256), isLastUpdate: false });
  await scene.updateWorktree({ updatedEntries: entries(40, 257n) });
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "file1", languageServerId: 5n, errorCount: 1 },
    moreSummaries: [{ path: "file2", languageServerId: 5n }],
  });
  host.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "{}" });
  host.send("StartLanguageServer", {
    projectId,
    server: { id: 5n, name: "ls", worktreeId: 100n, languageName: "Rust" },
    capabilities: '{"hover":true}',
  });
  await host.call("UpdateRepository", {
    projectId,
    id: 1n,
    absPath: "/home/host/app",
    updatedStatuses: [{ repoPath: "file1", simpleStatus: 1 }],
    scanId: 2n,
    isLastUpdate: true,
  });
  await scene.quiet();
}

function joinError({ name, value }: { name: string; value: unknown }): string {
  assertEquals(name, "Error");
  const { code, message } = value as MessageTypes["Error"];
  assertEquals(code, 0);
  return message;
}

Deno.test("[projects 16.2] [projects 6.3.1] [projects 6.3.2] [projects 6.3.3] [projects 6.3.4] [projects 6.4.1] [projects 6.4.2] [projects 6.4.3] [projects 6.4a] [projects 6.4b] [projects 15.5b] [projects 15.5c] [projects 1.1] [projects 13.1] joining: announcement, answer and the whole stream in order", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  await fill(scene);
  const late = await scene.enter("late");
  const join = late.send("JoinProject", {
    projectId,
    features: FEATURES,
    committerName: "Late",
    committerEmail: "late@example.org",
  });
  // Of the same room, behind the join: it must not come between.
  assertEquals(await scene.told(late, host), [
    `JoinProjectResponse re ${join}`,
    "UpdateWorktree",
    "UpdateWorktree",
    "UpdateDiagnosticSummary",
    "UpdateWorktreeSettings",
    "UpdateRepository",
    "UpdateRepository",
    "UpdateLanguageServer",
  ]);
  for (const peer of [host, guest]) {
    assertEquals(await scene.told(peer), ["AddProjectCollaborator"]);
    assertEquals(peer.all("AddProjectCollaborator").at(-1), {
      projectId,
      collaborator: {
        peerId: late.peerId,
        replicaId: 9,
        userId: late.userId,
        isHost: false,
        committerName: "Late",
        committerEmail: "late@example.org",
      },
    });
  }
  const [first, second] = late.all("UpdateWorktree");
  assertEquals([first?.updatedEntries, first?.isLastUpdate, first?.scanId], [
    entries(256),
    false,
    1n,
  ]);
  assertEquals([second?.updatedEntries, second?.isLastUpdate, second?.removedEntries], [
    entries(40, 257n),
    true,
    [],
  ]);
  assertEquals(late.all("UpdateWorktreeSettings"), [{
    projectId,
    worktreeId: 100n,
    path: "",
    content: "{}",
    kind: 0,
    outsideWorktree: false,
  }]);
  assertEquals(late.all("UpdateRepository").map((one) => [one.isLastUpdate, one.scanId]), [
    [false, 2n],
    [true, 2n],
  ]);
  const [server] = late.all("UpdateLanguageServer");
  assertEquals([server?.languageServerId, server?.serverName], [5n, "ls"]);
  assert(server?.diskBasedDiagnosticsUpdated !== undefined);
  assert(late.received.every(({ originalSenderId }) => originalSenderId === undefined));
});

Deno.test("[projects 3b] [projects 15.5a] nothing of the room comes between the parts of a join stream, however much else is under way", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  for (let chunk = 0n; chunk < 20n; chunk++) {
    await scene.updateWorktree({ updatedEntries: entries(256, 1n + chunk * 256n) });
  }
  const late = await scene.enter("late");
  const join = late.send("JoinProject", { projectId, features: FEATURES });
  const buffer = { projectId, bufferId: 7n, operations: [] };
  for (let index = 0; index < 20; index++) {
    host.send("UpdateBuffer", buffer);
    guest.send("UpdateBuffer", buffer);
    host.send("UpdateWorktree", scene.worktreeUpdate({ scanId: BigInt(2 + index) }));
    host.send("UpdateParticipantLocation", { roomId: scene.roomId, location: { external: {} } });
  }
  await settle(host, guest, late);
  const names = late.fresh().map(({ name, originalSenderId }) =>
    originalSenderId === undefined ? name : `${name} broadcast`
  );
  const response = late.fresh().findIndex(({ respondingTo }) => respondingTo === join);
  const behind = names.slice(response + 1);
  assertEquals(behind.slice(0, 20), Array(20).fill("UpdateWorktree"));
  assertEquals(behind.indexOf("UpdateWorktree", 20), -1);
  assertEquals(new Set(names.slice(0, response)), new Set(response === 0 ? [] : ["RoomUpdated"]));
});

Deno.test("[projects 6.3a] [projects 6.3b] [projects 6.3c] [projects 2b] [projects 2c] [projects 2e] [projects 5.1c] what the answer to a join holds", async () => {
  await using scene = await Scene.open({
    share: {
      windowsPaths: true,
      worktrees: [
        { id: 300n, rootName: "c", visible: false, absPath: "/c", rootRepoCommonDir: "/ignored" },
        { id: 2n ** 63n + 1n, rootName: "z", visible: true, absPath: "/z" },
        { id: 200n, rootName: "b", visible: true, absPath: "/b" },
      ],
    },
  });
  const { host, guest, projectId } = scene;
  host.send("StartLanguageServer", {
    projectId,
    server: { id: 9n, name: "second", worktreeId: 300n, languageName: "TypeScript" },
    capabilities: '{ "b" : 2 }',
  });
  host.send("StartLanguageServer", { projectId, server: { id: 5n, name: "first" } });
  await scene.quiet();
  const late = await scene.enter("late");
  await scene.setRole(late, Role.Talker);
  const answer = await scene.join(late);
  const metadata = (id: bigint, rootName: string, visible: boolean) => ({
    id,
    rootName,
    visible,
    absPath: `/${rootName}`,
  });
  assertEquals(answer, {
    projectId,
    replicaId: 9,
    worktrees: [
      metadata(200n, "b", true),
      metadata(300n, "c", false),
      metadata(2n ** 63n + 1n, "z", true),
    ],
    collaborators: [
      {
        peerId: host.peerId,
        replicaId: 0,
        userId: host.userId,
        isHost: true,
      },
      {
        peerId: guest.peerId,
        replicaId: 8,
        userId: guest.userId,
        isHost: false,
      },
    ],
    languageServers: [
      { id: 9n, name: "second", worktreeId: 300n, languageName: "TypeScript" },
      { id: 5n, name: "first" },
    ],
    role: Role.Talker,
    languageServerCapabilities: ['{ "b" : 2 }', "{}"],
    windowsPaths: true,
    features: FEATURES,
  });
});

Deno.test("[projects 6.1.1] [projects 6.1.3] [projects 4.1] [projects 4.3] joining an unknown project, from outside, or after leaving the room fails", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const stranger = await scene.connect("stranger");
  for (const id of [0n, 999n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    joinError(await guest.ask("JoinProject", { projectId: id, features: FEATURES }));
  }
  joinError(await stranger.ask("JoinProject", { projectId, features: FEATURES }));
  await guest.call("LeaveRoom", {});
  await scene.quiet();
  joinError(await guest.ask("JoinProject", { projectId, features: FEATURES }));
  assertEquals(await scene.told(host, stranger, guest), []);
});

Deno.test("[projects 6.1.3] [projects 4.4] Banned may not join; Guest, Talker, Member and Admin may", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const late = await scene.enter("late");
  const { projectId } = scene;
  await scene.setRole(late, Role.Banned);
  joinError(await late.ask("JoinProject", { projectId, features: FEATURES }));
  for (const role of [Role.Guest, Role.Talker, Role.Member, Role.Admin]) {
    await scene.setRole(late, role);
    assertEquals((await scene.join(late)).role, role);
    late.send("LeaveProject", { projectId });
  }
});

Deno.test("[projects 6.1.2] [projects 18a] [transport 10.6, T12] features of host and guest must be the same set; the refusal names both versions", async () => {
  await using scene = await Scene.open({
    guests: 0,
    share: { features: ["a", "b"] },
    peer: { version: "1.4.2" },
  });
  const { host, projectId } = scene;
  const late = await scene.enter("late", { version: "0.211.5" });
  for (const features of [["a"], [], ["a", "b", "c"], ["a", "c"]]) {
    const text = joinError(await late.ask("JoinProject", { projectId, features }));
    assertMatch(text, /1\.4\.2.*0\.211\.5.*update/s);
    assert(!text.includes("\n"));
  }
  assertEquals(await scene.told(host), []);
  await late.call("JoinProject", { projectId, features: ["b", "a", "a"] });
  // Without its connection, the host's version is not known.
  const other = await scene.enter("other");
  await scene.lose(host);
  const text = joinError(await other.ask("JoinProject", { projectId, features: [] }));
  assertMatch(text, /unknown.*1\.4\.2/s);
});

Deno.test("[projects 18a] [projects 6.1.2] [projects 6.2] [transport 10.6, T12] clients of 2025 share and join among themselves, with replicas from 8", async () => {
  await using scene = await Scene.open({
    guests: 0,
    share: { features: [] },
    peer: { version: OLD, likeZed: true },
  });
  const { projectId } = scene;
  const old = await scene.enter("old");
  assertEquals((await old.call("JoinProject", { projectId })).replicaId, 8);
  const young = await scene.enter("young", { version: "1.0.0" });
  joinError(await young.ask("JoinProject", { projectId, features: FEATURES }));
  assertEquals((await young.call("JoinProject", { projectId })).replicaId, 9);
});

Deno.test("[projects 6.4d] [projects 18a] older guests get one diagnostics message per summary, newer ones a batch", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { projectId } = scene;
  await fill(scene);
  const summaries = [
    { path: "file1", languageServerId: 5n, errorCount: 1, warningCount: 0 },
    { path: "file2", languageServerId: 5n, errorCount: 0, warningCount: 0 },
  ];
  const young = await scene.enter("young", { version: "1.0.0" });
  await scene.join(young);
  await young.settle();
  assertEquals(young.all("UpdateDiagnosticSummary"), [{
    projectId,
    worktreeId: 100n,
    summary: summaries[0],
    moreSummaries: [summaries[1]!],
  }]);
  const old = await scene.enter("old", { version: OLD });
  await scene.join(old);
  await old.settle();
  assertEquals(
    old.all("UpdateDiagnosticSummary"),
    summaries.map((summary) => ({ projectId, worktreeId: 100n, summary, moreSummaries: [] })),
  );
});

Deno.test("[projects 6.4d] [projects 18a] [projects 7.5c] a batch of diagnostics reaches guests of both years, each in the form that they read", async () => {
  await using scene = await Scene.open({ guests: 0, share: { features: [] } });
  const { host, projectId } = scene;
  const [young, old] = [
    await scene.enter("young", { version: "1.0.0" }),
    await scene.enter("old", { version: OLD }),
  ];
  for (const guest of [young, old]) await guest.call("JoinProject", { projectId });
  await scene.quiet();
  const summaries = ["a", "b", "c"].map((path, errorCount) => ({
    path,
    languageServerId: 5n,
    errorCount,
    warningCount: 0,
  }));
  const [first, ...moreSummaries] = summaries;
  const batch = { projectId, worktreeId: 100n, summary: first!, moreSummaries };
  host.send("UpdateDiagnosticSummary", batch);
  const line = "UpdateDiagnosticSummary from host";
  assertEquals(await scene.told(young, host), [line]);
  assertEquals(young.all("UpdateDiagnosticSummary"), [batch]);
  assertEquals(await scene.told(old, host), [line, line, line]);
  // An older guest reads the first summary of each, whatever else there is.
  assertEquals(old.all("UpdateDiagnosticSummary").map(({ summary }) => summary), summaries);
  const [, ...rest] = old.all("UpdateDiagnosticSummary");
  assertEquals(
    rest,
    moreSummaries.map((summary) => ({ ...batch, summary, moreSummaries: [] })),
  );
});

Deno.test("[projects 6.1b] [projects 2k] a second join of one connection fails and changes nothing", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  joinError(await guest.ask("JoinProject", { projectId, features: FEATURES }));
  assertEquals(await scene.told(host), []);
  joinError(await host.ask("JoinProject", { projectId, features: FEATURES }));
  const late = await scene.enter("late");
  const { collaborators, replicaId } = await scene.join(late);
  assertEquals([collaborators.map((one) => one.replicaId), replicaId], [[0, 8], 9]);
});

Deno.test("[projects 6.1c] [projects 15.5a] leave and join sent back to back are handled in that order", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  guest.send("LeaveProject", { projectId });
  const join = guest.send("JoinProject", { projectId, features: FEATURES });
  assertEquals(await scene.told(guest), [
    "RoomUpdated",
    `JoinProjectResponse re ${join}`,
    "UpdateWorktree",
  ]);
  assertEquals(await scene.told(host), [
    "RemoveProjectCollaborator",
    "RoomUpdated",
    "AddProjectCollaborator",
  ]);
  const answer = guest.answers(join)[0]?.value as MessageTypes["JoinProjectResponse"];
  assertEquals(answer.replicaId, 8);
});

Deno.test("[projects 6.1a] [projects 16.6] [projects 6.3.2] a project can be joined while its host is away", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  await fill(scene);
  const late = await scene.enter("late");
  await scene.lose(host);
  const answer = await scene.join(late);
  assertEquals(answer.collaborators[0]?.peerId, host.peerId);
  assertEquals((await scene.told(late)).length, 8);
  assertEquals(await scene.told(guest), ["AddProjectCollaborator"]);
});

Deno.test("[projects 2d] names of committers are kept for guests, and are empty for the host", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { projectId } = scene;
  const join: Init<MessageTypes["JoinProject"]> = {
    projectId,
    features: FEATURES,
    committerName: "Ada",
    committerEmail: "ada@example.org",
  };
  await (await scene.enter("ada")).call("JoinProject", join);
  const late = await scene.enter("late");
  const { collaborators } = await scene.join(late);
  assertEquals(collaborators.map((one) => [one.isHost, one.committerName, one.committerEmail]), [
    [true, undefined, undefined],
    [false, "Ada", "ada@example.org"],
  ]);
});

Deno.test("[projects 6.4c] [projects 15.5d] who joins in the middle of an upload gets what is stored, then the rest", async () => {
  await using scene = await Scene.open({ guests: 0 });
  const { host } = scene;
  await scene.updateWorktree({ updatedEntries: entries(256), isLastUpdate: false });
  const late = await scene.enter("late");
  await scene.join(late);
  host.send(
    "UpdateWorktree",
    scene.worktreeUpdate({ updatedEntries: entries(256, 257n), isLastUpdate: false }),
  );
  host.send("UpdateWorktree", scene.worktreeUpdate({ updatedEntries: [entry(513n, "last")] }));
  assertEquals((await scene.told(late, host)).slice(-3), [
    "UpdateWorktree",
    "UpdateWorktree from host",
    "UpdateWorktree from host",
  ]);
  const chunks = late.all("UpdateWorktree");
  assertEquals(chunks.map(({ isLastUpdate }) => isLastUpdate), [false, false, true]);
  assertEquals(
    chunks.flatMap(({ updatedEntries }) => updatedEntries.map(({ id }) => id)),
    Array.from({ length: 513 }, (_, index) => BigInt(index + 1)),
  );
});
