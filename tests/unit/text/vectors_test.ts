import { assertEquals } from "@std/assert";
import { Document, type Operation } from "../../../text/mod.ts";
import { ReferenceText } from "../../support/reference_text.ts";
import { deletedText, permutations, readHistories, readOperations } from "./history_file.ts";

const vectors = await readHistories("crdt-vectors.jsonl");

// The names of the specification's table, in the order of the file.
const names = [
  ..."V1 V1b V2 V3 V3b V4 V5a V5b V5c V5d V6 V7 V8a V8b V9 V10 V11a V11b V11c V12 V13 V14".split(
    " ",
  ),
  ..."V15 V16 V17 V18 V20".split(" "),
];

vectors.push({
  base: "abcdefgh",
  text: "abfgh",
  operations: v19(),
  version: [[0, 1], [1, 11], [2, 10]],
  deleted: "cde",
});
names.push("V19");

Deno.test("[channels 14] every vector of the table is here", () => {
  assertEquals(vectors.length, names.length);
});

for (const [i, { base, text, operations, version, deleted }] of vectors.entries()) {
  Deno.test(`[channels V1..V20, 14a] ${names[i]}: ${JSON.stringify(text)}, in every order`, () => {
    for (const order of permutations(operations)) {
      const document = new Document(base);
      for (const operation of order) {
        document.apply([operation]);
        document.apply([operation]);
      }
      assertEquals(document.text(), text);
      assertEquals(document.version.entries(), version);
      assertEquals(deletedText(document), deleted);
      assertEquals(document.waitingCount, 0);

      const reference = new ReferenceText(base);
      reference.apply(order);
      assertEquals(reference.text(), text);
      assertEquals(reference.deletedText(), deleted);
    }
  });
}

Deno.test("[channels 14] V1: the fragments after each operation", () => {
  const { base, operations } = vectors[names.indexOf("V1")]!;
  const document = new Document(base);
  const lists = operations.map((operation) => {
    document.apply([operation]);
    return listing(document);
  });
  assertEquals(lists, [
    "hello world/2",
    "hello/2|, cruel/4| world/2",
    "goodbye/6|~hello/2|, cruel/4| world/2",
    "~goodbye/6|hello/2|, cruel/4| world/2",
  ]);
});

Deno.test("[channels 14] V1b: a range that starts inside a fragment splits it", () => {
  const { base, operations } = vectors[names.indexOf("V1b")]!;
  const list = listing(new Document(base, operations));
  assertEquals(list, "~goodbye/6|hello/2|, /4|beautiful/9|~cruel/4| world/2");
});

Deno.test("[channels 14] V14: what builds on a missing operation waits, and changes nothing", () => {
  const { base, operations } = vectors[names.indexOf("V14")]!;
  const document = new Document(base);
  const [y, z, x] = operations as [Operation, Operation, Operation];

  assertEquals(document.apply([y, z]).waiting, [y, z]);
  assertEquals(document.text(), "ab");
  assertEquals(document.version.entries(), [[0, 1]]);
  assertEquals(document.waitingCount, 2);

  assertEquals(document.apply([x]).applied, [x, y, z]);
});

Deno.test("[channels 14] V19: a range end inside deleted text marks only what was visible", () => {
  const document = new Document("abcdefgh", v19().slice(0, 2));
  assertEquals(document.text(), "afgh");
  assertEquals(
    [...document.fragments()].map(({ text, deletions }) => [
      text,
      deletions.map(({ replicaId, timestamp }) => `${replicaId}@${timestamp}`).join(),
    ]),
    [["a", ""], ["b", "2@10"], ["cd", "1@3"], ["e", "1@3"], ["fgh", ""]],
  );
});

function v19(): Operation[] {
  return readOperations([
    { k: "e", r: 1, t: 3, v: [[0, 1]], ranges: [[2, 5]], texts: [""] },
    { k: "e", r: 2, t: 10, v: [[0, 1], [1, 3]], ranges: [[1, 4]], texts: [""] },
    { k: "u", r: 1, t: 11, v: [[0, 1], [1, 3], [2, 10]], counts: [[2, 10, 4294967295]] },
  ]);
}

function listing(document: Document): string {
  return [...document.fragments()].map(({ text, visible, insertion }) =>
    `${visible ? "" : "~"}${text}/${insertion.timestamp}`
  ).join("|");
}
