import { assert, assertEquals } from "@std/assert";
import {
  CHUNK,
  type EncodedChunk,
  encodeEntries,
  type EntryBytes,
  Worktree,
} from "../../../actors/project/worktree.ts";
import { decode, encode, type Entry } from "../../../proto/mod.ts";
import { decompress } from "../../../rpc/zstd.ts";
import { printedRandom, RandomSource } from "../../support/random.ts";

/** An entry's bytes in the middle of others, as they come within a message. */
function entry(id: bigint, path: string): EntryBytes {
  const bytes = encode("Entry", { id, path });
  const buffer = new Uint8Array(bytes.length + 6).fill(255);
  buffer.set(bytes, 3);
  return { buffer, start: 3, end: 3 + bytes.length };
}

function entriesOf(chunk: EncodedChunk): Entry[] {
  if (chunk.plainLength === 0) return [];
  const plain = decompress(chunk.frame, 1 << 24);
  assertEquals(plain.length, chunk.plainLength);
  return decode("UpdateWorktree", plain.slice()).updatedEntries;
}

/** Everything that a snapshot holds, by id; its chunks are not too large. */
function contents(chunks: Iterable<EncodedChunk>): Map<bigint, string> {
  const found = new Map<bigint, string>();
  for (const chunk of chunks) {
    const entries = entriesOf(chunk);
    assert(entries.length <= CHUNK, `${entries.length} entries in one chunk`);
    for (const { id, path } of entries) {
      assert(!found.has(id), `entry ${id} comes twice`);
      found.set(id, path);
    }
  }
  return found;
}

function newWorktree(): Worktree {
  return new Worktree(1n, "root", "/root", true);
}

function sorted(map: ReadonlyMap<bigint, string>): [bigint, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

Deno.test("[projects 5.1a] a new worktree has scan ids 0, no entries, and is complete", () => {
  const worktree = newWorktree();
  assertEquals([worktree.scanId, worktree.completedScanId, worktree.complete], [0n, 0n, true]);
  assertEquals(worktree.entryCount, 0);
});

Deno.test("[projects 7.2a] no entries give one chunk all the same", () => {
  const chunks = [...newWorktree().snapshot()];
  assertEquals(chunks.length, 1);
  assertEquals(entriesOf(chunks[0] as EncodedChunk), []);
  const emptied = newWorktree();
  emptied.put(1n, 1n, entry(1n, "a"));
  emptied.remove(1n, 2n);
  assertEquals([...emptied.snapshot()].length, 1);
});

Deno.test("[projects 7.2] a tree is sent in as few chunks of at most 256 entries as it needs", () => {
  for (const [count, chunks] of [[1, 1], [256, 1], [257, 2], [600, 3]] as const) {
    const worktree = newWorktree();
    for (let id = 1n; id <= count; id++) worktree.put(id, 1n, entry(id, `f${id}`));
    const sizes = [...worktree.snapshot()].map((chunk) => entriesOf(chunk).length);
    assertEquals(sizes.length, chunks);
    assertEquals(sizes.reduce((sum, size) => sum + size), count);
  }
});

Deno.test("[projects 1.8] entries are kept as the host's own bytes, unknown fields too", () => {
  const bytes = new Uint8Array([...encode("Entry", { id: 5n, path: "a" }), 0xf8, 0x07, 0x09]);
  const worktree = newWorktree();
  worktree.put(5n, 1n, { buffer: bytes, start: 0, end: bytes.length });
  const [chunk] = worktree.snapshot();
  const plain = decompress((chunk as EncodedChunk).frame, 1 << 20);
  assertEquals(plain.slice(-bytes.length), bytes);
});

Deno.test("[projects 7.1b] an updated entry replaces the old one and clears its tombstone", () => {
  const worktree = newWorktree();
  worktree.put(1n, 1n, entry(1n, "old"));
  worktree.put(1n, 2n, entry(1n, "new"));
  assertEquals(sorted(contents(worktree.snapshot())), [[1n, "new"]]);
  worktree.remove(1n, 3n);
  assertEquals(worktree.since(2n).removed, [1n]);
  worktree.put(1n, 4n, entry(1n, "again"));
  assertEquals(worktree.since(2n).removed, []);
  assertEquals(worktree.since(3n).updated.length, 1);
  assertEquals(sorted(contents(worktree.snapshot())), [[1n, "again"]]);
  assertEquals(worktree.entryCount, 1);
});

Deno.test("[projects 7.1c] a removed entry becomes a tombstone, an unknown one nothing", () => {
  const worktree = newWorktree();
  worktree.put(1n, 1n, entry(1n, "a"));
  assertEquals(worktree.remove(2n, 2n), false);
  assertEquals(worktree.remove(1n, 2n), true);
  assertEquals(worktree.remove(1n, 3n), false);
  assertEquals(worktree.since(1n).removed, [1n]);
  assertEquals(worktree.since(2n).removed, []);
  assertEquals(worktree.entryCount, 0);
});

Deno.test("[projects 12.4] what is newer than a scan, and nothing else, is in its delta", () => {
  const worktree = newWorktree();
  worktree.put(1n, 1n, entry(1n, "a"));
  worktree.put(2n, 2n, entry(2n, "b"));
  worktree.put(3n, 3n, entry(3n, "c"));
  worktree.remove(1n, 3n);
  worktree.remove(3n, 4n);
  const since = (scan: bigint) => {
    const { updated, removed } = worktree.since(scan);
    const paths = entriesOf(encodeEntries(updated)).map(({ path }) => path);
    return [paths.join(), removed.join()];
  };
  assertEquals(since(0n), ["b", "1,3"]);
  assertEquals(since(1n), ["b", "1,3"]);
  assertEquals(since(2n), ["", "1,3"]);
  assertEquals(since(3n), ["", "3"]);
  assertEquals(since(4n), ["", ""]);
});

Deno.test("[projects 19.6] ids and scans beyond 2^53 and with the top bit set are told apart", () => {
  const worktree = newWorktree();
  const ids = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n];
  const scan = 2n ** 63n + 5n;
  for (const id of ids) worktree.put(id, scan, entry(id, `${id}`));
  worktree.remove(2n ** 53n, scan + 1n);
  assertEquals(sorted(contents(worktree.snapshot())), ids.slice(1).map((id) => [id, `${id}`]));
  assertEquals(worktree.since(scan), { updated: [], removed: [2n ** 53n] });
  assertEquals(worktree.since(scan - 1n).updated.length, 4);
});

