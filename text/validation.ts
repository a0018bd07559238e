import { describeOperation, type EditOperation, type Operation } from "./operation.ts";

/** Which rule an operation breaks. [channels 9.9] */
export type InvalidOperationReason =
  /** The value is not a whole number from 1 to 2³² - 1. */
  | "timestamp"
  /** The author's replica is reserved or no replica, or another one named is no u16. */
  | "replica"
  /** The version observes a value that is not smaller than the operation's own. */
  | "causality"
  /** There are more texts than ranges, or fewer. */
  | "text_count"
  /** Ranges are unsorted, overlap, or start after they end. */
  | "ranges"
  /** A text contains `\r`. */
  | "carriage_return"
  /** An undo count is no u32. */
  | "count"
  /** A range ends behind the text as the operation's version has it. */
  | "out_of_bounds"
  /** An offset lies inside a character. */
  | "split_character";

/** An operation that no sound replica makes; it must not be applied, stored or relayed. */
export class InvalidOperationError extends Error {
  override readonly name = "InvalidOperationError";

  constructor(
    readonly operation: Operation,
    readonly reason: InvalidOperationReason,
    problem: string,
  ) {
    super(
      `Cannot apply ${describeOperation(operation)}: ${problem}; drop it and end its author's part`,
    );
  }
}

/** Replica ids from here on are reserved. [channels 9.9] */
const FIRST_RESERVED_REPLICA = 65_534;
const U16 = 0xffff;
const U32 = 0xffff_ffff;

/**
 * Checks all that can be known of an operation without the text that it applies to; the rest is
 * checked when it gets applied. Beyond [channels 9.9] it requires what a Lamport clock guarantees
 * and convergence needs: an operation is newer than all that it observed. [channels 9.2]
 *
 * @throws {InvalidOperationError} the first rule that it breaks.
 */
export function validateOperation(operation: Operation): void {
  const fail = (reason: InvalidOperationReason, problem: string): never => {
    throw new InvalidOperationError(operation, reason, problem);
  };
  const { replicaId, timestamp, version } = operation;
  if (!isWhole(timestamp, U32) || timestamp === 0) {
    fail("timestamp", `its timestamp is not a whole number from 1 to ${U32}`);
  }
  if (!isWhole(replicaId, FIRST_RESERVED_REPLICA - 1)) {
    fail("replica", `its replica is not a whole number below ${FIRST_RESERVED_REPLICA}`);
  }
  for (const [replica, value] of version.values) {
    if (!isWhole(replica, U16)) fail("replica", `its version names the replica ${replica}`);
    // Also catches NaN, which compares with nothing.
    if (!(value < timestamp)) fail("causality", `its version observes ${replica}@${value}`);
  }
  if (operation.kind === "edit") validateRanges(operation, fail);
  else {
    for (const edit of operation.counts) {
      if (!isWhole(edit.replicaId, U16)) fail("replica", `it names the replica ${edit.replicaId}`);
      if (!isWhole(edit.timestamp, U32)) fail("timestamp", `it names the edit ${edit.timestamp}`);
      if (!isWhole(edit.count, U32)) fail("count", `it has the count ${edit.count}`);
    }
  }
}

function validateRanges(
  { ranges, newText }: EditOperation,
  fail: (reason: InvalidOperationReason, problem: string) => never,
): void {
  if (ranges.length !== newText.length) {
    fail("text_count", `it has ${newText.length} texts for ${ranges.length} ranges`);
  }
  let previous = 0;
  for (const { start, end } of ranges) {
    if (!isWhole(start, Number.MAX_SAFE_INTEGER) || !isWhole(end, Number.MAX_SAFE_INTEGER)) {
      fail("ranges", `its range [${start}, ${end}] is not of whole numbers`);
    }
    if (start > end) fail("ranges", `its range [${start}, ${end}] ends before it starts`);
    if (start < previous) {
      fail("ranges", `its range [${start}, ${end}] starts before the previous one ends`);
    }
    previous = end;
  }
  for (const text of newText) {
    if (text.includes("\r")) fail("carriage_return", "a text of it contains a carriage return");
  }
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
