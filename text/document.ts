import { type Anchor, anchorAt, indexOf } from "./anchors.ts";
import type { EditRecord } from "./edit_record.ts";
import { Fragment } from "./fragment.ts";
import { type FragmentPosition, FragmentTree } from "./fragment_tree.ts";
import { History } from "./history.ts";
import { BASE, compareLamport, type Lamport } from "./lamport.ts";
import { normalizeLineEndings } from "./line_endings.ts";
import type { EditOperation, Operation, UndoOperation } from "./operation.ts";
import { TextStore } from "./text_store.ts";
import { UndoTable } from "./undo_table.ts";
import { InvalidOperationError, validateOperation } from "./validation.ts";
import { VersionVector } from "./version_vector.ts";
import { View } from "./view.ts";
import { WaitingSet } from "./waiting_set.ts";

/**
 * Bytes that a fragment has at most when it is inserted. A long text becomes several, which no
 * rule can tell from one that was split, and no split has to count through a megabyte.
 */
const MAX_INSERTED_BYTES = 1024;

/** What became of the operations of one {@link Document.apply}, in the order in which it did. */
export interface ApplyResult {
  /** Took effect: of the given ones, and of those that had been waiting for them. */
  readonly applied: Operation[];
  /** Of the given ones, those that wait now for operations that are missing. */
  readonly waiting: Operation[];
  /** Of the given ones, those that had been applied, or were waiting, before. */
  readonly ignored: Operation[];
  /** Broke a rule of [channels 9.9], be it given or waiting before; forgotten. */
  readonly rejected: InvalidOperationError[];
}

/** A fragment as {@link Document.fragments} shows it. [channels 9.4] */
export interface FragmentView {
  /** The edit that inserted it. */
  readonly insertion: Lamport;
  readonly text: string;
  readonly visible: boolean;
  /** The edits that deleted it, in the order in which they got applied. */
  readonly deletions: Lamport[];
}

/**
 * A text that several replicas edit at once: whatever the order in which it gets their operations,
 * it ends up the same. It belongs to no replica, has no clock and makes no operations.
 * [channels 9]
 */
export class Document {
  readonly #store = new TextStore();
  readonly #tree = new FragmentTree(this.#store);
  readonly #edits = new UndoTable();
  readonly #history = new History();
  readonly #waiting = new WaitingSet();
  readonly #version = new VersionVector();
  #text: string | undefined;

  /**
   * @param baseText the text at the begin of the epoch; line ends become `\n`.
   * @param operations applied as by {@link apply}. Those that break a rule are left out; apply
   *   them separately to learn which.
   */
  constructor(baseText = "", operations: Iterable<Operation> = []) {
    const base = normalizeLineEndings(baseText);
    if (base !== "") {
      this.#insert(this.#edits.record(BASE), base, undefined);
      this.#version.observe(BASE);
    }
    this.apply(operations);
  }

