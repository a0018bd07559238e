import { assertEquals } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { Scene } from "../support/scene.ts";
import { wire } from "../support/wire.ts";

type Update = MessageTypes["UpdateRepository"];

const status = (repoPath: string, simpleStatus = 2) =>
  wire("StatusEntry", {
    repoPath,
    simpleStatus,
    status: { tracked: { indexStatus: 1, worktreeStatus: 2 } },
    diffStatAdded: 3,
    diffStatDeleted: 0,
  });

const statuses = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => status(`f${String(first + index).padStart(4, "0")}`));

/** Everything that is complete state, statuses and branch list apart. */
const STATE: Init<Update> = {
  absPath: "/home/host/app",
  entryIds: [1n, 2n ** 63n + 2n],
  branchSummary: { isHead: true, refName: "refs/heads/main" },
  currentMergeConflicts: ["a", "b"],
  headCommitDetails: { sha: "abc", message: "one\ntwo" },
  mergeMessage: "merge",
  stashEntries: [{ oid: new Uint8Array([1, 2]), message: "wip", index: 1n, timestamp: 5n }],
  remoteUpstreamUrl: "git@example.org:up",
  remoteOriginUrl: "git@example.org:origin",
  linkedWorktrees: [{ path: "/linked", refName: "refs/heads/x", sha: "def" }],
  repositoryDirAbsPath: "/home/host/app/.git",
  commonDirAbsPath: "/home/host/app/.git",
};
const BRANCHES: Init<Update> = {
  branchList: [{ refName: "refs/heads/main" }, { refName: "refs/heads/dev" }],
  branchListError: "slow",
};

/** Sends an update of a repository of the scene and waits for its Ack. */
async function update(scene: Scene, more: Init<Update>): Promise<void> {
  await scene.host.call("UpdateRepository", {
    projectId: scene.projectId,
    id: 1n,
    isLastUpdate: true,
    ...more,
  });
}

/** What somebody who joins now is sent of the repositories. */
async function joined(scene: Scene, login: string): Promise<Update[]> {
  const late = await scene.enter(login);
  await scene.join(late);
  await late.settle();
  return late.all("UpdateRepository");
}

const live = (updates: readonly Update[]) =>
  updates.flatMap((one) => one.updatedStatuses).map(({ repoPath }) => repoPath).sort();

Deno.test("[projects 7.3] [projects 7.3b] [projects 7a] [projects 1.4a] updates and removals of repositories are passed on, then acknowledged", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId } = scene;
  const one = host.send("UpdateRepository", {
    projectId,
    id: 1n,
    ...STATE,
    ...BRANCHES,
    updatedStatuses: statuses(2),
    scanId: 3n,
    isLastUpdate: true,
  });
  const two = host.send("RemoveRepository", { projectId, id: 1n });
  const unknown = host.send("RemoveRepository", { projectId, id: 99n });
  assertEquals(await scene.told(host), [`Ack re ${one}`, `Ack re ${two}`, `Ack re ${unknown}`]);
  assertEquals(await scene.told(guest), [
    "UpdateRepository from host",
    "RemoveRepository from host",
    "RemoveRepository from host",
  ]);
  assertEquals(
    guest.all("UpdateRepository")[0],
    wire("UpdateRepository", {
      projectId,
      id: 1n,
      ...STATE,
      ...BRANCHES,
      updatedStatuses: statuses(2),
      scanId: 3n,
      isLastUpdate: true,
    }),
  );
  assertEquals(await joined(scene, "late"), []);
});

Deno.test("[projects 7.3] [projects 7.3c] [projects 7.4] [projects 17.6] [projects 2g] a joiner gets all scalars, lists and statuses as the host told them", async () => {
  await using scene = await Scene.open();
  const { projectId } = scene;
  await update(scene, { ...STATE, ...BRANCHES, updatedStatuses: statuses(2), scanId: 3n });
  const scalars = { projectId, id: 1n, ...STATE, scanId: 3n };
  assertEquals(await joined(scene, "late"), [
    wire("UpdateRepository", { ...scalars, updatedStatuses: statuses(2) }),
    wire("UpdateRepository", { ...scalars, ...BRANCHES, isLastUpdate: true }),
  ]);
});

Deno.test("[projects 7.3] [projects 17.6] scalars and lists of a later update replace all of the earlier; statuses are merged by path", async () => {
  await using scene = await Scene.open();
  const { projectId } = scene;
  await update(scene, { ...STATE, ...BRANCHES, updatedStatuses: statuses(3), scanId: 3n });
  const changed = status("f0001", 4);
  await update(scene, {
    absPath: "/moved",
    updatedStatuses: [changed],
    removedStatuses: ["f0002", "never"],
    scanId: 4n,
  });
  const scalars = { projectId, id: 1n, absPath: "/moved", scanId: 4n };
  assertEquals(await joined(scene, "late"), [
    wire("UpdateRepository", { ...scalars, updatedStatuses: [status("f0000"), changed] }),
    wire("UpdateRepository", { ...scalars, isLastUpdate: true }),
  ]);
});

