import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  Document,
  type EditOperation,
  InvalidOperationError,
  type Operation,
  Replica,
  type UndoOperation,
  validateOperation,
  VersionVector,
} from "../../../text/mod.ts";

/** "é" is bytes 1 and 2. */
const BASE_TEXT = "aébc";

function edit(changes: Partial<EditOperation> = {}): EditOperation {
  return {
    kind: "edit",
    replicaId: 8,
    timestamp: 3,
    version: new VersionVector([[0, 1]]),
    ranges: [{ start: 0, end: 0 }],
    newText: ["x"],
    ...changes,
  };
}

function undo(changes: Partial<UndoOperation> = {}): UndoOperation {
  const version = new VersionVector([[0, 1]]);
  return { kind: "undo", replicaId: 8, timestamp: 3, version, counts: [], ...changes };
}

function ranges(...pairs: [number, number][]): Partial<EditOperation> {
  return { ranges: pairs.map(([start, end]) => ({ start, end })), newText: pairs.map(() => "") };
}

const u16 = 0x1_0000;
const u32 = 0x1_0000_0000;
const cases: [what: string, reason: string, operation: Operation][] = [
  ["value 0", "timestamp", edit({ timestamp: 0 })],
  ["a value beyond 32 bits", "timestamp", edit({ timestamp: u32 })],
  ["a value that is not whole", "timestamp", edit({ timestamp: 3.5 })],
  ["replica 65534", "replica", edit({ replicaId: 65_534 })],
  ["replica 65535", "replica", undo({ replicaId: 65_535 })],
  ["a negative replica", "replica", edit({ replicaId: -1 })],
  ["a version that names no replica", "replica", edit({ version: new VersionVector([[u16, 1]]) })],
  ["a version with itself", "causality", edit({ version: new VersionVector([[8, 3]]) })],
  ["a version with newer ones", "causality", edit({ version: new VersionVector([[9, 4]]) })],
  ["fewer texts than ranges", "text_count", edit({ newText: [] })],
  ["more texts than ranges", "text_count", edit({ newText: ["a", "b"] })],
  ["start behind end", "ranges", edit(ranges([3, 1]))],
  ["unsorted ranges", "ranges", edit(ranges([3, 4], [0, 1]))],
  ["overlapping ranges", "ranges", edit(ranges([0, 3], [1, 4]))],
  ["a negative offset", "ranges", edit(ranges([-1, 0]))],
  ["a carriage return", "carriage_return", edit({ newText: ["a\r\n"] })],
  ["undo of no replica", "replica", undo({ counts: [{ replicaId: u16, timestamp: 1, count: 1 }] })],
  ["undo of no value", "timestamp", undo({ counts: [{ replicaId: 0, timestamp: -1, count: 1 }] })],
  [
    "an undo count over 32 bits",
    "count",
    undo({
      counts: [{ replicaId: 0, timestamp: 1, count: u32 }],
    }),
  ],
  ["an end behind the text", "out_of_bounds", edit(ranges([0, 6]))],
  ["a start behind the text", "out_of_bounds", edit(ranges([6, 6]))],
  ["a start inside a character", "split_character", edit(ranges([2, 3]))],
  ["an end inside a character", "split_character", edit(ranges([0, 2]))],
  ["a second range that is bad", "split_character", edit(ranges([0, 1], [2, 2]))],
];

for (const [what, reason, operation] of cases) {
  Deno.test(`[channels 9.9] ${what} is refused, and nothing changes`, () => {
    const document = new Document(BASE_TEXT);
    const before = [...document.fragments()];
    const { applied, waiting, rejected } = document.apply([operation]);
    assertEquals([applied, waiting], [[], []]);
    assertInstanceOf(rejected[0], InvalidOperationError);
    assertEquals(rejected[0].reason, reason);
    assertEquals(rejected[0].operation, operation);
    assertEquals([...document.fragments()], before);
    assertEquals(document.version.entries(), [[0, 1]]);
    assertEquals(document.missingOperations(new VersionVector()), []);
  });
}

