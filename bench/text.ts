import { Document, type Operation, Replica } from "../text/mod.ts";
import { RandomSource } from "../tests/support/random.ts";

/** One line of the table of benchmarks. */
export interface BenchLine {
  name: string;
  value: string;
  target: string;
}

const OPERATIONS = 10_000;
const EDITS = 5_000;
const MEGABYTE = 1_000_000;
const RUNS = 5;

/** Measures the text CRDT: how fast operations apply, and a large document in use. */
export function benchText(): Promise<BenchLine[]> {
  return Promise.resolve([
    applyLine("typed at one place", typing()),
    applyLine("at random places of 10 kB", scattered(OPERATIONS, "lorem ip\n".repeat(1_100))),
    applyLine("of two writers, each offline", offline()),
    ...megabyte(),
  ]);
}

interface Recording {
  readonly base: string;
  readonly operations: Operation[];
}

function applyLine(what: string, { base, operations }: Recording): BenchLine {
  const ms = median(() => void new Document(base, operations));
  return {
    name: `text: ${OPERATIONS} operations ${what}, applied`,
    value: `${ms.toFixed(1)} ms`,
    target: "< 100 ms",
  };
}

function megabyte(): BenchLine[] {
  const base = "The quick brown fox jumps over the lazy dog.\n".repeat(Math.ceil(MEGABYTE / 45));
  const before = performance.now();
  const replica = new Replica({ replicaId: 8, baseText: base });
  const open = performance.now() - before;

  const random = new RandomSource(7);
  const operations: Operation[] = [];
  const local: number[] = [];
  for (let i = 0; i < EDITS; i++) {
    const at = random.int(replica.document.length);
    const start = performance.now();
    operations.push(
      replica.edit([{ start: at, end: Math.min(at + i % 3, base.length), text: "é" }])!,
    );
    local.push(performance.now() - start);
  }
  local.sort((a, b) => a - b);

  const remote = median(() => void new Document(base, operations));
  const read = median(() => {
    replica.edit([{ start: 0, end: 0, text: "x" }]);
    replica.text();
  });
  return [
    { name: "text: 1 MB document, opened", value: `${open.toFixed(1)} ms`, target: "-" },
    {
      name: `text: 1 MB document, ${EDITS} local edits at random places, 99 % took less than`,
      value: `${local[Math.floor(EDITS * 0.99)]!.toFixed(3)} ms`,
      target: "< 1 ms",
    },
    {
      name: `text: 1 MB document, ${EDITS} remote edits, opened and applied`,
      value: `${remote.toFixed(1)} ms`,
      target: "< 100 ms",
    },
    {
      name: `text: 1 MB document, ${EDITS} edits later, one edit and the whole text`,
      value: `${read.toFixed(2)} ms`,
      target: "< 16 ms",
    },
  ];
}

/** One writer who types on and on, and now and then takes something back. */
function typing(): Recording {
  const replica = new Replica({ replicaId: 8 });
  const operations: Operation[] = [];
  for (let i = 0; i < OPERATIONS; i++) {
    const at = replica.document.length;
    const operation = i % 10 === 9
      ? replica.undo()
      : replica.edit([{ start: at, end: at, text: "a" }]);
    operations.push(operation!);
  }
  return { base: "", operations };
}

/** Two writers at random places who get each other's operations ten later. */
function scattered(count: number, base: string): Recording {
  const random = new RandomSource(1);
  const replicas = [8, 9].map((replicaId) => new Replica({ replicaId, baseText: base }));
  const operations: Operation[] = [];
  const late: Operation[][] = [[], []];
  for (let i = 0; i < count; i++) {
    const writer = replicas[i % 2]!;
    const start = random.int(writer.document.length - 5);
    const end = random.chance(0.5) ? start : start + 4;
    const operation = writer.edit([{ start, end, text: "word" }])!;
    operations.push(operation);
    late[1 - i % 2]!.push(operation);
    for (const [reader, queue] of late.entries()) {
      if (queue.length >= 10) replicas[reader]!.apply(queue.splice(0));
    }
  }
  return { base, operations };
}

/** Two writers who do not hear of each other at all: half of all text is unobserved by each. */
function offline(): Recording {
  const base = "Lorem ipsum.\n".repeat(100);
  const random = new RandomSource(2);
  const operations: Operation[] = [];
  for (const replicaId of [8, 9]) {
    const writer = new Replica({ replicaId, baseText: base });
    let at = 0;
    for (let i = 0; i < OPERATIONS / 2; i++) {
      if (i % 50 === 0) at = random.int(writer.document.length);
      operations.push(writer.edit([{ start: at, end: at, text: "a" }])!);
      at++;
    }
  }
  return { base, operations };
}

/** Median of the milliseconds that `body` takes. */
function median(body: () => void): number {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    body();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[RUNS >> 1]!;
}
