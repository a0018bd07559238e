/**
 * Reads the headers of a zstd frame and of its blocks, before any decoder sees them. (RFC 8878)
 * [design 3]
 */
import { FrameError } from "./zstd_error.ts";

/** What a block may hold when decoded, bytes. */
export const MAX_BLOCK = 128 * 1024;

/**
 * Windows up to this are accepted, bytes: what the highest level makes of content whose size it does not
 * know, and what zstd's own decoders take. Nothing is allocated for them. [transport 1.6.2]
 */
const MAX_WINDOW = 2 ** 27;

/** Shape of one frame; the instance is reused by {@link walkFrame}. */
export class FrameShape {
  /** Offset of the first block's header. */
  blocks = 0;
  /** Offset of the last block's header. */
  last = 0;
  /** Offset behind the last block. */
  blocksEnd = 0;
  /** Offset behind the frame, its checksum included. */
  end = 0;
  /** Content size that the header declares, bytes; -1 for none. */
  declared = -1;
  /** How far back a block may refer, bytes. */
  window = 0;
  /** The content has at most that many bytes; exactly that many when `compressed` is false. */
  bound = 0;
  blockCount = 0;
  /** Some block is compressed: neither raw nor a repeated byte. */
  compressed = false;
  /** Four bytes of checksum follow the blocks. */
  checksum = false;
}

/** Type of a block, in bits 1 and 2 of its header: its bytes as they are. */
export const RAW_BLOCK = 0;
/** Type of a block: one byte, repeated. */
export const RLE_BLOCK = 1;
/** Type of a block that needs a decoder. */
const COMPRESSED_BLOCK = 2;

function truncated(): FrameError {
  return new FrameError("The zstd frame is cut off", "truncated");
}

function checkMagic(bytes: Uint8Array, start: number): void {
  const length = bytes.length - start;
  if (
    length >= 4 && bytes[start] === 0x28 && bytes[start + 1] === 0xb5 &&
    bytes[start + 2] === 0x2f && bytes[start + 3] === 0xfd
  ) return;
  if (
    length >= 4 && ((bytes[start] as number) & 0xf0) === 0x50 && bytes[start + 1] === 0x2a &&
    bytes[start + 2] === 0x4d && bytes[start + 3] === 0x18
  ) throw new FrameError("The message has a skippable zstd frame", "skippable");
  if (start > 0) throw new FrameError("Something follows the last zstd frame", "trailing");
  const magic = [0x28, 0xb5, 0x2f];
  for (let at = 0; at < length && at < 4; at++) {
    if (length > 3 || bytes[at] !== magic[at]) {
      throw new FrameError("The message does not begin with a zstd frame", "not-zstd");
    }
  }
  throw truncated();
}

/**
 * Walks the frame at `start` to its end.
 *
 * @param limit bytes that the content may have
 * @throws {FrameError}
 */
export function walkFrame(
  bytes: Uint8Array,
  start: number,
  limit: number,
  frame: FrameShape,
): void {
  checkMagic(bytes, start);
  const length = bytes.length;
  if (start + 6 > length) throw truncated();
  const descriptor = bytes[start + 4] as number;
  if ((descriptor & 8) !== 0) throw new FrameError("The zstd frame sets a reserved bit", "corrupt");
  if ((descriptor & 3) !== 0) throw new FrameError("The zstd frame has a dictionary", "dictionary");

  const single = (descriptor & 32) !== 0;
  let at = start + 5;
  let window = 0;
  if (!single) {
    const byte = bytes[at++] as number;
    const base = 2 ** (10 + (byte >> 3));
    window = base + (base / 8) * (byte & 7);
  }
  let declared = -1;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag;
  if (at + sizeBytes > length) throw truncated();
  if (sizeBytes > 0) {
    declared = sizeFlag === 1 ? 256 : 0;
    for (let index = 0; index < sizeBytes; index++) {
      declared += (bytes[at + index] as number) * 256 ** index;
    }
    at += sizeBytes;
    if (single) window = declared;
  }
  if (declared > limit) {
    throw new FrameError(`The zstd frame declares ${declared} bytes`, "too-large");
  }
  if (!single && window > MAX_WINDOW) {
    throw new FrameError(`The zstd frame declares a window of ${window} bytes`, "too-large");
  }

  const blockLimit = window < MAX_BLOCK ? window : MAX_BLOCK;
  frame.blocks = at;
  let exact = 0;
  let compressed = 0;
  let blockCount = 0;
  for (let last = false; !last;) {
    if (at + 3 > length) throw truncated();
    const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16);
    frame.last = at;
    at += 3;
    last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (size > blockLimit) {
      throw new FrameError("A zstd block is larger than its window", "corrupt");
    }
    if (type === RLE_BLOCK) {
      exact += size;
      at += 1;
    } else {
      if (type === RAW_BLOCK) exact += size;
      else if (type === COMPRESSED_BLOCK) compressed++;
      else throw new FrameError("A zstd block has the reserved type", "corrupt");
      at += size;
    }
    if (at > length) throw truncated();
    blockCount++;
  }
  if (exact > limit) throw new FrameError(`The zstd frame holds over ${limit} bytes`, "too-large");
  const bound = exact + compressed * blockLimit;
  if (declared >= 0 && (declared < exact || declared > bound)) {
    throw new FrameError("The zstd frame does not have the size that it declares", "corrupt");
  }

  frame.blocksEnd = at;
  frame.checksum = (descriptor & 4) !== 0;
  if (frame.checksum) {
    at += 4;
    if (at > length) throw truncated();
  }
  frame.end = at;
  frame.declared = declared;
  frame.window = window;
  frame.bound = bound;
  frame.blockCount = blockCount;
  frame.compressed = compressed > 0;
}
