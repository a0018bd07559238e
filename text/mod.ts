/** The text CRDT: documents that several replicas edit at once. [channels 9] */
export type { Anchor } from "./anchors.ts";
export { type ApplyResult, Document, type FragmentView } from "./document.ts";
export { BASE, compareLamport, type Lamport, lamportKey } from "./lamport.ts";
export { normalizeLineEndings } from "./line_endings.ts";
export {
  describeOperation,
  type EditOperation,
  type FullRange,
  type Operation,
  type UndoCount,
  type UndoOperation,
} from "./operation.ts";
export { Replica, type ReplicaOptions, type TextEdit } from "./replica.ts";
export {
  InvalidOperationError,
  type InvalidOperationReason,
  validateOperation,
} from "./validation.ts";
export { VersionVector } from "./version_vector.ts";
export { fromWireOperation, fromWireVersion, toWireOperation, toWireVersion } from "./wire.ts";
