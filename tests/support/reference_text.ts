import type { EditOperation, Lamport, Operation, UndoOperation } from "../../text/mod.ts";
import { compareLamport, VersionVector } from "../../text/mod.ts";

/** A fragment as [channels 9.4] has it. */
interface ReferenceFragment {
  insertion: Lamport;
  bytes: Uint8Array;
  visible: boolean;
  deletions: Lamport[];
}

/**
 * The rules of [channels 9.5] to [channels 9.8] word by word, in the array form of the
 * specification: what the document in `text/` is compared with. No validation.
 */
export class ReferenceText {
  readonly version = new VersionVector();
  #fragments: ReferenceFragment[] = [];
  readonly #undoTable = new Map<string, { undo: Lamport; count: number }[]>();
  #waiting: Operation[] = [];

  constructor(baseText: string) {
    const base = baseText.replace(/\r\n?/g, "\n");
    if (base === "") return;
    const insertion = { replicaId: 0, timestamp: 1 };
    const bytes = new TextEncoder().encode(base);
    this.#fragments.push({ insertion, bytes, visible: true, deletions: [] });
    this.version.observe(insertion);
  }

  text(): string {
    return concatenate(this.#fragments.filter((fragment) => fragment.visible));
  }

  /** The invisible bytes in list order. */
  deletedText(): string {
    return concatenate(this.#fragments.filter((fragment) => !fragment.visible));
  }

  /** In the form of `Document.fragments`. */
  fragments() {
    return this.#fragments.map(({ bytes, ...rest }) => ({
      ...rest,
      text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    }));
  }

  apply(operations: Iterable<Operation>): void {
    for (const operation of operations) {
      const waits = this.#waiting.some((other) => other.replicaId === operation.replicaId);
      if (waits || !this.version.covers(operation.version)) this.#waiting.push(operation);
      else this.#applyReady(operation);
    }
    const blocked = new Set<number>();
    const waiting = this.#waiting.sort(compareLamport);
    this.#waiting = [];
    for (const operation of waiting) {
      if (blocked.has(operation.replicaId) || !this.version.covers(operation.version)) {
        blocked.add(operation.replicaId);
        this.#waiting.push(operation);
      } else this.#applyReady(operation);
    }
  }

  #applyReady(operation: Operation): void {
    if (this.version.observes(operation)) return;
    if (operation.kind === "edit") this.#edit(operation);
    else this.#undo(operation);
    this.version.observe(operation);
  }

  #edit(op: EditOperation): void {
    const src = this.#fragments;
    const out: ReferenceFragment[] = [];
    const opTs = { replicaId: op.replicaId, timestamp: op.timestamp };
    const width = (f: ReferenceFragment) => op.version.observes(f.insertion) ? f.bytes.length : 0;
    let i = 0;
    let cur = src[0];
    let pos = 0;
    for (const [n, { start, end }] of op.ranges.entries()) {
      const text = op.newText[n]!;
      while (cur && pos + width(cur) < start) {
        out.push(cur);
        pos += width(cur);
        cur = src[++i];
      }
      if (cur && width(cur) > 0 && pos + width(cur) === start) {
        out.push(cur);
        pos = start;
        cur = src[++i];
      }
      while (cur && pos === start && compareLamport(cur.insertion, opTs) > 0) {
        out.push(cur);
        cur = src[++i];
      }
      if (cur && pos < start) {
        const [head, tail] = split(cur, start - pos);
        out.push(head);
        cur = tail;
        pos = start;
      }
      if (text !== "") {
        const bytes = new TextEncoder().encode(text);
        out.push({ insertion: opTs, bytes, visible: true, deletions: [] });
      }
      while (cur && pos < end) {
        if (width(cur) === 0) {
          out.push(cur);
          cur = src[++i];
          continue;
        }
        const taken = Math.min(end - pos, width(cur));
        let piece: ReferenceFragment = cur;
        if (taken < cur.bytes.length) [piece, cur] = split(cur, taken);
        else cur = src[++i];
        if (this.#wasVisible(piece, op.version)) {
          piece.deletions.push(opTs);
          piece.visible = false;
        }
        out.push(piece);
        pos += taken;
      }
    }
    if (cur) out.push(cur);
    this.#fragments = out.concat(src.slice(i + 1));
  }

  #undo(op: UndoOperation): void {
    for (const { replicaId, timestamp, count } of op.counts) {
      const key = `${replicaId}@${timestamp}`;
      const entries = this.#undoTable.get(key) ?? [];
      entries.push({ undo: { replicaId: op.replicaId, timestamp: op.timestamp }, count });
      this.#undoTable.set(key, entries);
    }
    for (const fragment of this.#fragments) {
      fragment.visible = !this.#undone(fragment.insertion) &&
        fragment.deletions.every((deletion) => this.#undone(deletion));
    }
  }

  /** @param version undefined for the present state. */
  #undone({ replicaId, timestamp }: Lamport, version?: VersionVector): boolean {
    const entries = this.#undoTable.get(`${replicaId}@${timestamp}`) ?? [];
    const seen = entries.filter(({ undo }) => version?.observes(undo) ?? true);
    return Math.max(0, ...seen.map(({ count }) => count)) % 2 === 1;
  }

  #wasVisible(fragment: ReferenceFragment, version: VersionVector): boolean {
    return version.observes(fragment.insertion) && !this.#undone(fragment.insertion, version) &&
      fragment.deletions.every((deletion) =>
        !version.observes(deletion) || this.#undone(deletion, version)
      );
  }
}

function split(fragment: ReferenceFragment, at: number): [ReferenceFragment, ReferenceFragment] {
  return [
    { ...fragment, bytes: fragment.bytes.slice(0, at), deletions: [...fragment.deletions] },
    { ...fragment, bytes: fragment.bytes.slice(at), deletions: [...fragment.deletions] },
  ];
}

function concatenate(fragments: ReferenceFragment[]): string {
  const bytes = fragments.flatMap((fragment) => [...fragment.bytes]);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
}
