import { LamportClock } from "./clock.ts";
import { type ApplyResult, Document } from "./document.ts";
import { BASE, type Lamport } from "./lamport.ts";
import { normalizeLineEndings } from "./line_endings.ts";
import type { EditOperation, FullRange, Operation, UndoOperation } from "./operation.ts";

/** Replaces a piece of the visible text. */
export interface TextEdit {
  /** Index of the first UTF-16 code unit that goes, as of `String`. */
  readonly start: number;
  /** Index behind the last one that goes; `start` if none goes. */
  readonly end: number;
  /** What comes instead, `""` for nothing; line ends become `\n`. */
  readonly text: string;
}

/** What a {@link Replica} starts from: what joining a document tells. [channels 8.3] */
export interface ReplicaOptions {
  /** The number that its operations carry, u16; nobody else's in this document. */
  readonly replicaId: number;
  /** The text at the begin of the epoch; none if left out. */
  readonly baseText?: string;
  /** The operations of the epoch so far; none if left out. */
  readonly operations?: Iterable<Operation>;
}

/** One editor's copy of a document: makes operations, and takes those of others. [channels 9] */
export class Replica {
  /** The number that its operations carry. */
  readonly replicaId: number;
  /** The text itself, for everything that does not change it. */
  readonly document: Document;
  readonly #clock = new LamportClock();
  /** Own transactions, the last one last: the edits that one undo takes back. */
  readonly #undoStack: Lamport[][] = [];
  readonly #redoStack: Lamport[][] = [];
  #transaction: Lamport[] | undefined;

  /** Opens a document with the operations that there are; see {@link apply}. */
  constructor({ replicaId, baseText = "", operations = [] }: ReplicaOptions) {
    this.replicaId = replicaId;
    this.document = new Document(baseText);
    if (this.document.byteLength > 0) this.#clock.observe(BASE.timestamp);
    this.apply(operations);
  }

  /** The visible text. */
  text(): string {
    return this.document.text();
  }

  /**
   * Changes the text. All edits are in terms of the text before the call.
   *
   * @param edits ascending, without overlap.
   * @returns the operation that everybody else has to get; undefined if the edits change nothing.
   * @throws {RangeError} an edit is not within the text, splits a surrogate pair, ends before it
   *   starts, or starts before the previous one ends.
   */
  edit(edits: readonly TextEdit[]): EditOperation | undefined {
    const ranges: FullRange[] = [];
    const newText: string[] = [];
    let previous = 0;
    for (const { start, end, text } of edits) {
      if (start > end || start < previous) {
        throw new RangeError(
          `Cannot edit [${start}, ${end}] after [..., ${previous}]; sort the edits, without overlap`,
        );
      }
      previous = end;
      const full = {
        start: this.document.fullOffset(start, "right"),
        end: this.document.fullOffset(end, start === end ? "right" : "left"),
      };
      if (start === end && text === "") continue;
      ranges.push(full);
      // A lone surrogate has no UTF-8.
      newText.push(normalizeLineEndings(text).toWellFormed());
    }
    if (ranges.length === 0) return undefined;
    return this.transact(() => {
      const operation: EditOperation = {
        kind: "edit",
        replicaId: this.replicaId,
        timestamp: this.#clock.tick(),
        version: this.document.version,
        ranges,
        newText,
      };
      this.#applyOwn(operation);
      this.#transaction!.push({ replicaId: operation.replicaId, timestamp: operation.timestamp });
      return operation;
    });
  }

  /**
   * Runs `body`, the edits of which one {@link undo} takes back together. Within another
   * transaction it is part of that one.
   *
   * @returns what `body` returns.
   */
  transact<T>(body: () => T): T {
    if (this.#transaction !== undefined) return body();
    // Editors take a timestamp for the transaction itself, too. [channels 9.2]
    this.#clock.tick();
    this.#transaction = [];
    try {
      return body();
    } finally {
      if (this.#transaction.length > 0) {
        this.#undoStack.push(this.#transaction);
        this.#redoStack.length = 0;
      }
      this.#transaction = undefined;
    }
  }

  /**
   * Takes back the last own transaction that is in force. [channels 9.5]
   *
   * @returns the operation that everybody else has to get; undefined if there is no transaction.
   */
  undo(): UndoOperation | undefined {
    return this.#toggle(this.#undoStack, this.#redoStack);
  }

  /**
   * Brings back the own transaction that was taken back last; an edit makes an end of that.
   *
   * @returns the operation that everybody else has to get; undefined if there is no transaction.
   */
  redo(): UndoOperation | undefined {
    return this.#toggle(this.#redoStack, this.#undoStack);
  }

  /** A timestamp for what is told in order with the edits but changes no text. [channels 9.2] */
  tick(): number {
    return this.#clock.tick();
  }

  /** Takes operations of others, in any order, and any number of times. [channels 9.7] */
  apply(operations: Iterable<Operation>): ApplyResult {
    const result = this.document.apply(operations);
    for (const { timestamp } of result.applied) this.#clock.observe(timestamp);
    return result;
  }

  #toggle(from: Lamport[][], to: Lamport[][]): UndoOperation | undefined {
    if (this.#transaction !== undefined) {
      throw new Error("Cannot undo or redo within a transaction; end it before");
    }
    const transaction = from.pop();
    if (transaction === undefined) return undefined;
    to.push(transaction);
    const operation: UndoOperation = {
      kind: "undo",
      replicaId: this.replicaId,
      timestamp: this.#clock.tick(),
      version: this.document.version,
      counts: transaction.map((edit) => ({ ...edit, count: this.document.undoCount(edit) + 1 })),
    };
    this.#applyOwn(operation);
    return operation;
  }

  #applyOwn(operation: Operation): void {
    const { rejected: [error] } = this.document.apply([operation]);
    if (error !== undefined) throw error;
  }
}
