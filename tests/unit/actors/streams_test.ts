import { assert, assertEquals } from "@std/assert";
import { Repository } from "../../../actors/project/repository.ts";
import { diagnosticKey, ProjectState, settingsKey } from "../../../actors/project/state.ts";
import { joinStream, type Known, rejoinStream } from "../../../actors/project/streams.ts";
import { Worktree } from "../../../actors/project/worktree.ts";
import {
  encode,
  type Init,
  type MessageName,
  type MessageTypes,
  type UpdateRepository,
  type UpdateWorktree,
} from "../../../proto/mod.ts";
import { Outbox, type OutgoingStream } from "../../../rpc/outbox.ts";
import { peerKey } from "../../../rpc/peer_id.ts";
import { FakeSocket, type ReadMessage } from "../rpc/fake_socket.ts";

const PROJECT = 12n;

function newProject(): ProjectState {
  return new ProjectState({
    id: Number(PROJECT),
    roomId: 3,
    hostUserId: 1,
    hostKey: peerKey(1, 1),
    windowsPaths: false,
    features: [],
  });
}

/** The stream as its receiver reads it. */
function written(stream: OutgoingStream): ReadMessage[] {
  const socket = new FakeSocket();
  const outbox = new Outbox({
    socket,
    durability: { durable: 0, refused: () => false, wait: () => {} },
    monitor: { watch: () => {}, pumpLater: (outbox) => outbox.pump() },
    evict: (reason) => {
      throw new Error(reason);
    },
    failed: (error) => {
      throw error;
    },
  });
  outbox.stream(stream, 0);
  for (const { respondingTo, originalSenderId } of socket.messages) {
    assertEquals([respondingTo, originalSenderId], [undefined, undefined]);
  }
  return socket.messages;
}

/** The messages of one name. */
function only<N extends MessageName>(messages: readonly ReadMessage[], name: N): MessageTypes[N][] {
  return messages.filter((one) => one.name === name)
    .map(({ value }) => value as unknown as MessageTypes[N]);
}

function names(messages: readonly ReadMessage[]): string {
  return messages.map(({ name }) => name).join(" ");
}

function addWorktree(project: ProjectState, id: bigint, entries = 0, scanId = 1n): Worktree {
  const worktree = new Worktree(id, `root${id}`, `/abs/${id}`, true);
  for (let entry = 1n; entry <= entries; entry++) putEntry(worktree, entry, scanId);
  worktree.scanId = worktree.completedScanId = entries === 0 ? 0n : scanId;
  project.worktrees.set(id, worktree);
  return worktree;
}

function putEntry(worktree: Worktree, id: bigint, scanId: bigint): void {
  const buffer = encode("Entry", { id, path: `file${id}` });
  worktree.put(id, scanId, { buffer, start: 0, end: buffer.length });
}

function addSettings(project: ProjectState, worktreeId: bigint, path: string, kind: number): void {
  project.settings.set(settingsKey(worktreeId, path, kind), {
    worktreeId,
    path,
    kind,
    content: `{"${path}":${kind}}`,
    outsideWorktree: false,
  });
}

function addDiagnostics(
  project: ProjectState,
  worktreeId: bigint,
  path: string,
  languageServerId: bigint,
): void {
  project.diagnostics.set(diagnosticKey(worktreeId, path, languageServerId), {
    worktreeId,
    path,
    languageServerId,
    bytes: encode("DiagnosticSummary", { path, languageServerId, errorCount: 2 }),
  });
}

function addRepository(
  project: ProjectState,
  id: bigint,
  statuses = 0,
  scanId = 5n,
): Repository {
  const repository = new Repository(id);
  repository.scanId = scanId;
  repository.state = state({ absPath: `/repo/${id}`, scanId, currentMergeConflicts: ["m"] });
  repository.branches = state({ branchList: [{ refName: "main" }], branchListError: "e" });
  for (let status = 0; status < statuses; status++) putStatus(repository, `s${status}`, scanId);
  project.repositories.set(id, repository);
  return repository;
}

function state(init: Init<MessageTypes["UpdateRepository"]>): Uint8Array {
  return encode("UpdateRepository", init);
}

function putStatus(repository: Repository, repoPath: string, scanId: bigint): void {
  repository.statuses.set(repoPath, { scanId, bytes: encode("StatusEntry", { repoPath }) });
}

function known(
  worktrees: Record<string, bigint> = {},
  repositories: Record<string, bigint> = {},
): Known {
  const map = (record: Record<string, bigint>) =>
    new Map(Object.entries(record).map(([id, scan]) => [BigInt(id), scan]));
  return { worktrees: map(worktrees), repositories: map(repositories) };
}

