/** Messages that would be too large for one WebSocket frame. [transport 1.6.10] */
import { compress } from "./zstd_compress.ts";
import { decompress } from "./zstd.ts";

/** Bytes of a frame that clients still take; a socket of Deno writes each message in one. */
const LARGEST_FRAME = 1 << 24;
/** For the header that a forward gets. */
const ROOM = 1024;
/** Plain bytes of a message; more does not come in, and is not said. */
const LARGEST_PLAIN = 1 << 28;

/** Whether so many bytes, sent as they are, would be too many for one frame. */
export function exceedsFrame(bytes: number): boolean {
  return bytes > LARGEST_FRAME - ROOM;
}

/** The message, compressed where clients would not take it otherwise. */
export function withinFrame(message: Uint8Array): Uint8Array {
  return message.length <= LARGEST_FRAME ? message : compress(decompress(message, LARGEST_PLAIN));
}
