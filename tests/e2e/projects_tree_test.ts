import { assertEquals } from "@std/assert";
import { encode, messageInfo, type MessageTypes } from "../../proto/mod.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { HeldStore } from "../support/held_store.ts";
import { entries, entry, Scene } from "../support/scene.ts";
import type { TestPeer } from "../support/test_peer.ts";
import { wire } from "../support/wire.ts";
import { waitUntil } from "../support/wait_until.ts";

const TOP = 2n ** 63n;
const LARGEST = 2n ** 64n - 1n;

/** What somebody who joins now is sent of the tree. */
async function joined(
  scene: Scene,
  login: string,
): Promise<{ late: TestPeer; chunks: MessageTypes["UpdateWorktree"][] }> {
  const late = await scene.enter(login);
  await scene.join(late);
  await late.settle();
  return { late, chunks: late.all("UpdateWorktree") };
}

/** Paths that somebody who joins now sees, by id. */
async function seen(scene: Scene, login: string): Promise<[bigint, string][]> {
  const { chunks } = await joined(scene, login);
  return chunks.flatMap(({ updatedEntries }) => updatedEntries)
    .map(({ id, path }): [bigint, string] => [id, path])
    .sort(([a], [b]) => Number(a - b));
}

function isError(answer: { name: string; value: unknown }): boolean {
  return answer.name === "Error" && (answer.value as MessageTypes["Error"]).code === 0;
}

Deno.test("[projects 7] [projects 14a] pushes from a guest are refused, and change and send nothing", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  await scene.updateWorktree({ updatedEntries: [entry(1n, "kept")] });
  await scene.quiet();
  const forged = scene.worktreeUpdate({ removedEntries: [1n], updatedEntries: [entry(2n, "x")] });
  assertEquals(isError(await a!.ask("UpdateWorktree", forged)), true);
  assertEquals(isError(await a!.ask("UpdateRepository", { projectId, id: 1n })), true);
  assertEquals(isError(await a!.ask("RemoveRepository", { projectId, id: 1n })), true);
  a!.send("StartLanguageServer", { projectId, server: { id: 5n, name: "forged" } });
  a!.send("UpdateWorktreeSettings", { projectId, worktreeId: 100n, path: "", content: "{}" });
  a!.send("UpdateDiagnosticSummary", {
    projectId,
    worktreeId: 100n,
    summary: { path: "kept", languageServerId: 5n, errorCount: 1 },
  });
  await a!.settle();
  assertEquals(await scene.told(host), []);
  assertEquals(await scene.told(b!), []);
  const late = await scene.enter("late");
  assertEquals((await scene.join(late)).languageServers, []);
  assertEquals((await scene.told(late)).slice(1), ["UpdateWorktree"]);
  assertEquals(late.all("UpdateWorktree")[0]?.updatedEntries.map(({ path }) => path), ["kept"]);
});

Deno.test("[projects 7.1] [projects 19.2] 257 entries or removals are an Error, 256 of both are taken", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  const ids = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index + 1));
  const tooMany = [
    { updatedEntries: entries(257) },
    { removedEntries: ids(257) },
    { updatedEntries: entries(257), removedEntries: ids(257) },
  ];
  for (const more of tooMany) {
    assertEquals(isError(await host.ask("UpdateWorktree", scene.worktreeUpdate(more))), true);
  }
  assertEquals(await scene.told(guest), []);
  assertEquals(await seen(scene, "none"), []);
  await scene.updateWorktree({ updatedEntries: entries(256, 1000n), removedEntries: ids(256) });
  assertEquals((await scene.told(guest)).at(-1), "UpdateWorktree from host");
  assertEquals((await seen(scene, "all")).length, 256);
});

Deno.test("[projects 7.1] an update of an unknown worktree is an Error and reaches nobody", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  const answer = await host.ask("UpdateWorktree", scene.worktreeUpdate({ worktreeId: 999n }));
  assertEquals(isError(answer), true);
  assertEquals(await scene.told(guest), []);
});

