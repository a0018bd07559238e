import { assertEquals } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";

type Summary = Init<MessageTypes["DiagnosticSummary"]>;
type Settings = Init<MessageTypes["UpdateWorktreeSettings"]>;

const Kind = { Settings: 0, Tasks: 1, Editorconfig: 2, Debug: 3 } as const;

function diagnose(scene: Scene, summary: Summary | undefined, ...moreSummaries: Summary[]): void {
  scene.host.send("UpdateDiagnosticSummary", {
    projectId: scene.projectId,
    worktreeId: 100n,
    summary,
    moreSummaries,
  });
}

function configure(scene: Scene, more: Settings): void {
  scene.host.send("UpdateWorktreeSettings", {
    projectId: scene.projectId,
    worktreeId: 100n,
    path: "",
    ...more,
  });
}

async function joined(scene: Scene, login: string): Promise<TestPeer> {
  const late = await scene.enter(login);
  await scene.join(late);
  await late.settle();
  return late;
}

/** Summaries of a peer as `path/server errors:warnings`, in an order that says nothing. */
function summaries(peer: TestPeer): string[] {
  return peer.all("UpdateDiagnosticSummary")
    .flatMap(({ summary, moreSummaries }) => [summary!, ...moreSummaries])
    .map((one) => `${one.path}/${one.languageServerId} ${one.errorCount}:${one.warningCount}`)
    .sort();
}

/** Settings of a peer as `path kind content`, in an order that says nothing. */
function settings(peer: TestPeer): string[] {
  return peer.all("UpdateWorktreeSettings")
    .map(({ path, kind, content }) => `${path} ${kind} ${content}`)
    .sort();
}

Deno.test("[projects 7.5] [projects 7.5b] [projects 7.5c] [projects 17.2] [projects 2h] summaries are passed on and kept by path and server, all of a batch, zero counts too", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  diagnose(
    scene,
    { path: "a", languageServerId: 1n, errorCount: 1, warningCount: 2 },
    { path: "a", languageServerId: 2n, errorCount: 3 },
    { path: "b", languageServerId: 1n, warningCount: 4 },
  );
  diagnose(scene, { path: "a", languageServerId: 1n });
  assertEquals(await scene.told(guest, host), [
    "UpdateDiagnosticSummary from host",
    "UpdateDiagnosticSummary from host",
  ]);
  assertEquals(guest.all("UpdateDiagnosticSummary")[0]?.moreSummaries.length, 2);
  assertEquals(await scene.told(host), []);
  assertEquals(summaries(await joined(scene, "late")), ["a/1 0:0", "a/2 3:0", "b/1 0:4"]);
});

Deno.test("[projects 7.5a] [projects 14] diagnostics without summary or of an unknown worktree are dropped without an answer", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  diagnose(scene, undefined);
  diagnose(scene, undefined, { path: "a", languageServerId: 1n, errorCount: 1 });
  host.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 999n,
    summary: { path: "a", languageServerId: 1n, errorCount: 1 },
  });
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(guest), []);
  await host.call("UpdateProject", {
    projectId,
    worktrees: [{ id: 100n, rootName: "app" }, { id: 999n, rootName: "late" }],
  });
  assertEquals(summaries(await joined(scene, "late")), []);
});

Deno.test("[projects 7.6] [projects 7.6b] [projects 17.2] settings of one directory are kept apart by kind, stored and deleted one by one", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  configure(scene, { content: "s" });
  configure(scene, { kind: Kind.Editorconfig, content: "e" });
  configure(scene, { kind: Kind.Tasks, content: "t" });
  configure(scene, { kind: Kind.Debug, content: "d" });
  configure(scene, { path: "sub", kind: Kind.Settings, content: "" });
  assertEquals(await scene.told(guest, host), Array(5).fill("UpdateWorktreeSettings from host"));
  assertEquals(settings(await joined(scene, "one")), [" 0 s", " 1 t", " 2 e", " 3 d", "sub 0 "]);
  await scene.quiet();
  configure(scene, { content: "changed" });
  configure(scene, { kind: Kind.Editorconfig });
  configure(scene, { path: "never", kind: Kind.Tasks });
  assertEquals(await scene.told(guest, host), Array(3).fill("UpdateWorktreeSettings from host"));
  assertEquals(guest.all("UpdateWorktreeSettings").at(-1)?.content, undefined);
  assertEquals(settings(await joined(scene, "two")), [" 0 changed", " 1 t", " 3 d", "sub 0 "]);
});

Deno.test("[projects 7.6a] [projects 14] settings of an unknown kind are refused without an answer", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  configure(scene, { kind: 4, content: "x" });
  configure(scene, { kind: -1, content: "x" });
  configure(scene, { kind: 77 });
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(guest), []);
  assertEquals(settings(await joined(scene, "late")), []);
});

Deno.test("[projects 7.6c] [projects 5.2e] [projects 17.8] settings that overtake their worktree reach guests and joiners when it appears", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  configure(scene, { content: "known" });
  configure(scene, { worktreeId: 101n, content: "early" });
  const before = await joined(scene, "before");
  assertEquals(settings(before), [" 0 known"]);
  await scene.quiet();
  await host.call("UpdateProject", {
    projectId,
    worktrees: [{ id: 100n, rootName: "app" }, { id: 101n, rootName: "new" }],
  });
  for (const one of [guest, before]) {
    assertEquals(await scene.told(one), [
      "UpdateProject from host",
      "UpdateWorktreeSettings",
      "UpdateWorktreeSettings",
      "RoomUpdated",
    ]);
    assertEquals(
      one.all("UpdateWorktreeSettings").slice(-2)
        .map(({ worktreeId, content, kind }) => [worktreeId, content, kind]),
      [[100n, "known", 0], [101n, "early", 0]],
    );
  }
  assertEquals(settings(await joined(scene, "after")), [" 0 early", " 0 known"]);
});

Deno.test("[projects 7.6d] settings outside the worktree keep their mark and absolute path", async () => {
  await using scene = await Scene.open();
  configure(scene, {
    path: "/home/host/.editorconfig",
    kind: Kind.Editorconfig,
    content: "root = true",
    outsideWorktree: true,
  });
  configure(scene, { content: "inside" });
  const late = await joined(scene, "late");
  assertEquals(
    late.all("UpdateWorktreeSettings").map((one) => [one.path, one.outsideWorktree]).sort(),
    [["", false], ["/home/host/.editorconfig", true]],
  );
});

Deno.test("[projects 6.4.2] [projects 6.4.3] [projects 6.4.1] each worktree's tree, diagnostics and settings come together, worktrees by id", async () => {
  await using scene = await Scene.open({
    share: {
      worktrees: [300n, 100n, 200n].map((id) => ({ id, rootName: `w${id}`, visible: true })),
    },
  });
  for (const worktreeId of [200n, 300n, 100n]) {
    configure(scene, { worktreeId, content: "s" });
    scene.host.send("UpdateDiagnosticSummary", {
      projectId: scene.projectId,
      worktreeId,
      summary: { path: "a", languageServerId: 1n, errorCount: 1 },
    });
  }
  await scene.host.settle();
  const late = await scene.enter("late");
  await scene.join(late);
  await late.settle();
  const told = late.fresh().slice(1).map(({ name, value }) => [
    name,
    (value as { worktreeId: bigint }).worktreeId,
  ]);
  assertEquals(
    told,
    [100n, 200n, 300n].flatMap((id) => [
      ["UpdateWorktree", id],
      ["UpdateDiagnosticSummary", id],
      ["UpdateWorktreeSettings", id],
    ]),
  );
});