/** Updated, removed and the last flag of each chunk. */
function sizes(updates: readonly UpdateWorktree[]): [number, number, boolean][] {
  return updates.map((one) => [
    one.updatedEntries.length,
    one.removedEntries.length,
    one.isLastUpdate,
  ]);
}

function statusSizes(updates: readonly UpdateRepository[]): [number, number, boolean][] {
  return updates.map((one) => [
    one.updatedStatuses.length,
    one.removedStatuses.length,
    one.isLastUpdate,
  ]);
}

Deno.test("[projects 6.4] worktrees with their diagnostics and settings by id, repositories, servers", () => {
  const project = newProject();
  addWorktree(project, 9n, 1);
  addWorktree(project, 2n, 1);
  for (const id of [2n, 9n]) {
    addDiagnostics(project, id, "a", 1n);
    addSettings(project, id, "", 0);
  }
  addRepository(project, 7n);
  project.languageServers.set(4n, { bytes: new Uint8Array(0), name: "rust", capabilities: "{}" });
  const messages = written(joinStream(project, true));
  assertEquals(
    names(messages),
    "UpdateWorktree UpdateDiagnosticSummary UpdateWorktreeSettings " +
      "UpdateWorktree UpdateDiagnosticSummary UpdateWorktreeSettings " +
      "UpdateRepository UpdateLanguageServer",
  );
  assertEquals(messages.slice(0, 6).map(({ value }) => value.worktreeId), [2n, 2n, 2n, 9n, 9n, 9n]);
  assert(messages.every(({ value }) => value.projectId === PROJECT));
  const [server] = only(messages, "UpdateLanguageServer");
  assertEquals([server?.languageServerId, server?.serverName], [4n, "rust"]);
  assertEquals(server?.diskBasedDiagnosticsUpdated, {});
});

Deno.test("[projects 7.2] each chunk has at most 256 entries and the header's fields", () => {
  const project = newProject();
  const worktree = addWorktree(project, 2n, 600);
  worktree.rootRepoCommonDir = "/common";
  const updates = only(written(joinStream(project, true)), "UpdateWorktree");
  assertEquals(sizes(updates), [[256, 0, false], [256, 0, false], [88, 0, true]]);
  for (const update of updates) {
    assertEquals(
      [update.projectId, update.worktreeId, update.rootName, update.absPath, update.scanId],
      [PROJECT, 2n, "root2", "/abs/2", 1n],
    );
    assertEquals(update.rootRepoCommonDir, "/common");
    assertEquals([update.updatedRepositories, update.removedRepositories], [[], []]);
  }
  const ids = updates.flatMap((update) => update.updatedEntries.map(({ id }) => id));
  assertEquals(new Set(ids).size, 600);
});

Deno.test("[projects 19.3] an empty worktree gives one complete chunk, an unfinished scan an incomplete last", () => {
  const project = newProject();
  addWorktree(project, 1n);
  const scanning = addWorktree(project, 2n, 300, 7n);
  scanning.completedScanId = 6n;
  const updates = only(written(joinStream(project, true)), "UpdateWorktree");
  assertEquals(sizes(updates), [[0, 0, true], [256, 0, false], [44, 0, false]]);
  assertEquals(updates.map(({ scanId }) => scanId), [0n, 7n, 7n]);
});

Deno.test("[projects 13.3e] removed entries and statuses are not in a join", () => {
  const project = newProject();
  const worktree = addWorktree(project, 1n, 3);
  worktree.remove(2n, 2n);
  const repository = addRepository(project, 7n, 3);
  repository.statuses.set("s1", { scanId: 6n, bytes: undefined });
  const messages = written(joinStream(project, true));
  const [tree] = only(messages, "UpdateWorktree");
  assertEquals(tree?.updatedEntries.map(({ id }) => id), [1n, 3n]);
  assertEquals(tree?.removedEntries, []);
  assertEquals(statusSizes(only(messages, "UpdateRepository")), [[2, 0, false], [0, 0, true]]);
});