Deno.test("[projects 7a] [projects 7.1a] [projects 7.1d] [projects 7.1f] [projects 1.8] an update is passed on as it came, then acknowledged, and its header is kept", async () => {
  await using scene = await Scene.open({ peer: { likeZed: true } });
  const { host, guest } = scene;
  const update = scene.worktreeUpdate({
    rootName: "renamed",
    absPath: "/elsewhere",
    rootRepoCommonDir: "/git",
    scanId: 4n,
    isLastUpdate: false,
    updatedEntries: [entry(1n, "a")],
    removedEntries: [77n],
    updatedRepositories: [{ repositoryId: 3n }],
    removedRepositories: [4n],
  });
  // A field that this server does not know, behind everything else.
  const encoded = encode("UpdateWorktree", update);
  const payload = new Uint8Array([...encoded, 0xfa, 0x3f, 2, 1, 2]);
  const id = host.sendEncoded(messageInfo("UpdateWorktree").tag as number, payload);
  assertEquals((await host.answer(id)).name, "Ack");
  const passed = await guest.next("UpdateWorktree");
  assertEquals(passed.payload, payload);
  assertEquals(passed.originalSenderId, host.peerId);
  const { chunks: [open] } = await joined(scene, "during");
  assertEquals(
    [open?.rootName, open?.absPath, open?.rootRepoCommonDir, open?.scanId, open?.isLastUpdate],
    ["renamed", "/elsewhere", "/git", 4n, false],
  );
  assertEquals([open?.updatedRepositories, open?.removedRepositories], [[], []]);
  // The end of a scan, which brings nothing else, is told as well.
  guest.skip();
  await scene.updateWorktree({ scanId: 4n, isLastUpdate: true });
  assertEquals(
    (await guest.next("UpdateWorktree")).value,
    wire("UpdateWorktree", scene.worktreeUpdate({ scanId: 4n, isLastUpdate: true })),
  );
  const { late, chunks: [complete] } = await joined(scene, "after");
  assertEquals(
    [complete?.rootName, complete?.rootRepoCommonDir, complete?.scanId, complete?.isLastUpdate],
    ["app", undefined, 4n, true],
  );
  assertEquals(late.all("JoinProjectResponse")[0]?.worktrees[0]?.rootName, "app");
});

Deno.test("[projects 7.1b] [projects 17.1] [projects 2f] a known entry is replaced with all its fields; without a time it is of the epoch", async () => {
  await using scene = await Scene.open();
  await scene.updateWorktree({ updatedEntries: [entry(1n, "old"), entry(2n, "other")] });
  const changed = entry(1n, "new", {
    inode: 5n,
    mtime: undefined,
    isDir: true,
    isIgnored: true,
    isExternal: true,
    isFifo: true,
    isHidden: true,
    size: 0n,
    canonicalPath: "/real",
  });
  await scene.updateWorktree({ updatedEntries: [changed], scanId: 2n });
  const { chunks } = await joined(scene, "late");
  // Whoever comes later is told the epoch where no time was sent.
  const stored = { ...changed, mtime: { seconds: 0n, nanos: 0 } };
  assertEquals(chunks[0]?.updatedEntries, [stored, entry(2n, "other")]);
  assertEquals(scene.guest.all("UpdateWorktree").at(-1)?.updatedEntries, [changed]);
});

Deno.test("[projects 7.1c] [projects 2f] a removed entry is seen no more; unknown ids are passed over", async () => {
  await using scene = await Scene.open();
  await scene.updateWorktree({ updatedEntries: entries(3) });
  await scene.updateWorktree({ removedEntries: [2n, 99n, 2n], scanId: 2n });
  assertEquals(await seen(scene, "late"), [[1n, "file1"], [3n, "file3"]]);
});

