import { assertEquals } from "@std/assert";
import { compareLamport, Document, type Operation, VersionVector } from "../../../text/mod.ts";
import { ReferenceText } from "../../support/reference_text.ts";
import { RandomSource } from "../../support/random.ts";
import { readHistories } from "./history_file.ts";

const histories = await readHistories("crdt-histories.jsonl");

Deno.test("[channels 14] there are 1,000 histories", () => {
  assertEquals(histories.length, 1000);
});

Deno.test("[channels 9.7, 9.12, 14a] by timestamp: nothing waits, everything twice changes nothing", () => {
  for (const { base, text, operations } of histories) {
    const document = new Document(base);
    for (const operation of operations.toSorted(compareLamport)) {
      assertEquals(document.apply([operation]).applied.length, 1);
      assertEquals(document.apply([operation]).ignored.length, 1);
    }
    assertEquals(document.text(), text);
  }
});

Deno.test("[channels 9.8, 9.12] orders that respect readiness: the text of the reference", () => {
  const random = new RandomSource(1);
  for (const { base, text, operations } of histories) {
    for (let run = 0; run < 3; run++) {
      const document = new Document(base);
      for (const operation of readyOrder(base, operations, random)) {
        assertEquals(document.apply([operation]).applied, [operation]);
      }
      assertEquals(document.text(), text);
    }
  }
});

Deno.test("[channels 9.7, 9.12] shuffled orders: what is not ready waits, and the text is the same", () => {
  const random = new RandomSource(2);
  for (const { base, text, operations } of histories) {
    const document = new Document(base);
    for (const operation of random.shuffle([...operations, ...operations])) {
      document.apply([operation]);
    }
    assertEquals(document.text(), text);
    assertEquals(document.waitingCount, 0);
    // All in one batch, too.
    assertEquals(new Document(base, random.shuffle(operations)).text(), text);
  }
});

Deno.test("[channels 9.8] the fragments are those of the array form", () => {
  for (const { base, text, operations } of histories) {
    const document = new Document(base, operations);
    const reference = new ReferenceText(base);
    reference.apply(operations);
    assertEquals(reference.text(), text);
    assertEquals([...document.fragments()], reference.fragments());
  }
});

Deno.test("[channels 8.6] what is missing since a version brings a copy up to date", () => {
  const random = new RandomSource(3);
  for (const { base, text, operations } of histories) {
    const document = new Document(base, operations);
    const order = readyOrder(base, operations, random);
    const behind = new Document(base, order.slice(0, random.int(order.length + 1)));
    const missing = document.missingOperations(behind.version);
    assertEquals(missing, missing.toSorted(compareLamport));
    assertEquals(behind.apply(missing).applied.length, missing.length);
    assertEquals(behind.text(), text);
  }
});

/** A random order in which every operation is ready when its turn comes. */
function readyOrder(base: string, operations: Operation[], random: RandomSource): Operation[] {
  const version = new VersionVector(base === "" ? [] : [[0, 1]]);
  const left = operations.toSorted(compareLamport);
  const order: Operation[] = [];
  while (left.length > 0) {
    // Of each replica only the oldest one may come.
    const ready = left.filter((operation, i) =>
      version.covers(operation.version) &&
      left.findIndex((other) => other.replicaId === operation.replicaId) === i
    );
    const next = random.pick(ready);
    left.splice(left.indexOf(next), 1);
    version.observe(next);
    order.push(next);
  }
  return order;
}
