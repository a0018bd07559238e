/**
 * Decompression of messages that anyone may have made. [transport 1.6.4] [design 3]
 *
 * The frames are walked first, so that a decoder sees only what is within the limits, and nothing
 * is allocated for a size that a sender merely claims. Checksums are verified: Zed's decoder does,
 * and a message that is passed on must not end its receivers' connections.
 */
import { FrameError } from "./zstd_error.ts";
import { decodeFrame } from "./zstd_wasm.ts";
import { FrameShape, MAX_BLOCK, RAW_BLOCK, RLE_BLOCK, walkFrame } from "./zstd_walk.ts";

export { FrameError, type FrameErrorReason } from "./zstd_error.ts";
export { prepareZstd, zstdMemory } from "./zstd_wasm.ts";

/** Every client has room for a window of that many bytes. [transport 1.6.3] */
const COMMON_WINDOW = 8 * 1024 * 1024;

/** Frames that one message may have. Zed sends one, Parley a few. */
export const MAX_FRAMES = 1024;

const shape = new FrameShape();

/**
 * The plain bytes of a message: those of its frames, one behind the other.
 *
 * @param limit bytes that the plain bytes may have
 * @returns new bytes, or for one frame with one raw block a view into `message`
 * @throws {FrameError}
 */
export function decompress(message: Uint8Array, limit: number): Uint8Array {
  if (message.length === 0) throw new FrameError("The message is empty", "empty");
  walkFrame(message, 0, limit, shape);
  if (shape.end === message.length) return content(message, 0, limit);
  return decompressMany(message, limit);
}

/**
 * Whether every decoder makes the same of this message, so that its bytes may be passed on after
 * looking at the plain bytes only. False for several frames, of which some decoders read the first
 * only, and where a crafted frame could decode to one thing here and to another (or to nothing) in a
 * decoder that keeps only the window of what it has decoded, as Zed's; nor where a receiver would make
 * room for a large window that holds little. Then send the plain bytes in a frame of our own. Of what
 * encoders make in everyday work, that is only what holds more than 128 KiB. [design 1.7]
 *
 * @param message accepted by {@link decompress}
 * @param plainLength bytes of its result
 */
export function decodesAlike(message: Uint8Array, plainLength: number): boolean {
  walkFrame(message, 0, Infinity, shape);
  if (shape.end < message.length) return false;
  if (shape.window > COMMON_WINDOW && shape.window > plainLength) return false;
  return !shape.compressed || (plainLength <= MAX_BLOCK && plainLength <= shape.window);
}

function decompressMany(message: Uint8Array, limit: number): Uint8Array {
  let frames = 0;
  let claimed = 0;
  for (let at = 0; at < message.length; at = shape.end) {
    walkFrame(message, at, limit, shape);
    claimed += shape.declared >= 0 ? shape.declared : shape.compressed ? 0 : shape.bound;
    if (++frames > MAX_FRAMES || claimed > limit) {
      throw new FrameError(`The zstd frames hold over ${limit} bytes or are too many`, "too-large");
    }
  }
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < message.length; at = shape.end) {
    walkFrame(message, at, limit - total, shape);
    const part = content(message, at, limit - total);
    parts.push(part);
    total += part.length;
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Content of the frame at `start` that {@link shape} describes. */
function content(message: Uint8Array, start: number, limit: number): Uint8Array {
  if (shape.compressed || shape.checksum) {
    const bound = shape.declared >= 0 ? shape.declared : shape.bound;
    const frame = start === 0 && shape.end === message.length
      ? message
      : message.subarray(start, shape.end);
    return decodeFrame(frame, bound, limit);
  }
  const first = message[shape.blocks] as number;
  if (shape.blockCount === 1 && ((first >> 1) & 3) === RAW_BLOCK) {
    return message.subarray(shape.blocks + 3, shape.end);
  }
  return plainBlocks(message);
}

function plainBlocks(message: Uint8Array): Uint8Array {
  const plain = new Uint8Array(shape.bound);
  let at = shape.blocks;
  let filled = 0;
  while (at < shape.end) {
    const header = (message[at] as number) | ((message[at + 1] as number) << 8) |
      ((message[at + 2] as number) << 16);
    const size = header >> 3;
    at += 3;
    if (((header >> 1) & 3) === RLE_BLOCK) {
      plain.fill(message[at] as number, filled, filled + size);
      at += 1;
    } else {
      plain.set(message.subarray(at, at + size), filled);
      at += size;
    }
    filled += size;
  }
  return plain;
}