Deno.test("[projects 7.4] statuses in chunks that are never last, then exactly one closing message", () => {
  const project = newProject();
  addRepository(project, 7n, 600);
  addRepository(project, 8n, 256);
  addRepository(project, 9n);
  const updates = only(written(joinStream(project, true)), "UpdateRepository");
  const of = (id: bigint) => updates.filter((update) => update.id === id);
  assertEquals(statusSizes(of(7n)), [[256, 0, false], [256, 0, false], [88, 0, false], [
    0,
    0,
    true,
  ]]);
  assertEquals(statusSizes(of(8n)), [[256, 0, false], [0, 0, true]]);
  assertEquals(statusSizes(of(9n)), [[0, 0, true]]);
  for (const update of updates) {
    assertEquals([update.projectId, update.absPath, update.scanId], [
      PROJECT,
      `/repo/${update.id}`,
      5n,
    ]);
    assertEquals(update.currentMergeConflicts, ["m"]);
    const branches = [update.branchList.length, update.branchListError];
    assertEquals(branches, update.isLastUpdate ? [1, "e"] : [0, undefined]);
  }
});

Deno.test("[projects 7.4] a repository that is removed is not in a join", () => {
  const project = newProject();
  addRepository(project, 7n, 3).deleted = true;
  assertEquals(written(joinStream(project, true)), []);
});

Deno.test("[projects 6.4d] diagnostics come one by one for older guests, all in one for newer ones", () => {
  const project = newProject();
  addWorktree(project, 1n);
  for (const path of ["a", "b", "c"]) addDiagnostics(project, 1n, path, 1n);
  addDiagnostics(project, 1n, "a", 2n);
  const old = only(written(joinStream(project, false)), "UpdateDiagnosticSummary");
  assertEquals(old.map((one) => [one.summary?.path, one.summary?.languageServerId]), [
    ["a", 1n],
    ["b", 1n],
    ["c", 1n],
    ["a", 2n],
  ]);
  assert(old.every((one) => one.moreSummaries.length === 0));
  const [batch, ...rest] = only(written(joinStream(project, true)), "UpdateDiagnosticSummary");
  assertEquals([batch?.summary?.path, rest.length], ["a", 0]);
  assertEquals(batch?.moreSummaries.map(({ path }) => path), ["b", "c", "a"]);
  assertEquals([batch?.projectId, batch?.worktreeId], [PROJECT, 1n]);
});

Deno.test("[projects 6.4.3] settings come with content and kind, also the first kind", () => {
  const project = newProject();
  addWorktree(project, 1n);
  addSettings(project, 1n, "", 0);
  addSettings(project, 1n, "", 3);
  addSettings(project, 2n, "of a worktree that is not there", 0);
  const settings = only(written(joinStream(project, true)), "UpdateWorktreeSettings");
  assertEquals(settings.map(({ path, kind, content }) => [path, kind, content]), [
    ["", 0, '{"":0}'],
    ["", 3, '{"":3}'],
  ]);
});

Deno.test("[projects 6.4c] what a join tells is fixed when it begins", () => {
  const project = newProject();
  const worktree = addWorktree(project, 1n, 300);
  const repository = addRepository(project, 7n, 300);
  addSettings(project, 1n, "a", 0);
  addDiagnostics(project, 1n, "a", 1n);
  const stream = joinStream(project, true);
  const first = stream.next();
  worktree.scanId = 2n;
  worktree.rootName = "renamed";
  putEntry(worktree, 900n, 2n);
  worktree.remove(1n, 2n);
  repository.state = state({ absPath: "/elsewhere" });
  putStatus(repository, "later", 9n);
  project.settings.clear();
  project.diagnostics.clear();
  addWorktree(project, 2n, 5);
  const whole = [first, ...rest(stream)].filter((one) => !one.done).map((one) => one.value);
  const messages = written(whole[Symbol.iterator]() as OutgoingStream);
  const updates = only(messages, "UpdateWorktree");
  assertEquals(sizes(updates), [[256, 0, false], [44, 0, true]]);
  assert(updates.every(({ scanId, rootName }) => scanId === 1n && rootName === "root1"));
  assertEquals(statusSizes(only(messages, "UpdateRepository")), [
    [256, 0, false],
    [44, 0, false],
    [0, 0, true],
  ]);
  assertEquals(only(messages, "UpdateWorktreeSettings").length, 1);
  assertEquals(only(messages, "UpdateDiagnosticSummary").length, 1);
});

function* rest(stream: OutgoingStream): Generator<IteratorResult<unknown, void>> {
  for (let next = stream.next(); !next.done; next = stream.next()) yield next;
}

