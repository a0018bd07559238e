/** Operations and versions between the wire and the text CRDT, and lists in pieces. [channels 9.6] */
export {
  fromWireOperation,
  fromWireVersion,
  toWireOperation,
  toWireVersion,
} from "../text/wire.ts";

/** Pieces of at most `size` items, in order; none for an empty list. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  const pieces: T[][] = [];
  for (let at = 0; at < items.length; at += size) pieces.push(items.slice(at, at + size));
  return pieces;
}
