/** Places that stay with the characters beside them. [channels 9.4] */
import type { Fragment } from "./fragment.ts";
import { BASE, type Lamport } from "./lamport.ts";
import type { TextStore } from "./text_store.ts";

/** A place in a text: beside a character that some edit inserted. */
export interface Anchor extends Lamport {
  /** Bytes of UTF-8 before it in what that edit inserted. */
  readonly offset: number;
  /** Which of its neighbours it stays with: the character to its left or to its right. */
  readonly bias: "left" | "right";
}

/**
 * The anchor at an index of the visible text. At the begin it stays with what follows, at the end
 * with what precedes.
 *
 * @param fragments from left to right.
 */
export function anchorAt(
  fragments: Iterable<Fragment>,
  store: TextStore,
  index: number,
  bias: Anchor["bias"],
): Anchor {
  let units = 0;
  let found: Anchor = { ...BASE, offset: 0, bias };
  for (const fragment of fragments) {
    if (!fragment.visible) continue;
    const end = units + fragment.units;
    if (index < units || (index === units && bias === "left" && units > 0)) break;
    if (index <= end) {
      const { replicaId, timestamp } = fragment.insertion;
      const at = index === end ? fragment.end : store.skipUnits(fragment.start, index - units);
      if (at === undefined) {
        throw new RangeError(`Cannot make an anchor at ${index}: it is inside a surrogate pair`);
      }
      const offset = at - firstByte(fragment.insertion);
      const kept = index === units ? "right" : index === end ? "left" : bias;
      found = { replicaId, timestamp, offset, bias: kept };
    }
    units = end;
  }
  return found;
}

/** The index of the visible text where an anchor is now; undefined if its edit is not known. */
export function indexOf(
  fragments: Iterable<Fragment>,
  store: TextStore,
  anchor: Anchor,
): number | undefined {
  let units = 0;
  let found: number | undefined;
  let first: number | undefined;
  for (const fragment of fragments) {
    const { insertion, start, length, visible } = fragment;
    if (insertion.replicaId === anchor.replicaId && insertion.timestamp === anchor.timestamp) {
      first ??= firstByte(insertion);
      const within = first + anchor.offset - start;
      const isHere = anchor.bias === "left"
        ? within > 0 && within <= length
        : within >= 0 && within < length;
      if (isHere) return units + (visible ? store.countUnits(start, start + within) : 0);
      // Behind its last byte or before its first one: what comes nearest.
      if (within === 0 || within === length) {
        found = units + (visible ? store.countUnits(start, start + within) : 0);
      }
    }
    if (visible) units += fragment.units;
  }
  return found ?? (isBase(anchor) ? 0 : undefined);
}

/** Where the store has the first byte that an edit inserted: it appends all of them at once. */
function firstByte(insertion: Fragment["insertion"]): number {
  let first = Infinity;
  for (const fragment of insertion.fragments) {
    if (fragment.insertion === insertion && fragment.start < first) first = fragment.start;
  }
  return first;
}

function isBase({ replicaId, timestamp }: Lamport): boolean {
  return replicaId === BASE.replicaId && timestamp === BASE.timestamp;
}
