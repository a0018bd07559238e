import { assertEquals, assertThrows } from "@std/assert";
import { Document, Replica } from "../../../text/mod.ts";
import { LamportClock } from "../../../text/clock.ts";

Deno.test("[channels 9.2] the clock starts at 1, and observing goes one beyond", () => {
  const clock = new LamportClock();
  assertEquals([clock.tick(), clock.tick()], [1, 2]);
  clock.observe(1);
  assertEquals(clock.tick(), 4);
  clock.observe(10);
  assertEquals(clock.value, 11);
  clock.observe(0xffff_ffff);
  assertThrows(() => clock.tick(), RangeError, "reopen");
});

Deno.test("[channels 9.2] a transaction takes a timestamp of its own, as in V1", () => {
  const replica = new Replica({ replicaId: 0 });
  const values = [
    replica.edit([{ start: 0, end: 0, text: "hello world" }]),
    replica.edit([{ start: 5, end: 5, text: ", cruel" }]),
    replica.edit([{ start: 0, end: 5, text: "goodbye" }]),
    replica.undo(),
  ].map((operation) => operation?.timestamp);
  assertEquals(values, [2, 4, 6, 7]);
  assertEquals(replica.text(), "hello, cruel world");
});

Deno.test("[channels 9.6] full offsets count deleted text, as in V1b", () => {
  const writer = new Replica({ replicaId: 0 });
  const operations = [
    writer.edit([{ start: 0, end: 0, text: "hello world" }])!,
    writer.edit([{ start: 5, end: 5, text: ", cruel" }])!,
    writer.edit([{ start: 0, end: 5, text: "goodbye" }])!,
    writer.undo()!,
  ];
  const other = new Replica({ replicaId: 1, operations });
  const edit = other.edit([{ start: 7, end: 12, text: "beautiful" }])!;
  assertEquals(edit.ranges, [{ start: 14, end: 19 }]);
  assertEquals(edit.version.entries(), [[0, 7]]);
  assertEquals(edit.timestamp, 9);
});

Deno.test("[channels 9.6] an insertion next to deleted text goes behind it, as in V6", () => {
  const replica = new Replica({ replicaId: 1, baseText: "abc" });
  assertEquals(replica.edit([{ start: 1, end: 2, text: "" }])!.ranges, [{ start: 1, end: 2 }]);
  assertEquals(replica.edit([{ start: 1, end: 1, text: "X" }])!.ranges, [{ start: 2, end: 2 }]);
  replica.edit([{ start: 2, end: 3, text: "" }]);
  assertEquals(replica.edit([{ start: 2, end: 2, text: "Z" }])!.ranges, [{ start: 4, end: 4 }]);
  assertEquals(replica.text(), "aXZ");
});

Deno.test("[channels 9.6] several edits share the coordinates before them, as in V7", () => {
  const replica = new Replica({ replicaId: 8, baseText: "日本🍐" });
  const edit = replica.edit([
    { start: 0, end: 1, text: "x" },
    { start: 2, end: 2, text: "é\r\nq" },
    { start: 4, end: 4, text: "!" },
  ])!;
  assertEquals(edit.ranges, [{ start: 0, end: 3 }, { start: 6, end: 6 }, { start: 10, end: 10 }]);
  assertEquals(edit.newText, ["x", "é\nq", "!"]);
  assertEquals(replica.text(), "x本é\nq🍐!");
});

Deno.test("[channels 9.6] an edit that changes nothing makes no operation", () => {
  const replica = new Replica({ replicaId: 8, baseText: "a" });
  assertEquals(replica.edit([]), undefined);
  assertEquals(replica.edit([{ start: 1, end: 1, text: "" }]), undefined);
  assertEquals(replica.undo(), undefined);
});

Deno.test("[channels 9.6] edits that are no places of the text are refused, and nothing changes", () => {
  const replica = new Replica({ replicaId: 8, baseText: "a🍐b" });
  const text = "x";
  assertThrows(() => replica.edit([{ start: 0, end: 5, text }]), RangeError, "length 4");
  assertThrows(() => replica.edit([{ start: 2, end: 2, text }]), RangeError, "surrogate");
  assertThrows(() => replica.edit([{ start: 1, end: 0, text }]), RangeError, "sort");
  assertThrows(
    () => replica.edit([{ start: 1, end: 3, text }, { start: 0, end: 0, text }]),
    RangeError,
    "sort",
  );
  assertEquals(replica.text(), "a🍐b");
  assertEquals(replica.document.version.entries(), [[0, 1]]);
});

Deno.test("[channels 9.1] a lone surrogate is inserted as what its bytes say", () => {
  const replica = new Replica({ replicaId: 8 });
  assertEquals(replica.edit([{ start: 0, end: 0, text: "\ud83c" }])!.newText, ["\ufffd"]);
  assertEquals(replica.text(), "\ufffd");
});

Deno.test("[channels 9.5] the edits of a transaction are undone and redone together", () => {
  const replica = new Replica({ replicaId: 8, baseText: "ab" });
  replica.transact(() => {
    replica.edit([{ start: 0, end: 0, text: "1" }]);
    replica.transact(() => replica.edit([{ start: 3, end: 3, text: "2" }]));
    assertThrows(() => replica.undo(), Error, "within a transaction");
  });
  assertEquals(replica.text(), "1ab2");
  assertEquals(replica.undo()!.counts.map(({ count }) => count), [1, 1]);
  assertEquals(replica.text(), "ab");
  assertEquals(replica.redo()!.counts.map(({ count }) => count), [2, 2]);
  assertEquals(replica.text(), "1ab2");
  assertEquals(replica.redo(), undefined);
});

Deno.test("[channels 9.5] undo takes back one's own edit below those of others", () => {
  const one = new Replica({ replicaId: 8, baseText: "ab" });
  const two = new Replica({ replicaId: 9, baseText: "ab" });
  const first = one.edit([{ start: 1, end: 1, text: "XY" }])!;
  two.apply([first]);
  const second = two.edit([{ start: 2, end: 2, text: "-" }])!;
  one.apply([second]);
  assertEquals(one.text(), "aX-Yb");
  two.apply([one.undo()!]);
  assertEquals([one.text(), two.text()], ["a-b", "a-b"]);
});

Deno.test("[channels 8.6] two that edited apart exchange what the other one lacks", () => {
  const one = new Replica({ replicaId: 8, baseText: "ab" });
  const two = new Replica({ replicaId: 9, baseText: "ab" });
  for (const [i, replica] of [one, two, one, two].entries()) {
    replica.edit([{ start: i >> 1, end: i >> 1, text: `${i}` }]);
  }
  const forTwo = one.document.missingOperations(two.document.version);
  one.apply(two.document.missingOperations(one.document.version));
  two.apply(forTwo);
  assertEquals(one.text(), two.text());
  const all = one.document.missingOperations(new Document("ab").version);
  assertEquals(new Document("ab", all).text(), one.text());
});