Deno.test("[projects 19.5] [projects 17.1] [projects 7.1b] an entry that comes back under its id is seen by a late joiner", async () => {
  await using scene = await Scene.open();
  await scene.updateWorktree({ updatedEntries: entries(2) });
  await scene.updateWorktree({ removedEntries: [1n], scanId: 2n });
  await scene.updateWorktree({ updatedEntries: [entry(1n, "again")], scanId: 3n });
  assertEquals(await seen(scene, "late"), [[1n, "again"], [2n, "file2"]]);
  // Both in one message, as a rename of a folder may do: updates and removals of different ids.
  await scene.updateWorktree({
    updatedEntries: [entry(3n, "moved")],
    removedEntries: [1n],
    scanId: 4n,
  });
  assertEquals(await seen(scene, "later"), [[2n, "file2"], [3n, "moved"]]);
});

Deno.test("[projects 19.3] [projects 7.2a] [projects 6.4.1] an empty worktree gives one complete chunk, an unfinished scan an incomplete last one", async () => {
  await using scene = await Scene.open();
  const { chunks: empty } = await joined(scene, "empty");
  assertEquals(empty.map((one) => [one.updatedEntries, one.isLastUpdate]), [[[], true]]);
  await scene.updateWorktree({ scanId: 2n, isLastUpdate: false });
  const { chunks: begun } = await joined(scene, "begun");
  assertEquals(begun.map((one) => [one.scanId, one.isLastUpdate]), [[2n, false]]);
  await scene.updateWorktree({ scanId: 2n, updatedEntries: entries(256), isLastUpdate: false });
  await scene.updateWorktree({ scanId: 2n, updatedEntries: entries(1, 257n), isLastUpdate: false });
  const { chunks: under } = await joined(scene, "under-way");
  assertEquals(under.map(({ isLastUpdate }) => isLastUpdate), [false, false]);
});

Deno.test("[projects 7.2] [projects 7.2a] [projects 15.5d] chunks hold at most 256 entries, repeat their header, and only the final one is the last", async () => {
  await using scene = await Scene.open();
  for (let first = 1n; first < 700n; first += 256n) {
    await scene.updateWorktree({
      updatedEntries: entries(Number(first + 255n < 700n ? 256n : 701n - first), first),
      isLastUpdate: first + 256n >= 700n,
      scanId: 9n,
    });
  }
  const { chunks } = await joined(scene, "late");
  assertEquals(chunks.map(({ updatedEntries }) => updatedEntries.length), [256, 256, 188]);
  assertEquals(chunks.map(({ isLastUpdate }) => isLastUpdate), [false, false, true]);
  for (const chunk of chunks) {
    assertEquals(
      [chunk.projectId, chunk.worktreeId, chunk.rootName, chunk.absPath, chunk.scanId],
      [scene.projectId, 100n, "app", "/home/host/app", 9n],
    );
  }
  assertEquals(new Set(chunks.flatMap((one) => one.updatedEntries.map(({ id }) => id))).size, 700);
});

