import { assertEquals, assertThrows } from "@std/assert";
import { Document, type EditOperation, Replica, VersionVector } from "../../../text/mod.ts";
import { deletedText } from "./history_file.ts";

function insertion(
  replicaId: number,
  timestamp: number,
  version: [number, number][],
  text: string,
): EditOperation {
  return {
    kind: "edit",
    replicaId,
    timestamp,
    version: new VersionVector(version),
    ranges: [{ start: 0, end: 0 }],
    newText: [text],
  };
}

Deno.test("[channels 9.4] an empty base is no insertion, another one is 0@1", () => {
  assertEquals(new Document("").version.entries(), []);
  assertEquals([...new Document("").fragments()], []);
  assertEquals(new Document("\r").version.entries(), [[0, 1]]);
  assertEquals([...new Document("a").fragments()], [
    { insertion: { replicaId: 0, timestamp: 1 }, text: "a", visible: true, deletions: [] },
  ]);
});

Deno.test("[channels 9.4] line ends of the base become line feeds", () => {
  assertEquals(new Document("a\r\nb\rc\n\r\r\n").text(), "a\nb\nc\n\n\n");
});

Deno.test("[channels 9.1] a byte order mark and a long text stay what they are", () => {
  const text = "\ufeff" + "日本🍐é\n".repeat(3000);
  const document = new Document(text, [insertion(8, 3, [[0, 1]], "\ufeff")]);
  assertEquals(document.text(), "\ufeff" + text);
  assertEquals(document.length, text.length + 1);
  assertEquals(document.byteLength, new TextEncoder().encode(text).length + 3);
  const index = text.indexOf("é", 9000) + 1;
  const bytes = new TextEncoder().encode("\ufeff" + text.slice(0, index - 1)).length;
  assertEquals(document.byteOffset(index), bytes);
  assertEquals(document.index(bytes), index);
});

Deno.test("[channels 9.1] a place outside the text or inside a character is no place", () => {
  const document = new Document("a🍐");
  assertThrows(() => document.byteOffset(2), RangeError, "surrogate");
  assertThrows(() => document.byteOffset(4), RangeError, "length 3");
  assertThrows(() => document.byteOffset(-1), RangeError, "length 3");
  assertThrows(() => document.fullOffset(0.5, "left"), RangeError, "length 3");
  assertThrows(() => document.index(2), RangeError, "inside a character");
  assertThrows(() => document.index(6), RangeError, "5 bytes");
});

Deno.test("[channels 9.3] zeros of a version are nothing, and its entries come by replica", () => {
  const version = new VersionVector([[9, 4], [0, 0], [8, 2]]);
  assertEquals(version.entries(), [[8, 2], [9, 4]]);
  assertEquals(version.max(), 4);
  const other = version.clone();
  other.join(new VersionVector([[8, 3], [9, 1]]));
  assertEquals(other.entries(), [[8, 3], [9, 4]]);
  assertEquals([other.covers(version), version.covers(other)], [true, false]);
});

Deno.test("[channels 9.7] an older waiting operation of the same replica blocks a ready one", () => {
  const document = new Document("");
  const needsOther = insertion(8, 6, [[9, 5]], "b");
  // Its version lacks 8@6, so that only the order of its replica keeps it back.
  const ready = insertion(8, 8, [], "c");
  document.apply([needsOther]);
  assertEquals(document.apply([ready]).waiting, [ready]);
  const missing = insertion(9, 5, [], "a");
  assertEquals(document.apply([missing]).applied, [missing, needsOther, ready]);
  assertEquals(document.waitingCount, 0);
});

Deno.test("[channels 14] a hole: what comes after it waits, applied stays before it", () => {
  const document = new Document("", [insertion(8, 2, [], "a")]);
  const third = insertion(8, 6, [[8, 4]], "c");
  assertEquals(document.apply([third]).waiting, [third]);
  assertEquals(document.apply([third]).ignored, [third]);
  assertEquals(document.version.entries(), [[8, 2]]);
  assertEquals(document.missingOperations(document.version), [third]);
  document.apply([insertion(8, 4, [[8, 2]], "b")]);
  assertEquals(document.text(), "cba");
});

Deno.test("[channels 9.7] what one batch brings in any order is applied by its end", () => {
  const operations = [1, 2, 3, 4].map((i) =>
    insertion(8, 2 * i, i > 1 ? [[8, 2 * i - 2]] : [], `${i}`)
  );
  const { applied, waiting } = new Document("").apply(operations.toReversed());
  assertEquals(applied, operations);
  assertEquals(waiting, []);
});

Deno.test("[channels 8.5] the text of an epoch is the base of the next", () => {
  const writer = new Replica({ replicaId: 8, baseText: "hello, cruel world" });
  writer.edit([{ start: 7, end: 12, text: "beautiful" }]);
  const next = new Replica({ replicaId: 8, baseText: writer.text() });
  assertEquals(deletedText(next.document), "");
  const first = next.edit([{ start: 0, end: 0, text: "!" }])!;
  assertEquals(first.timestamp, 3);
  assertEquals(first.version.entries(), [[0, 1]]);
  assertEquals(next.text(), "!hello, beautiful world");
});

Deno.test("[channels 9.9] an undo of an edit that comes later is in force when it comes", () => {
  const document = new Document("a", [{
    kind: "undo",
    replicaId: 9,
    timestamp: 2,
    version: new VersionVector(),
    counts: [{ replicaId: 8, timestamp: 3, count: 1 }],
  }, insertion(8, 3, [[0, 1]], "x")]);
  assertEquals(document.text(), "a");
});