Deno.test("[channels 9.9] what is at a limit is accepted", () => {
  const limits: Operation[] = [
    edit({ replicaId: 65_533, timestamp: u32 - 1 }),
    edit(ranges([0, 1], [1, 1], [1, 3], [5, 5])),
    edit({ ranges: [], newText: [] }),
    undo({ counts: [{ replicaId: 65_535, timestamp: 0, count: u32 - 1 }] }),
  ];
  for (const operation of limits) {
    validateOperation(operation);
    assertEquals(new Document(BASE_TEXT).apply([operation]).applied, [operation]);
  }
});

Deno.test("[channels 9.9] an operation without ranges changes nothing, but is observed", () => {
  const document = new Document(BASE_TEXT, [edit({ ranges: [], newText: [] })]);
  assertEquals(document.text(), BASE_TEXT);
  assertEquals(document.version.entries(), [[0, 1], [8, 3]]);
});

Deno.test("[channels 9.9] a bad operation keeps nobody else's from applying", () => {
  const document = new Document(BASE_TEXT);
  const good = edit({ replicaId: 9 });
  const { applied, rejected } = document.apply([
    edit({ timestamp: 0 }),
    edit(ranges([0, 9])),
    good,
  ]);
  assertEquals(applied, [good]);
  assertEquals(rejected.length, 2);
  assertEquals(document.text(), "x" + BASE_TEXT);
});

Deno.test("[channels 9.9] offsets are checked once the operation is ready", () => {
  const document = new Document(BASE_TEXT);
  const late = edit({
    timestamp: 5,
    version: new VersionVector([[0, 1], [9, 3]]),
    ...ranges([0, 9]),
  });
  assertEquals(document.apply([late]).waiting, [late]);
  const { applied, rejected } = document.apply([edit({ replicaId: 9 })]);
  assertEquals(applied.length, 1);
  assertEquals(rejected.map(({ reason }) => reason), ["out_of_bounds"]);
  assertEquals(document.waitingCount, 0);
});

Deno.test("[channels 9.9] offsets count deleted text, and only what the author observed", () => {
  const document = new Document("ab", [
    edit({ ...ranges([0, 2]) }),
    edit({ replicaId: 9, newText: ["long"] }),
  ]);
  const seen = new VersionVector([[0, 1], [8, 3]]);
  const beyond = edit({ timestamp: 5, version: seen, ...ranges([3, 3]) });
  const atEnd = edit({ timestamp: 5, version: seen, ranges: [{ start: 2, end: 2 }] });
  assertEquals(document.apply([beyond]).rejected.length, 1);
  assertEquals(document.apply([atEnd]).applied, [atEnd]);
  assertEquals(document.text(), "longx");
});

Deno.test("[channels 9.9] waiting operations of an author whose part ended can be dropped", () => {
  const document = new Document(BASE_TEXT);
  const bad = edit(ranges([0, 9]));
  const after = edit({ timestamp: 5, version: new VersionVector([[0, 1], [8, 3]]) });
  assertEquals(document.apply([bad, after]).waiting, [after]);
  document.dropWaiting(({ replicaId }) => replicaId === 8);
  assertEquals(document.waitingCount, 0);
  // Whoever gets the replica id next is not held up.
  const successor = new Replica({ replicaId: 8, baseText: BASE_TEXT });
  for (const text of ["1", "2", "3"]) {
    const operation = successor.edit([{ start: 0, end: 0, text }])!;
    assertEquals(document.apply([operation]).applied, [operation]);
  }
  assertEquals(document.text(), "321" + BASE_TEXT);
});

Deno.test("[channels 9.9] the error says what happened, to what, and what to do", () => {
  const [error] = new Document(BASE_TEXT).apply([edit(ranges([0, 9]))]).rejected;
  assertStringIncludes(error!.message, "Cannot apply edit 8@3: its offset 9 exceeds the text");
  assertStringIncludes(error!.message, "drop it");
});