Deno.test("[design 1.8a] what a join has begun to read does not change under it", () => {
  const worktree = newWorktree();
  for (let id = 1n; id <= 700n; id++) worktree.put(id, 1n, entry(id, `old ${id}`));
  const before = worktree.snapshot()[Symbol.iterator]();
  const first = before.next().value as EncodedChunk;
  for (let id = 1n; id <= 700n; id += 2n) worktree.put(id, 2n, entry(id, `new ${id}`));
  for (let id = 2n; id <= 700n; id += 4n) worktree.remove(id, 2n);
  for (let id = 701n; id <= 900n; id++) worktree.put(id, 2n, entry(id, `new ${id}`));
  const rest: EncodedChunk[] = [];
  for (let next = before.next(); !next.done; next = before.next()) rest.push(next.value);
  const seen = contents([first, ...rest]);
  assertEquals(seen.size, 700);
  assert([...seen].every(([id, path]) => path === `old ${id}`));
  const now = contents(worktree.snapshot());
  assertEquals(now.size, worktree.entryCount);
  assertEquals([now.get(1n), now.get(2n), now.get(4n), now.get(900n)], [
    "new 1",
    undefined,
    "old 4",
    "new 900",
  ]);
});

Deno.test("[design 1.8a] a chunk is encoded once for all joins until something in it changes", () => {
  const worktree = newWorktree();
  for (let id = 1n; id <= 512n; id++) worktree.put(id, 1n, entry(id, `file ${id}`));
  const [a1, b1] = worktree.snapshot();
  const [a2, b2] = worktree.snapshot();
  assert(a1 === a2 && b1 === b2);
  worktree.put(300n, 2n, entry(300n, "changed"));
  const [a3, b3] = worktree.snapshot();
  assert(a1 === a3);
  assert(b1 !== b3);
  assert(entriesOf(b3 as EncodedChunk).some(({ path }) => path === "changed"));
});

Deno.test("[projects 7.2] a tree that loses most of its entries does not stay in many small chunks", () => {
  const worktree = newWorktree();
  for (let id = 1n; id <= 10_240n; id++) worktree.put(id, 1n, entry(id, "x"));
  for (let id = 1n; id <= 10_240n; id++) if (id % 64n !== 0n) worktree.remove(id, 2n);
  for (let id = 20_000n; id < 22_000n; id++) worktree.put(id, 3n, entry(id, "y"));
  const chunks = [...worktree.snapshot()];
  assertEquals(contents(chunks).size, 2_160);
  assert(chunks.length <= 40, `${chunks.length} chunks for 2160 entries`);
});

Deno.test("[projects 13.1] random changes leave what a plain map would hold, in every snapshot", () => {
  const { seed } = printedRandom("worktrees");
  const random = new RandomSource(seed);
  const worktree = newWorktree();
  const model = new Map<bigint, string>();
  const snapshots: { chunks: Iterable<EncodedChunk>; expected: [bigint, string][] }[] = [];
  for (let scan = 1n; scan <= 60n; scan++) {
    for (let change = 0; change < 60; change++) {
      const id = BigInt(random.int(900));
      if (random.chance(0.35)) {
        assertEquals(worktree.remove(id, scan), model.delete(id));
      } else {
        worktree.put(id, scan, entry(id, `${scan} ${change}`));
        model.set(id, `${scan} ${change}`);
      }
    }
    assertEquals(worktree.entryCount, model.size);
    if (random.chance(0.3)) {
      snapshots.push({ chunks: worktree.snapshot(), expected: sorted(model) });
    }
  }
  for (const { chunks, expected } of random.shuffle(snapshots)) {
    assertEquals(sorted(contents(chunks)), expected, `${random}`);
  }
  assertEquals(sorted(contents(worktree.snapshot())), sorted(model), `${random}`);
});