  /** The visible text; the base text of the next epoch if this one ends now. [channels 8.5] */
  text(): string {
    if (this.#text === undefined) {
      const bytes = new Uint8Array(this.#tree.visible);
      let length = 0;
      let start = 0;
      let end = 0;
      // Neighbours that were inserted in one go are copied in one go.
      const flush = () => {
        if (end > start) this.#store.copy(start, end, bytes, length);
        length += end - start;
      };
      for (const fragment of this.#tree) {
        if (!fragment.visible) continue;
        if (fragment.start !== end) {
          flush();
          start = fragment.start;
        }
        end = fragment.end;
      }
      flush();
      this.#text = this.#store.decode(bytes);
    }
    return this.#text;
  }

  /** Length of the visible text in bytes of UTF-8. */
  get byteLength(): number {
    return this.#tree.visible;
  }

  /** Length of the visible text in UTF-16 code units, as of {@link text}. */
  get length(): number {
    return this.#tree.units;
  }

  /** A copy of what was applied; operations that wait do not count. [channels 9.3] */
  get version(): VersionVector {
    return this.#version.clone();
  }

  /** Operations that wait for others that are missing. [channels 9.7] */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** How often `edit` was undone and redone: the next undo or redo has one more. [channels 9.5] */
  undoCount(edit: Lamport): number {
    return this.#edits.count(edit);
  }

  /**
   * Every operation here, applied or waiting, that `version` does not observe, by timestamp: what
   * somebody who has seen `version` lacks. [channels 8.6]
   */
  missingOperations(version: VersionVector): Operation[] {
    const missing = this.#history.since(version);
    if (this.#waiting.size === 0) return missing;
    for (const operation of this.#waiting) {
      if (!version.observes(operation)) missing.push(operation);
    }
    return missing.sort(compareLamport);
  }

  /** Operations that wait, in no particular order. */
  waiting(): Iterable<Operation> {
    return this.#waiting;
  }

  /**
   * Forgets the operations that wait and that `which` picks. To be called with those of an author
   * whose part ends: what builds on an operation that broke a rule would wait for ever, and block
   * whoever gets the replica id next. [channels 9.9]
   *
   * @returns what was forgotten; of one replica from the oldest to the newest.
   */
  dropWaiting(which: (operation: Operation) => boolean): Operation[] {
    return this.#waiting.drop(which);
  }

  /**
   * Applies those of `operations` that are ready and then what had been waiting for them; the
   * others wait. [channels 9.7] One that breaks a rule changes nothing and keeps nobody from
   * applying the rest. [channels 9.9]
   */
  apply(operations: Iterable<Operation>): ApplyResult {
    const result: ApplyResult = { applied: [], waiting: [], ignored: [], rejected: [] };
    const deferred: Operation[] = [];
    for (const operation of operations) {
      try {
        validateOperation(operation);
      } catch (error) {
        if (!(error instanceof InvalidOperationError)) throw error;
        result.rejected.push(error);
        continue;
      }
      if (this.#version.observes(operation)) result.ignored.push(operation);
      else if (this.#isReady(operation) && !this.#waiting.blocks(operation)) {
        this.#applyReady(operation, result);
      } else if (this.#waiting.add(operation)) deferred.push(operation);
      else result.ignored.push(operation);
    }
    for (;;) {
      const operation = this.#waiting.take((candidate) => this.#isReady(candidate));
      if (operation === undefined) break;
      if (!this.#version.observes(operation)) this.#applyReady(operation, result);
    }
    const settled = new Set<Operation>(deferred.length === 0 ? [] : result.applied);
    for (const { operation } of result.rejected) settled.add(operation);
    for (const operation of deferred) {
      if (!settled.has(operation)) result.waiting.push(operation);
    }
    return result;
  }

  /** The fragments from left to right, for tests and for whoever has to find out what happened. */
  *fragments(): Generator<FragmentView> {
    const lamport = ({ replicaId, timestamp }: Lamport) => ({ replicaId, timestamp });
    for (const { insertion, start, end, visible, deletions } of this.#tree) {
      yield {
        insertion: lamport(insertion),
        text: this.#store.read(start, end),
        visible,
        deletions: deletions.map(lamport),
      };
    }
  }

  /**
   * Converts an index of {@link text} to bytes of UTF-8.
   *
   * @throws {RangeError} `index` is not within the text, or inside a surrogate pair.
   */
  byteOffset(index: number): number {
    this.#checkIndex(index);
    const { fragment, visible, units } = this.#tree.locate("units", index, "left");
    return visible + this.#bytesWithin(fragment, index - units, index);
  }

  /**
   * Converts bytes of UTF-8 of the visible text to an index of {@link text}.
   *
   * @throws {RangeError} `byteOffset` is not within the text, or inside a character.
   */
  index(byteOffset: number): number {
    if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset > this.byteLength) {
      throw new RangeError(
        `Cannot find byte ${byteOffset} in a text of ${this.byteLength} bytes; stay within it`,
      );
    }
    const { fragment, visible, units } = this.#tree.locate("visible", byteOffset, "left");
    if (fragment === undefined || byteOffset === visible) return units;
    const at = fragment.start + byteOffset - visible;
    if (!this.#store.isBoundary(at) && at !== fragment.end) {
      throw new RangeError(
        `Cannot convert byte ${byteOffset}: it is inside a character; use the character's start`,
      );
    }
    return units + this.#store.countUnits(fragment.start, at);
  }

  /**
   * Converts an index of {@link text} to a full offset under the present version. [channels 9.6]
   *
   * @param side where to be if there is deleted text at `index`: left of it, as the end of a range
   *   that is deleted, or right of it, as everything that is inserted.
   * @throws {RangeError} `index` is not within the text, or inside a surrogate pair.
   */
  fullOffset(index: number, side: "left" | "right"): number {
    this.#checkIndex(index);
    const { fragment, total, units } = this.#tree.locate("units", index, side);
    return total + this.#bytesWithin(fragment, index - units, index);
  }

  /**
   * A place that stays with a neighbour of `index`, whatever is edited elsewhere.
   *
   * @throws {RangeError} `index` is not within the text, or inside a surrogate pair.
   */
  anchor(index: number, bias: Anchor["bias"]): Anchor {
    this.#checkIndex(index);
    return anchorAt(this.#tree, this.#store, index, bias);
  }

  /** The index of {@link text} where an anchor is; undefined if its edit has not been applied. */
  indexOfAnchor(anchor: Anchor): number | undefined {
    return indexOf(this.#tree, this.#store, anchor);
  }

  #checkIndex(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index > this.length) {
      throw new RangeError(
        `Cannot find index ${index} in a text of length ${this.length}; stay within it`,
      );
    }
  }

  /** Bytes of `fragment` before its UTF-16 code unit `units`, which is `index` of the text. */
  #bytesWithin(fragment: Fragment | undefined, units: number, index: number): number {
    if (fragment === undefined || units === 0) return 0;
    if (fragment.units === fragment.length) return units;
    const at = this.#store.skipUnits(fragment.start, units);
    if (at === undefined) {
      throw new RangeError(
        `Cannot convert index ${index}: it is inside a surrogate pair; use the pair's start`,
      );
    }
    return at - fragment.start;
  }

  #isReady(operation: Operation): boolean {
    return this.#version.covers(operation.version);
  }

  #applyReady(operation: Operation, result: ApplyResult): void {
    try {
      if (operation.kind === "edit") this.#applyEdit(operation);
      else this.#applyUndo(operation);
    } catch (error) {
      if (!(error instanceof InvalidOperationError)) throw error;
      result.rejected.push(error);
      return;
    }
    this.#version.observe(operation);
    this.#history.push(operation);
    this.#text = undefined;
    result.applied.push(operation);
  }

  /**
   * The algorithm of [channels 9.8], with steps over fragments replaced by look-ups.
   *
   * @throws {InvalidOperationError} an offset is behind the text or splits a character; nothing
   *   was changed.
   */
  #applyEdit(operation: EditOperation): void {
    const view = new View(operation, this.#version);
    const starts = this.#findStarts(operation, view);
    const edit = this.#edits.record(operation);
    let position = 0;
    let current = this.#tree.first();
    for (const [i, { start, end }] of operation.ranges.entries()) {
      // A range that touches the previous one goes on where that ended: behind its new text.
      if (start > position) {
        current = this.#cut(view, starts[i]!);
        position = start;
      }
      // Only concurrent insertions can be newer: validation requires that what it saw is older.
      while (current !== undefined && current.insertion.key > edit.key) {
        current = this.#tree.next(current);
      }
      this.#insert(edit, operation.newText[i]!, current);
      while (position < end) {
        // Both offsets were found to be within the text, so that there is a fragment.
        const fragment: Fragment = current!;
        if (view.observes(fragment.insertion)) {
          const left = end - position;
          if (left < fragment.length) this.#tree.split(fragment, left);
          position += fragment.length;
          if (fragment.wasVisible(view)) {
            fragment.addDeletion(edit);
            this.#tree.refresh(fragment);
          }
        }
        current = this.#tree.next(fragment);
      }
    }
  }

  /** Checks the offsets of `operation` and returns where its ranges start; undefined for 0. */
  #findStarts(operation: EditOperation, view: View): (FragmentPosition | undefined)[] {
    return operation.ranges.map(({ start, end }) => {
      // The end is the first to be looked at, so that what exceeds the text is called that.
      const last = this.#find(operation, view, end);
      return start === end ? last : this.#find(operation, view, start);
    });
  }

