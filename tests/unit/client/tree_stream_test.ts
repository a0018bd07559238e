import { assertEquals, assertRejects } from "@std/assert";
import { type TreeChunk, TreeStream } from "../../../client/tree_stream.ts";
import type { Entry } from "../../../proto/mod.ts";

function entries(from: number, to: number): Entry[] {
  return Array.from({ length: to - from }, (_, index) => ({
    id: BigInt(from + index),
    isDir: false,
    path: `file ${from + index}`,
    inode: 0n,
    isIgnored: false,
    isExternal: false,
    isFifo: false,
    isHidden: false,
  }));
}

function describe(chunk: TreeChunk): unknown[] {
  const { updatedEntries = [], removedEntries = [], scanId, isLastUpdate } = chunk;
  return [updatedEntries.length, removedEntries.length, scanId, isLastUpdate];
}

Deno.test("[projects 7.1] a tree goes in chunks of 256, each after the one before", async () => {
  const sent: TreeChunk[] = [];
  let open = 0;
  const stream = new TreeStream(async (chunk) => {
    assertEquals(++open, 1);
    sent.push(chunk);
    await Promise.resolve();
    open--;
  });
  stream.push({ scanId: 1n, updated: entries(0, 600), removed: [] });
  assertEquals(sent, []);
  stream.start();
  stream.push({ scanId: 2n, updated: entries(0, 2), removed: [4n] });
  await stream.flushed();
  stream.push({ scanId: 3n, updated: [], removed: [] });
  stream.push({ scanId: 4n, updated: entries(0, 256), removed: new Array(300).fill(1n) });
  await stream.flushed();
  assertEquals(sent.map(describe), [
    [256, 0, 1n, false],
    [256, 0, 1n, false],
    [88, 0, 1n, true],
    [2, 1, 2n, true],
    [0, 0, 3n, true],
    [256, 256, 4n, false],
    [0, 44, 4n, true],
  ]);
});

Deno.test("[projects 12.5] a chain that failed goes on with the chunk that failed", async () => {
  const sent: TreeChunk[] = [];
  let failAt = 1;
  const stream = new TreeStream((chunk) => {
    if (sent.length === failAt) return Promise.reject(new Error("Connection was closed"));
    sent.push(chunk);
    return Promise.resolve();
  });
  stream.push({ scanId: 1n, updated: entries(0, 600), removed: [] });
  stream.start();
  await assertRejects(() => stream.flushed(), Error, "Cannot send the tree: Connection was closed");
  stream.push({ scanId: 2n, updated: entries(0, 1), removed: [] });
  assertEquals(sent.map(describe), [[256, 0, 1n, false]]);
  failAt = -1;
  stream.start();
  await stream.flushed();
  assertEquals(sent.slice(1).map(describe), [
    [256, 0, 1n, false],
    [88, 0, 1n, true],
    [1, 0, 2n, true],
  ]);
  const ids = sent.slice(0, 3).flatMap(({ updatedEntries = [] }) =>
    updatedEntries.map(({ id }) => id)
  );
  assertEquals(ids, entries(0, 600).map(({ id }) => id));
});

Deno.test("[projects 12.5] an answer of the old connection moves nothing", async () => {
  const answers: PromiseWithResolvers<void>[] = [];
  const sent: TreeChunk[] = [];
  const stream = new TreeStream((chunk) => {
    sent.push(chunk);
    answers.push(Promise.withResolvers<void>());
    return answers.at(-1)!.promise;
  });
  stream.push({ scanId: 1n, updated: entries(0, 300), removed: [] });
  stream.start();
  stream.stop();
  stream.start();
  answers[0]?.resolve();
  answers[1]?.resolve();
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  answers[2]?.resolve();
  await stream.flushed();
  assertEquals(sent.map(describe), [
    [256, 0, 1n, false],
    [256, 0, 1n, false],
    [44, 0, 1n, true],
  ]);
});
