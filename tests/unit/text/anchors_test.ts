import { assertEquals, assertThrows } from "@std/assert";
import { Replica } from "../../../text/mod.ts";

Deno.test("[channels 9.4] an anchor stays with its neighbour, whatever is edited elsewhere", () => {
  const one = new Replica({ replicaId: 1, baseText: "héllo world" });
  const { document } = one;
  const before = document.anchor(6, "left");
  const behind = document.anchor(6, "right");
  assertEquals([before.offset, behind.offset], [7, 7]);
  one.edit([{ start: 6, end: 6, text: "my " }]);
  assertEquals(document.text(), "héllo my world");
  assertEquals([document.indexOfAnchor(before), document.indexOfAnchor(behind)], [6, 9]);
  one.edit([{ start: 0, end: 2, text: "" }]);
  assertEquals([document.indexOfAnchor(before), document.indexOfAnchor(behind)], [4, 7]);
});

Deno.test("[channels 9.4] an anchor in text that was deleted is where the text was, and comes back with it", () => {
  const one = new Replica({ replicaId: 1, baseText: "abcdef" });
  const { document } = one;
  const anchor = document.anchor(3, "right");
  one.edit([{ start: 2, end: 5, text: "" }]);
  assertEquals(document.indexOfAnchor(anchor), 2);
  one.undo();
  assertEquals(document.indexOfAnchor(anchor), 3);
});

Deno.test("[channels 9.4] anchors mean the same at every replica, once it has their edit", () => {
  const one = new Replica({ replicaId: 1, baseText: "x".repeat(3000) });
  const other = new Replica({ replicaId: 2, baseText: "x".repeat(3000) });
  const edit = one.edit([
    { start: 10, end: 10, text: "é".repeat(2000) },
    { start: 2500, end: 2500, text: "tail" },
  ])!;
  const places = [0, 11, 1500, 2009, 2010, 4502, 4504, one.text().length];
  const anchors = places.map((index) => one.document.anchor(index, "left"));
  assertEquals(other.document.indexOfAnchor(anchors[1]!), undefined);
  other.apply([edit]);
  assertEquals(anchors.map((anchor) => other.document.indexOfAnchor(anchor)), places);
  assertEquals(anchors.map((anchor) => one.document.indexOfAnchor(anchor)), places);
  assertThrows(() => one.document.anchor(one.text().length + 1, "left"), RangeError);
});

Deno.test("[channels 9.4] an empty text has one place", () => {
  const { document } = new Replica({ replicaId: 1 });
  assertEquals(document.indexOfAnchor(document.anchor(0, "left")), 0);
});
