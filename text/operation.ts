import type { Lamport } from "./lamport.ts";
import type { VersionVector } from "./version_vector.ts";

/**
 * A piece of the text as the author of an operation saw it, in UTF-8 bytes of *full offset*:
 * deleted text counts, text that his version does not observe does not. [channels 9.6]
 */
export interface FullRange {
  readonly start: number;
  readonly end: number;
}

interface OperationBase extends Lamport {
  /** Everything that the author had applied before, his own previous operation included. */
  readonly version: VersionVector;
}

/** Replaces `ranges[i]` with `newText[i]`, all ranges in coordinates before it. [channels 9.6] */
export interface EditOperation extends OperationBase {
  readonly kind: "edit";
  /** Ascending, without overlap. */
  readonly ranges: readonly FullRange[];
  /** As many as ranges, `""` for a mere deletion; without `\r`. */
  readonly newText: readonly string[];
}

/** How often one edit was undone and redone: odd means undone. [channels 9.5] */
export interface UndoCount extends Lamport {
  /** u32. */
  readonly count: number;
}

/** Undoes edits, or redoes them with the next count. [channels 9.6] */
export interface UndoOperation extends OperationBase {
  readonly kind: "undo";
  readonly counts: readonly UndoCount[];
}

/** What changes a text. A plain object, never changed once made. [channels 9.6] */
export type Operation = EditOperation | UndoOperation;

/** The operation as messages name it, such as `edit 8@3`: kind, replica, value. */
export function describeOperation(operation: Operation): string {
  return `${operation.kind} ${operation.replicaId}@${operation.timestamp}`;
}