Deno.test("[projects 7.3a] branch lists count only in a closing update", async () => {
  await using scene = await Scene.open();
  const closing = async (login: string) => {
    const { branchList, branchListError } = (await joined(scene, login)).at(-1)!;
    return [branchList.map(({ refName }) => refName), branchListError];
  };
  await update(scene, { ...BRANCHES, isLastUpdate: false });
  assertEquals(await closing("before"), [[], undefined]);
  await update(scene, { ...BRANCHES });
  assertEquals(await closing("first"), [["refs/heads/main", "refs/heads/dev"], "slow"]);
  await update(scene, { branchList: [{ refName: "refs/heads/no" }], isLastUpdate: false });
  assertEquals(await closing("second"), [["refs/heads/main", "refs/heads/dev"], "slow"]);
  await update(scene, { branchList: [{ refName: "refs/heads/yes" }] });
  assertEquals(await closing("third"), [["refs/heads/yes"], undefined]);
});

Deno.test("[projects 19.4] [projects 7.4] a repository without statuses gives one closing message, 600 statuses three chunks more", async () => {
  await using scene = await Scene.open();
  await update(scene, { scanId: 1n });
  const empty = await joined(scene, "empty");
  assertEquals(empty.map((one) => [one.isLastUpdate, one.updatedStatuses.length]), [[true, 0]]);
  for (let first = 0; first < 600; first += 200) {
    await update(scene, { ...STATE, ...BRANCHES, updatedStatuses: statuses(200, first) });
  }
  const full = await joined(scene, "full");
  assertEquals(full.map((one) => [one.isLastUpdate, one.updatedStatuses.length]), [
    [false, 256],
    [false, 256],
    [false, 88],
    [true, 0],
  ]);
  assertEquals(live(full), statuses(600).map(({ repoPath }) => repoPath));
  for (const one of full) {
    assertEquals([one.absPath, one.mergeMessage, one.removedStatuses], [
      "/home/host/app",
      "merge",
      [],
    ]);
    assertEquals(one.branchList.length, one.isLastUpdate ? 2 : 0);
    assertEquals(one.branchListError, one.isLastUpdate ? "slow" : undefined);
  }
});

Deno.test("[projects 17.1] [projects 7.3] [projects 7.3b] a status and a repository that come back are seen again, without what they had before", async () => {
  await using scene = await Scene.open();
  const { host, projectId } = scene;
  await update(scene, { ...STATE, ...BRANCHES, updatedStatuses: statuses(2), scanId: 1n });
  await update(scene, { removedStatuses: ["f0000"], scanId: 2n });
  await update(scene, { updatedStatuses: [status("f0000", 5)], scanId: 3n });
  assertEquals(live(await joined(scene, "status")), ["f0000", "f0001"]);
  await host.call("RemoveRepository", { projectId, id: 1n });
  await update(scene, { updatedStatuses: [status("fresh")], scanId: 4n });
  const back = await joined(scene, "repository");
  assertEquals(live(back), ["fresh"]);
  assertEquals([back.at(-1)?.branchList, back.at(-1)?.mergeMessage], [[], undefined]);
});

Deno.test("[projects 7.3b] [projects 12.4e] [projects 17.6] a guest who was away learns what a repository lost while it was removed and told anew", async () => {
  await using scene = await Scene.open();
  const { host, guest, projectId, roomId } = scene;
  await update(scene, { updatedStatuses: statuses(2), scanId: 3n });
  await scene.quiet();
  await scene.lose(guest);
  await host.call("RemoveRepository", { projectId, id: 1n });
  await update(scene, { updatedStatuses: [status("f0001"), status("new")], scanId: 4n });
  const back = await scene.connect("guest1");
  await back.call("RejoinRoom", {
    id: roomId,
    rejoinedProjects: [{
      id: projectId,
      worktrees: [{ id: 100n, scanId: 0n }],
      repositories: [{ id: 1n, scanId: 3n }],
    }],
  });
  await back.settle();
  const told = back.all("UpdateRepository");
  assertEquals(live(told), ["f0001", "new"]);
  assertEquals(told.flatMap(({ removedStatuses }) => removedStatuses), ["f0000"]);
  assertEquals(back.all("RemoveRepository"), []);
});

Deno.test("[projects 6.4a] several repositories come behind all worktrees", async () => {
  await using scene = await Scene.open({
    share: {
      worktrees: [{ id: 1n, rootName: "a", visible: true }, {
        id: 2n,
        rootName: "b",
        visible: true,
      }],
    },
  });
  await update(scene, { id: 1n });
  await update(scene, { id: 2n ** 64n - 2n, updatedStatuses: statuses(1) });
  const late = await scene.enter("late");
  await scene.join(late);
  assertEquals((await scene.told(late)).slice(1), [
    "UpdateWorktree",
    "UpdateWorktree",
    "UpdateRepository",
    "UpdateRepository",
    "UpdateRepository",
  ]);
  assertEquals(late.all("UpdateRepository").map((one) => [one.id, one.isLastUpdate]), [
    [1n, true],
    [2n ** 64n - 2n, false],
    [2n ** 64n - 2n, true],
  ]);
});
