/** Compression, on the server only: browsers send raw frames. [transport 1.6.2] */
import { constants, zstdCompressSync } from "node:zlib";
import { FrameShape, walkFrame } from "./zstd_walk.ts";

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const shape = new FrameShape();

/** `plain` as one zstd frame of level 1, which declares no size. */
export function compress(plain: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = zstdCompressSync(plain, OPTIONS);
  // Not as a Buffer, whose `slice` does not copy.
  const made = new Uint8Array(buffer, byteOffset, byteLength);
  // Where a frame fills node's buffer exactly, an empty one comes behind it.
  walkFrame(made, 0, Infinity, shape);
  return made.subarray(0, shape.end);
}