  #find(operation: EditOperation, view: View, offset: number): FragmentPosition | undefined {
    if (offset === 0) return undefined;
    const position = this.#tree.seek(view, offset);
    if (position === undefined) {
      throw new InvalidOperationError(
        operation,
        "out_of_bounds",
        `its offset ${offset} exceeds the text at its version`,
      );
    }
    const { fragment, within } = position;
    if (within < fragment.length && !this.#store.isBoundary(fragment.start + within)) {
      throw new InvalidOperationError(
        operation,
        "split_character",
        `its offset ${offset} is inside a character`,
      );
    }
    return position;
  }

  /**
   * The fragment behind the place that was found at `fragment` and `within` before earlier ranges
   * of the same operation may have split that fragment; cuts one there if need be.
   */
  #cut(view: View, { fragment, within }: FragmentPosition): Fragment | undefined {
    while (within > fragment.length) {
      within -= fragment.length;
      do fragment = this.#tree.next(fragment)!; while (!view.observes(fragment.insertion));
    }
    return within === fragment.length
      ? this.#tree.next(fragment)
      : this.#tree.split(fragment, within);
  }

  /** Puts `text` to the left of `at`, or at the right end. */
  #insert(edit: EditRecord, text: string, at: Fragment | undefined): void {
    let start = this.#store.length;
    this.#store.append(text);
    const end = this.#store.length;
    while (start < end) {
      let to = Math.min(start + MAX_INSERTED_BYTES, end);
      while (!this.#store.isBoundary(to)) to--;
      const units = this.#store.countUnits(start, to);
      const fragment = new Fragment(edit, start, to - start, units);
      edit.addFragment(fragment);
      this.#tree.insertBefore(at, fragment);
      start = to;
    }
  }

  #applyUndo(undo: UndoOperation): void {
    for (const entry of undo.counts) {
      const edit = this.#edits.record(entry);
      if (!edit.addUndo(undo, entry.count)) continue;
      for (const fragment of edit.fragments) this.#tree.refresh(fragment);
    }
  }
}
