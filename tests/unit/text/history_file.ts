import { type Document, type Operation, VersionVector } from "../../../text/mod.ts";

/** A history as the files in `tests/data` have it. */
export interface HistoryCase {
  base: string;
  text: string;
  operations: Operation[];
  version: [number, number][] | undefined;
  deleted: string | undefined;
}

/** An operation in the short form of the files. */
export type FileOperation =
  & { r: number; t: number; v: [number, number][] }
  & (
    | { k: "e"; ranges: [number, number][]; texts: string[] }
    | { k: "u"; counts: [number, number, number][] }
  );

export async function readHistories(name: string): Promise<HistoryCase[]> {
  const file = await Deno.readTextFile(new URL(`../../data/${name}`, import.meta.url));
  return file.trimEnd().split("\n").map((line) => {
    const { base, text, ops, version, deleted } = JSON.parse(line);
    return { base, text, operations: readOperations(ops), version, deleted };
  });
}

export function readOperations(operations: FileOperation[]): Operation[] {
  return operations.map((op): Operation => {
    const common = { replicaId: op.r, timestamp: op.t, version: new VersionVector(op.v) };
    return op.k === "e"
      ? {
        kind: "edit",
        ...common,
        ranges: op.ranges.map(([start, end]) => ({ start, end })),
        newText: op.texts,
      }
      : {
        kind: "undo",
        ...common,
        counts: op.counts.map(([replicaId, timestamp, count]) => ({ replicaId, timestamp, count })),
      };
  });
}

export function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}

/** The invisible text in list order. */
export function deletedText(document: Document): string {
  return [...document.fragments()].filter(({ visible }) => !visible)
    .map(({ text }) => text).join("");
}