Deno.test("[projects 19.6] [projects 1.7] ids above 2^53 and with the top bit survive storage, restart and replay", async () => {
  const worktreeIds = [2n ** 53n + 1n, TOP + 5n, LARGEST];
  await using scene = await Scene.open({
    share: {
      worktrees: worktreeIds.map((id) => ({ id, rootName: `w${id}`, visible: true, absPath: "/" })),
    },
  });
  const { host, projectId } = scene;
  const tree = [2n ** 53n + 1n, 2n ** 53n + 2n, TOP, TOP + 1n, LARGEST - 1n, LARGEST]
    .map((id) => entry(id, `f${id}`, { inode: id - 1n, mtime: { seconds: id, nanos: 1 } }));
  for (const worktreeId of worktreeIds) {
    await scene.updateWorktree({ worktreeId, updatedEntries: tree, scanId: TOP + 7n });
    host.send("UpdateDiagnosticSummary", {
      projectId,
      worktreeId,
      summary: { path: "a", languageServerId: LARGEST, errorCount: 1 },
    });
    host.send("UpdateWorktreeSettings", { projectId, worktreeId, path: "a", content: "{}" });
  }
  host.send("StartLanguageServer", {
    projectId,
    server: { id: LARGEST, name: "ls", worktreeId: TOP + 5n },
  });
  await host.call("UpdateRepository", {
    projectId,
    id: TOP + 9n,
    entryIds: [LARGEST],
    scanId: LARGEST - 3n,
    updatedStatuses: [{ repoPath: "a", simpleStatus: 1 }],
    isLastUpdate: true,
  });
  const check = async (late: TestPeer) => {
    const answer = await scene.join(late);
    await late.settle();
    assertEquals(answer.worktrees.map(({ id }) => id), worktreeIds);
    assertEquals(answer.languageServers.map((one) => [one.id, one.worktreeId]), [
      [LARGEST, TOP + 5n],
    ]);
    for (const [index, update] of late.all("UpdateWorktree").entries()) {
      assertEquals([update.worktreeId, update.scanId], [worktreeIds[index], TOP + 7n]);
      assertEquals(update.updatedEntries.toSorted((a, b) => (a.id < b.id ? -1 : 1)), tree);
      assertEquals(update.isLastUpdate, true);
    }
    assertEquals(
      late.all("UpdateDiagnosticSummary")
        .map(({ worktreeId, summary }) => [worktreeId, summary?.languageServerId]),
      worktreeIds.map((id) => [id, LARGEST]),
    );
    assertEquals(late.all("UpdateWorktreeSettings").map((one) => one.worktreeId), worktreeIds);
    const last = late.all("UpdateRepository").at(-1);
    assertEquals([last?.id, last?.entryIds, last?.scanId], [TOP + 9n, [LARGEST], LARGEST - 3n]);
    assertEquals(late.all("UpdateLanguageServer")[0]?.languageServerId, LARGEST);
  };
  const late = await scene.enter("late");
  await check(late);
  await scene.server.restart();
  const again = await scene.connect("late");
  await again.call("RejoinRoom", { id: scene.roomId });
  await check(again);
});

Deno.test("[projects 15.5e] [projects 15.5d] a new worktree is announced before its entries, whose chunks keep their order", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  host.send("UpdateProject", {
    projectId,
    worktrees: [{ id: 100n, rootName: "app" }, { id: 101n, rootName: "new" }],
  });
  for (let chunk = 0n; chunk < 10n; chunk++) {
    host.send(
      "UpdateWorktree",
      scene.worktreeUpdate({
        worktreeId: 101n,
        updatedEntries: entries(100, 1n + chunk * 100n),
        isLastUpdate: chunk === 9n,
      }),
    );
  }
  assertEquals(await scene.told(guest, host), [
    "UpdateProject from host",
    "RoomUpdated",
    ...Array(10).fill("UpdateWorktree from host"),
  ]);
  const chunks = guest.all("UpdateWorktree").filter(({ worktreeId }) => worktreeId === 101n);
  assertEquals(chunks.map((one) => one.updatedEntries[0]?.id), [
    1n,
    101n,
    201n,
    301n,
    401n,
    501n,
    601n,
    701n,
    801n,
    901n,
  ]);
  assertEquals(chunks.map(({ isLastUpdate }) => isLastUpdate).indexOf(true), 9);
});

Deno.test("[projects 16.4] a guest creates an entry: the host's answer and its update both arrive", async () => {
  await using scene = await Scene.open({ guests: 2 });
  const { host, guests: [a, b], projectId } = scene;
  const request = a!.send("CreateProjectEntry", { projectId, worktreeId: 100n, path: "b.txt" });
  const forwarded = await host.next("CreateProjectEntry");
  assertEquals(forwarded.originalSenderId, a!.peerId);
  host.reply(forwarded, "ProjectEntryResponse", {
    entry: entry(901n, "b.txt"),
    worktreeScanId: 4n,
  });
  const update = host.send(
    "UpdateWorktree",
    scene.worktreeUpdate({ updatedEntries: [entry(901n, "b.txt")], scanId: 4n }),
  );
  assertEquals(await scene.told(host), [`Ack re ${update}`]);
  assertEquals(await scene.told(a!), [
    `ProjectEntryResponse re ${request}`,
    "UpdateWorktree from host",
  ]);
  assertEquals(await scene.told(b!), ["UpdateWorktree from host"]);
  const passed = a!.all("UpdateWorktree").at(-1);
  assertEquals([passed?.scanId, passed?.isLastUpdate], [4n, true]);
});

