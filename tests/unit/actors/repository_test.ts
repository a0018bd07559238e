import { assertEquals } from "@std/assert";
import { readRepositoryUpdate, Repository } from "../../../actors/project/repository.ts";
import {
  decode,
  encode,
  type Init,
  type MessageTypes,
  type StatusEntry,
} from "../../../proto/mod.ts";
import { concatBytes } from "../../../rpc/fields.ts";

function status(repoPath: string): Uint8Array {
  return encode("StatusEntry", { repoPath, simpleStatus: 1 });
}

function read(update: Init<MessageTypes["UpdateRepository"]>) {
  return readRepositoryUpdate(encode("UpdateRepository", update));
}

Deno.test("[projects 7.3] an update is taken apart: state, branches, statuses", () => {
  const update = read({
    projectId: 3n,
    id: 2n ** 63n,
    branchSummary: { refName: "refs/heads/main" },
    updatedStatuses: [{ repoPath: "a.ts", simpleStatus: 2 }, { repoPath: "b/ü.ts" }],
    removedStatuses: ["c.ts"],
    currentMergeConflicts: ["m.ts"],
    scanId: 2n ** 53n + 1n,
    isLastUpdate: true,
    branchList: [{ refName: "refs/heads/x" }],
    branchListError: "no",
  });
  assertEquals([update.id, update.scanId, update.isLast], [2n ** 63n, 2n ** 53n + 1n, true]);
  assertEquals(update.updatedStatuses.map(({ path }) => path), ["a.ts", "b/ü.ts"]);
  assertEquals(
    update.updatedStatuses.map((one) => decode("StatusEntry", one.status).repoPath),
    ["a.ts", "b/ü.ts"],
  );
  assertEquals(update.removedStatuses, ["c.ts"]);
  const state = decode("UpdateRepository", update.state);
  assertEquals([state.projectId, state.id, state.isLastUpdate], [0n, 0n, false]);
  assertEquals([state.branchSummary?.refName, state.scanId], ["refs/heads/main", 2n ** 53n + 1n]);
  assertEquals(state.currentMergeConflicts, ["m.ts"]);
  assertEquals([state.updatedStatuses, state.removedStatuses, state.branchList], [[], [], []]);
  const branches = decode("UpdateRepository", update.branches);
  assertEquals([branches.branchList.length, branches.branchListError], [1, "no"]);
});

Deno.test("[projects 1.8] fields of a newer client stay in a repository's state", () => {
  const unknown = new Uint8Array([0xf8, 0x07, 0x05]);
  const payload = concatBytes([encode("UpdateRepository", { id: 4n, absPath: "/r" }), unknown]);
  assertEquals(readRepositoryUpdate(payload).state.slice(-3), unknown);
});

Deno.test("[projects 7.3] what is kept of an update does not change with the buffer it came in", () => {
  const payload = encode("UpdateRepository", {
    id: 4n,
    absPath: "/r",
    branchList: [{ refName: "x" }],
    updatedStatuses: [{ repoPath: "a" }],
  });
  const update = readRepositoryUpdate(payload);
  payload.fill(0);
  assertEquals(decode("UpdateRepository", update.state).absPath, "/r");
  assertEquals(decode("UpdateRepository", update.branches).branchList[0]?.refName, "x");
  assertEquals(
    decode("StatusEntry", update.updatedStatuses[0]?.status as Uint8Array).repoPath,
    "a",
  );
});

Deno.test("[projects 7.3] an empty update has nothing of anything", () => {
  const update = readRepositoryUpdate(new Uint8Array(0));
  assertEquals([update.id, update.scanId, update.isLast], [0n, 0n, false]);
  assertEquals([update.state.length, update.branches.length], [0, 0]);
});

/** Paths of what changed after a scan. */
function since(repository: Repository, scanId?: bigint): [string, string] {
  const { updated, removed } = repository.statusesSince(scanId);
  const paths = updated.map((bytes) => (decode("StatusEntry", bytes) as StatusEntry).repoPath);
  return [paths.join(), removed.join()];
}

Deno.test("[projects 12.4] statuses and tombstones newer than a scan are its delta", () => {
  const repository = new Repository(1n);
  repository.statuses.set("a", { scanId: 1n, bytes: status("a") });
  repository.statuses.set("b", { scanId: 2n, bytes: status("b") });
  repository.statuses.set("c", { scanId: 3n, bytes: undefined });
  assertEquals(since(repository, 0n), ["a,b", "c"]);
  assertEquals(since(repository, 1n), ["b", "c"]);
  assertEquals(since(repository, 2n), ["", "c"]);
  assertEquals(since(repository, 3n), ["", ""]);
  // Who has nothing needs no tombstones.
  assertEquals(since(repository), ["a,b", ""]);
});

Deno.test("[projects 17.6] a repository that was removed and comes back tells what it lost", () => {
  const repository = new Repository(1n);
  repository.deleted = true;
  repository.branches = new Uint8Array([1]);
  repository.statuses.set("a", { scanId: 1n, bytes: status("a") });
  repository.statuses.set("b", { scanId: 2n, bytes: undefined });
  assertEquals(repository.bury(5n), ["a"]);
  assertEquals([repository.deleted, repository.branches.length], [false, 0]);
  assertEquals(since(repository, 4n), ["", "a"]);
  assertEquals(since(repository), ["", ""]);
});
