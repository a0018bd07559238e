/** Compression, on the server only: browsers send raw frames. [transport 1.6.2] */
import { constants, zstdCompressSync } from "node:zlib";

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** `plain` as one zstd frame of level 1, which declares no size. */
export function compress(plain: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = zstdCompressSync(plain, OPTIONS);
  // Not as a Buffer, whose `slice` does not copy.
  return new Uint8Array(buffer, byteOffset, byteLength);
}