Deno.test("[projects 7.1] an entry that cannot be read ends its sender, and nobody else notices", async () => {
  await using scene = await Scene.open();
  const { host, guest } = scene;
  await scene.updateWorktree({ updatedEntries: [entry(1n, "kept")] });
  await scene.quiet();
  const good = encode(
    "UpdateWorktree",
    scene.worktreeUpdate({ updatedEntries: [entry(2n, "x")], scanId: 2n }),
  );
  // An `updated_entries` whose only field goes beyond its end.
  const payload = new Uint8Array([...good, 0x22, 2, 0x0a, 9]);
  host.sendEncoded(messageInfo("UpdateWorktree").tag as number, payload);
  await host.closed;
  assertEquals(await scene.told(guest), []);
  const metrics = await scene.server.server.metrics.text();
  assertEquals(/actor_crashes_total\{[^}]*kind="room"[^}]*\} [1-9]/.test(metrics), false);
  guest.send("LeaveProject", { projectId: scene.projectId });
  await scene.join(guest);
  await guest.settle();
  assertEquals(guest.all("UpdateWorktree").at(-1)?.updatedEntries, [entry(1n, "kept")]);
});

Deno.test("[projects 7.1e] [projects 13.2] [projects 7a] while the database takes its time the Acks wait, and nothing is refused or told", async () => {
  await using held = new HeldStore(await openSqlite({ path: ":memory:" }));
  await using scene = await Scene.open({ parts: { store: held.store } });
  const { host, guest, projectId } = scene;
  const stranger = await scene.connect("stranger");
  {
    using _ = held.hold();
    host.send("UpdateWorktree", scene.worktreeUpdate({ updatedEntries: entries(200) }));
    host.send("UpdateWorktree", scene.worktreeUpdate({ scanId: 2n }));
    host.send("UpdateRepository", { projectId, id: 1n });
    await waitUntil(() => held.waiting > 0, { describe: "a commit that is held up" });
    // Whatever had been told by now would be here when somebody else has had an answer.
    await stranger.settle();
    assertEquals([host.fresh(), guest.fresh()], [[], []]);
  }
  await host.settle();
  assertEquals(host.fresh().map(({ name }) => name), ["Ack", "Ack", "Ack"]);
  assertEquals(await scene.told(guest), [
    "UpdateWorktree from host",
    "UpdateWorktree from host",
    "UpdateRepository from host",
  ]);
});

Deno.test("[projects 13.3e] removed entries, statuses and repositories are only marked, until their parent goes", async () => {
  await using scene = await Scene.open();
  const { host, projectId } = scene;
  const repository = { projectId, id: 1n, isLastUpdate: true };
  await scene.updateWorktree({ updatedEntries: entries(2) });
  await scene.updateWorktree({ removedEntries: [1n], scanId: 2n });
  await host.call("UpdateRepository", {
    ...repository,
    updatedStatuses: [{ repoPath: "a" }, { repoPath: "b" }],
  });
  await host.call("UpdateRepository", { ...repository, removedStatuses: ["a"] });
  await host.call("RemoveRepository", { projectId, id: 1n });
  const { store } = scene.server.server;
  const counts = async () => [
    (await store.load("worktree_entries")).length,
    (await store.load("repository_statuses")).length,
    (await store.load("repositories")).length,
  ];
  assertEquals(await counts(), [2, 2, 1]);
  await host.call("UpdateProject", { projectId, worktrees: [] });
  assertEquals(await counts(), [0, 2, 1]);
  host.send("UnshareProject", { projectId });
  await scene.told(host);
  assertEquals(await counts(), [0, 0, 0]);
});
