import { assertEquals } from "@std/assert";
import fc from "../../support/packages/fast_check.ts";
import { Document, type Operation, Replica, type TextEdit } from "../../../text/mod.ts";
import { ReferenceText } from "../../support/reference_text.ts";

/** What one replica does next. Places and choices are taken modulo what there is. */
type Step =
  | { readonly kind: "edit"; readonly who: number; readonly edits: readonly RandomEdit[] }
  | { readonly kind: "undo" | "redo"; readonly who: number }
  | { readonly kind: "deliver"; readonly who: number; readonly picks: readonly number[] };

interface RandomEdit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

const who = fc.nat(4);
const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "é", "日", "🍐"), maxLength: 4 });
const edit = fc.record({ at: fc.nat(60), length: fc.nat(6), text });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      who,
      edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("undo" as const, "redo"), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("deliver" as const),
      who,
      picks: fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 }),
    }),
  },
);
const scenario = fc.record({
  base: text,
  replicas: fc.integer({ min: 1, max: 5 }),
  // Enough of them for a tree of several levels.
  steps: fc.array(step, { maxLength: 300, size: "max" }),
  order: fc.infiniteStream(fc.nat(1_000_000)),
});

Deno.test("[channels 9.8] replicas, server and array form agree, whatever the order of delivery", () => {
  fc.assert(
    fc.property(scenario, ({ base, replicas: count, steps, order }) => {
      const { replicas, operations } = play(base, count, steps);
      const expected = replicas[0]!.text();
      const fragments = [...replicas[0]!.document.fragments()];
      for (const replica of replicas) {
        assertEquals(replica.text(), expected);
        assertEquals([...replica.document.fragments()].map(sorted), fragments.map(sorted));
        assertEquals(replica.document.waitingCount, 0);
      }

      const twice = [...operations, ...operations]
        .map((operation) => ({ operation, at: order.next().value }))
        .sort((a, b) => a.at - b.at).map(({ operation }) => operation);
      const server = new Document(base);
      const reference = new ReferenceText(base);
      for (const operation of twice) {
        server.apply([operation]);
        reference.apply([operation]);
      }
      assertEquals(server.text(), expected);
      assertEquals(reference.text(), expected);
      assertEquals([...server.fragments()].map(sorted), reference.fragments().map(sorted));
      assertEquals(server.version.entries(), replicas[0]!.document.version.entries());
    }),
    { numRuns: 60, seed: 20_261_121 },
  );
});

Deno.test("[channels 9.6] an edit of a replica changes its text as it says", () => {
  fc.assert(
    fc.property(
      text,
      fc.array(fc.array(edit, { maxLength: 3 }), { maxLength: 60, size: "max" }),
      (base, all) => {
        const replica = new Replica({ replicaId: 8, baseText: base });
        for (const random of all) {
          const before = replica.text();
          const edits = fitted(before, random);
          replica.edit(edits);
          assertEquals(replica.text(), spliced(before, edits));
        }
      },
    ),
    { numRuns: 100, seed: 20_261_121 },
  );
});

Deno.test("[channels 9.5] undo and redo of one writer walk through the texts that there were", () => {
  fc.assert(
    fc.property(
      text,
      fc.array(fc.oneof(edit, fc.constantFrom("undo" as const, "redo" as const)), {
        maxLength: 60,
        size: "max",
      }),
      (base, actions) => {
        const replica = new Replica({ replicaId: 8, baseText: base });
        let texts = [replica.text()];
        let at = 0;
        for (const action of actions) {
          if (action === "undo") {
            assertEquals(replica.undo() !== undefined, at > 0);
            at = Math.max(0, at - 1);
          } else if (action === "redo") {
            assertEquals(replica.redo() !== undefined, at < texts.length - 1);
            at = Math.min(texts.length - 1, at + 1);
          } else if (replica.edit(fitted(replica.text(), [action])) !== undefined) {
            texts = [...texts.slice(0, ++at), replica.text()];
          }
          assertEquals(replica.text(), texts[at]);
        }
      },
    ),
    { numRuns: 100, seed: 20_261_121 },
  );
});

Deno.test("[channels 9.1] indices and byte offsets convert in both directions", () => {
  fc.assert(
    fc.property(text, fc.array(edit, { maxLength: 60, size: "max" }), (base, all) => {
      const replica = new Replica({ replicaId: 8, baseText: base });
      for (const random of all) replica.edit(fitted(replica.text(), [random]));
      const whole = replica.text();
      assertEquals(replica.document.length, whole.length);
      for (const index of boundaries(whole)) {
        const bytes = new TextEncoder().encode(whole.slice(0, index)).length;
        assertEquals(replica.document.byteOffset(index), bytes);
        assertEquals(replica.document.index(bytes), index);
      }
    }),
    { numRuns: 100, seed: 20_261_121 },
  );
});

/** Plays `steps`, delivers at last what is still under way, and returns all that was made. */
function play(base: string, count: number, steps: readonly Step[]) {
  const replicas = Array.from(
    { length: count },
    (_, i) => new Replica({ replicaId: [0, 8, 9, 10, 300][i]!, baseText: base }),
  );
  const inboxes: Operation[][] = replicas.map(() => []);
  const operations: Operation[] = [];
  for (const step of steps) {
    const from = step.who % count;
    const replica = replicas[from]!;
    if (step.kind === "deliver") {
      // In any order, some of them again later.
      const inbox = inboxes[from]!;
      const batch = step.picks.flatMap((pick) =>
        inbox.length === 0
          ? []
          : pick % 7 === 0
          ? [inbox[pick % inbox.length]!]
          : inbox.splice(pick % inbox.length, 1)
      );
      replica.apply(batch);
      continue;
    }
    const operation = step.kind === "edit"
      ? replica.edit(fitted(replica.text(), step.edits))
      : replica[step.kind]();
    if (operation === undefined) continue;
    operations.push(operation);
    for (const [to, inbox] of inboxes.entries()) if (to !== from) inbox.push(operation);
  }
  for (const [i, inbox] of inboxes.entries()) replicas[i]!.apply(inbox);
  return { replicas, operations };
}

/** Edits of `text` at what `random` asks for: sorted, without overlap, on character boundaries. */
function fitted(text: string, random: readonly RandomEdit[]): TextEdit[] {
  const places = boundaries(text);
  const edits: TextEdit[] = [];
  let previous = 0;
  for (const { at, length, text } of random.toSorted((a, b) => a.at - b.at)) {
    const from = Math.max(previous, at % places.length);
    const to = Math.min(from + length, places.length - 1);
    edits.push({ start: places[from]!, end: places[to]!, text });
    previous = to;
  }
  return edits;
}

/** The indices between the characters of `text`, its ends included. */
function boundaries(text: string): number[] {
  let index = 0;
  return [0, ...[...text].map((character) => index += character.length)];
}

function spliced(text: string, edits: readonly TextEdit[]): string {
  return edits.reduceRight(
    (result, { start, end, text }) => result.slice(0, start) + text + result.slice(end),
    text,
  );
}

/** Deletions are a set: their order is that of delivery. */
function sorted<T extends { deletions: { replicaId: number; timestamp: number }[] }>(fragment: T) {
  const deletions = fragment.deletions.map((d) => `${d.replicaId}@${d.timestamp}`).sort();
  return { ...fragment, deletions };
}
