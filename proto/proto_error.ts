/** Bytes that are not the message they should be. [transport 1.6.5] */
export class ProtoError extends Error {
  override readonly name = "ProtoError";
}