Deno.test("[projects 12.4] a rejoin gets the entries newer than its scan, removed ones by id", () => {
  const project = newProject();
  const worktree = addWorktree(project, 1n, 10);
  putEntry(worktree, 3n, 4n);
  putEntry(worktree, 11n, 5n);
  worktree.remove(7n, 5n);
  worktree.scanId = worktree.completedScanId = 5n;
  const delta = (scan: bigint) =>
    only(written(rejoinStream(project, known({ 1: scan }), true)), "UpdateWorktree");
  const [all] = delta(3n);
  assertEquals(all?.updatedEntries.map(({ id }) => id), [3n, 11n]);
  assertEquals([all?.removedEntries, all?.scanId, all?.isLastUpdate], [[7n], 5n, true]);
  assertEquals(delta(4n)[0]?.updatedEntries.map(({ id }) => id), [11n]);
  assertEquals(sizes(delta(5n)), [[0, 0, true]]);
});

Deno.test("[projects 7.2] updates and removals of a delta are chunked side by side", () => {
  const project = newProject();
  const worktree = addWorktree(project, 1n, 900);
  for (let id = 1n; id <= 600n; id++) worktree.remove(id, 2n);
  for (let id = 601n; id <= 900n; id++) putEntry(worktree, id, 2n);
  worktree.scanId = worktree.completedScanId = 2n;
  const updates = only(written(rejoinStream(project, known({ 1: 1n }), true)), "UpdateWorktree");
  assertEquals(sizes(updates), [[256, 256, false], [44, 256, false], [0, 88, true]]);
  assert(updates.every(({ rootName, absPath }) => rootName === "root1" && absPath === "/abs/1"));
  worktree.completedScanId = 1n;
  const unfinished = only(written(rejoinStream(project, known({ 1: 1n }), true)), "UpdateWorktree");
  assertEquals(unfinished.map(({ isLastUpdate }) => isLastUpdate), [false, false, false]);
});

Deno.test("[projects 12.4] a worktree that the guest does not list comes whole, one that is gone not at all", () => {
  const project = newProject();
  const worktree = addWorktree(project, 1n, 3);
  worktree.remove(2n, 1n);
  const messages = written(rejoinStream(project, known({ 5: 1n }), true));
  assertEquals(names(messages), "UpdateWorktree");
  const [tree] = only(messages, "UpdateWorktree");
  assertEquals(tree?.updatedEntries.map(({ id }) => id), [1n, 3n]);
  assertEquals(tree?.removedEntries, []);
});

Deno.test("[projects 12.4] a rejoin gets all settings and diagnostics, whatever it had", () => {
  const project = newProject();
  addWorktree(project, 1n, 3);
  addSettings(project, 1n, "a", 0);
  addDiagnostics(project, 1n, "a", 1n);
  const messages = written(rejoinStream(project, known({ 1: 1n }), false));
  assertEquals(names(messages), "UpdateWorktree UpdateDiagnosticSummary UpdateWorktreeSettings");
});

Deno.test("[projects 12.4] a repository is sent once if it is newer, with what changed in it", () => {
  const project = newProject();
  const repository = addRepository(project, 7n, 3, 5n);
  putStatus(repository, "new", 6n);
  repository.statuses.set("s0", { scanId: 6n, bytes: undefined });
  repository.scanId = 6n;
  addRepository(project, 8n, 1, 5n);
  const updates = only(
    written(rejoinStream(project, known({}, { 7: 5n, 8: 5n }), true)),
    "UpdateRepository",
  );
  assertEquals(updates.map(({ id }) => id), [7n, 7n]);
  assertEquals(statusSizes(updates), [[1, 1, false], [0, 0, true]]);
  assertEquals([updates[0]?.updatedStatuses[0]?.repoPath, updates[0]?.removedStatuses], ["new", [
    "s0",
  ]]);
});

Deno.test("[projects 12.4] a repository that the guest does not list comes whole, without tombstones", () => {
  const project = newProject();
  const repository = addRepository(project, 7n, 3);
  repository.statuses.set("s0", { scanId: 6n, bytes: undefined });
  const updates = only(written(rejoinStream(project, known(), true)), "UpdateRepository");
  assertEquals(statusSizes(updates), [[2, 0, false], [0, 0, true]]);
});

Deno.test("[projects 12.5.5] removed repositories come last, each to who had it; no language servers", () => {
  const project = newProject();
  project.languageServers.set(4n, { bytes: new Uint8Array(0), name: "rust", capabilities: "{}" });
  addRepository(project, 7n, 1).deleted = true;
  addRepository(project, 8n, 1).deleted = true;
  addRepository(project, 9n, 1);
  const messages = written(rejoinStream(project, known({}, { 7: 5n }), true));
  assertEquals(names(messages), "UpdateRepository UpdateRepository RemoveRepository");
  assertEquals(only(messages, "RemoveRepository"), [{ projectId: PROJECT, id: 7n }]);
});
