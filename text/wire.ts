/** Operations and versions between the wire and the text CRDT. [channels 9.6] */
import type {
  Init,
  Operation as WireOperation,
  VectorClockEntry as WireVersionEntry,
} from "../proto/mod.ts";
import type { Operation } from "./operation.ts";
import { VersionVector } from "./version_vector.ts";

/** The version as messages hold it. */
export function toWireVersion(version: VersionVector): WireVersionEntry[] {
  return version.entries().map(([replicaId, timestamp]) => ({ replicaId, timestamp }));
}

/** The version that a message holds. */
export function fromWireVersion(entries: readonly WireVersionEntry[]): VersionVector {
  return new VersionVector(entries.map(({ replicaId, timestamp }) => [replicaId, timestamp]));
}

/** The operation as messages hold it. */
export function toWireOperation(operation: Operation): Init<WireOperation> {
  const { replicaId, timestamp, version } = operation;
  const common = { replicaId, lamportTimestamp: timestamp, version: toWireVersion(version) };
  if (operation.kind === "undo") {
    const counts = operation.counts.map((undo) => ({
      replicaId: undo.replicaId,
      lamportTimestamp: undo.timestamp,
      count: undo.count,
    }));
    return { undo: { ...common, counts } };
  }
  const ranges = operation.ranges.map(({ start, end }) => ({
    start: BigInt(start),
    end: BigInt(end),
  }));
  return { edit: { ...common, ranges, newText: [...operation.newText] } };
}

/**
 * The change of text that a message holds; undefined for what changes no text: selections,
 * diagnostics, completion triggers, line endings, and what this program does not know.
 */
export function fromWireOperation({ edit, undo }: WireOperation): Operation | undefined {
  if (edit !== undefined) {
    return {
      kind: "edit",
      replicaId: edit.replicaId,
      timestamp: edit.lamportTimestamp,
      version: fromWireVersion(edit.version),
      ranges: edit.ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) })),
      newText: edit.newText,
    };
  }
  if (undo !== undefined) {
    return {
      kind: "undo",
      replicaId: undo.replicaId,
      timestamp: undo.lamportTimestamp,
      version: fromWireVersion(undo.version),
      counts: undo.counts.map(({ replicaId, lamportTimestamp, count }) => ({
        replicaId,
        timestamp: lamportTimestamp,
        count,
      })),
    };
  }
  return undefined;
}
