/**
 * Outgoing messages, each one zstd frame: raw blocks around an envelope's header, and other people's
 * compressed blocks passed on. Nothing is compressed here. [transport 1.6.2] [design 1.7]
 *
 * Small results are views into a shared block (rpc/zstd_slab.ts): write them soon or copy them.
 */
import { shortLivedBytes } from "./zstd_slab.ts";
import { FrameShape, MAX_BLOCK, walkFrame } from "./zstd_walk.ts";

/** The longest header: three fields, of which one holds two numbers. */
const header = new Uint8Array(32);
const NONE = new Uint8Array(0);

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Writes an unsigned number of 32 bits, returns the offset behind it. */
function writeVarint(target: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > 127) {
    target[position++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

/** Fills {@link header}: fields `id`, `responding_to`, `original_sender_id`. Returns its length. */
function writeHeader(
  id: number,
  respondingTo: number,
  senderOwner: number,
  senderId: number,
): number {
  // A merge cannot reset what is left out, so zeros are written too.
  header[0] = 0x08;
  let at = writeVarint(header, 1, id);
  if (respondingTo >= 0) {
    header[at] = 0x10;
    at = writeVarint(header, at + 1, respondingTo);
  }
  if (senderOwner >= 0) {
    header[at] = 0x1a;
    header[at + 1] = 2 + varintLength(senderOwner) + varintLength(senderId);
    header[at + 2] = 0x08;
    at = writeVarint(header, at + 3, senderOwner);
    header[at] = 0x10;
    at = writeVarint(header, at + 1, senderId);
  }
  return at;
}

/** Bytes of the raw frame that {@link frameOf} makes of that many plain bytes. */
export function frameLength(plainLength: number): number {
  return frameHeaderLength(plainLength) + blocksLength(plainLength);
}

/** Bytes of the raw blocks of that many plain bytes. */
function blocksLength(plainLength: number): number {
  const blocks = plainLength <= MAX_BLOCK ? 1 : Math.ceil(plainLength / MAX_BLOCK);
  return 3 * blocks + plainLength;
}

function frameHeaderLength(plainLength: number): number {
  if (plainLength < 256) return 6;
  return plainLength < 65536 + 256 ? 7 : 9;
}

function writeMagic(target: Uint8Array): void {
  target[0] = 0x28;
  target[1] = 0xb5;
  target[2] = 0x2f;
  target[3] = 0xfd;
}

/** A frame that declares its size and with it its window, so that receivers need no larger one. */
function writeFrameHeader(target: Uint8Array, plainLength: number): number {
  writeMagic(target);
  if (plainLength < 256) {
    target[4] = 0x20;
    target[5] = plainLength;
    return 6;
  }
  if (plainLength < 65536 + 256) {
    target[4] = 0x60;
    target[5] = plainLength - 256;
    target[6] = (plainLength - 256) >> 8;
    return 7;
  }
  target[4] = 0xa0;
  target[5] = plainLength;
  target[6] = plainLength >>> 8;
  target[7] = plainLength >>> 16;
  target[8] = plainLength >>> 24;
  return 9;
}

function writeBlockHeader(target: Uint8Array, at: number, size: number, last: boolean): number {
  const bits = (size << 3) | (last ? 1 : 0);
  target[at] = bits;
  target[at + 1] = bits >> 8;
  target[at + 2] = bits >> 16;
  return at + 3;
}

/**
 * Writes raw blocks of the first `headerLength` bytes of {@link header} and of `rest`.
 *
 * @param ends whether they are the frame's last ones
 * @returns the offset behind them
 */
function writeBlocks(
  target: Uint8Array,
  start: number,
  headerLength: number,
  rest: Uint8Array,
  ends: boolean,
): number {
  const plainLength = headerLength + rest.length;
  const single = plainLength <= MAX_BLOCK;
  let at = writeBlockHeader(target, start, single ? plainLength : MAX_BLOCK, single && ends);
  for (let index = 0; index < headerLength; index++) target[at++] = header[index] as number;
  if (single) {
    if (rest.length > 0) target.set(rest, at);
    return at + rest.length;
  }
  let taken = MAX_BLOCK - headerLength;
  target.set(rest.subarray(0, taken), at);
  at += taken;
  while (taken < rest.length) {
    const size = Math.min(MAX_BLOCK, rest.length - taken);
    at = writeBlockHeader(target, at, size, ends && taken + size === rest.length);
    target.set(rest.subarray(taken, taken + size), at);
    taken += size;
    at += size;
  }
  return at;
}

/** Writes a raw frame of the first `headerLength` bytes of {@link header} and of `rest`. */
function writeFrame(target: Uint8Array, headerLength: number, rest: Uint8Array): void {
  const at = writeFrameHeader(target, headerLength + rest.length);
  writeBlocks(target, at, headerLength, rest, true);
}

/** Bytes of a frame's header that declares its window only. */
const JOINED_HEADER = 6;
/** The smallest window that a frame can declare, bytes. */
const SMALLEST_WINDOW = 1024;

/** The frame whose blocks become part of one of ours; reused. */
const shape = new FrameShape();

/** A frame's header that declares a window of at least that many bytes and no size. */
function writeJoinedHeader(target: Uint8Array, window: number): number {
  writeMagic(target);
  target[4] = 0;
  const bits = window <= SMALLEST_WINDOW ? 10 : 32 - Math.clz32(window - 1);
  target[5] = (bits - 10) << 3;
  return JOINED_HEADER;
}

/** Window of a frame that has the walked one's blocks and raw ones of that many plain bytes. */
function joinedWindow(plainLength: number): number {
  return Math.max(shape.window, Math.min(plainLength, MAX_BLOCK));
}

/** Plain bytes as one raw zstd frame, without an envelope's header. */
export function frameOf(plain: Uint8Array): Uint8Array {
  const frame = shortLivedBytes(frameLength(plain.length));
  writeFrame(frame, 0, plain);
  return frame;
}

/** A payload as the envelope's field of that tag. The result may be kept. */
export function payloadField(tag: number, payload: Uint8Array): Uint8Array {
  const key = tag * 8 + 2;
  const field = new Uint8Array(varintLength(key) + varintLength(payload.length) + payload.length);
  field.set(payload, writeVarint(field, writeVarint(field, 0, key), payload.length));
  return field;
}

/**
 * One message with a payload of our own.
 *
 * @param id envelope id, always written [transport 2.2]
 * @param respondingTo id of the request that this answers; -1 for none
 * @param senderOwner `owner_id` of the original sender; -1 for no original sender
 * @param senderId `id` of the original sender; without meaning when there is none
 * @param field of {@link payloadField}
 */
export function message(
  id: number,
  respondingTo: number,
  senderOwner: number,
  senderId: number,
  field: Uint8Array,
): Uint8Array {
  const headerLength = writeHeader(id, respondingTo, senderOwner, senderId);
  const frame = shortLivedBytes(frameLength(headerLength + field.length));
  writeFrame(frame, headerLength, field);
  return frame;
}

const ACK_FIELD = payloadField(5, NONE);

/** An `Ack` of the request with the id `respondingTo`. */
export function ackFrame(id: number, respondingTo: number): Uint8Array {
  return message(id, respondingTo, -1, 0, ACK_FIELD);
}

/**
 * A sender's message passed on: its own compressed blocks, then a raw block whose header fields win,
 * since the last scalar does. All is one frame, for a receiver whose decoder stops behind the first.
 * An original that has `responding_to` can be passed on as an answer only: what is left out here
 * stays as it was. [design 1.7]
 *
 * @param original one whole frame, walked (rpc/envelope.ts), that decodes alike everywhere
 *   (`decodesAlike` in rpc/zstd.ts)
 * @param id as in {@link message}
 * @param respondingTo as in {@link message}
 * @param senderOwner as in {@link message}
 * @param senderId as in {@link message}
 * @param extra plain bytes merged into the envelope, such as a payload's field that overrides a number
 */
export function forward(
  original: Uint8Array,
  id: number,
  respondingTo: number,
  senderOwner: number,
  senderId: number,
  extra: Uint8Array = NONE,
): Uint8Array {
  walkFrame(original, 0, Infinity, shape);
  const { blocks, last, blocksEnd } = shape;
  const headerLength = writeHeader(id, respondingTo, senderOwner, senderId);
  const ownLength = headerLength + extra.length;
  const whole = shortLivedBytes(JOINED_HEADER + blocksEnd - blocks + blocksLength(ownLength));
  const at = writeJoinedHeader(whole, joinedWindow(ownLength));
  whole.set(original.subarray(blocks, blocksEnd), at);
  // No longer the last block.
  whole[at + last - blocks] = (original[last] as number) & ~1;
  writeBlocks(whole, at + blocksEnd - blocks, headerLength, extra, true);
  return whole;
}

/**
 * A message whose payload begins with `head` and ends with what a cached frame holds, as one frame.
 *
 * @param id as in {@link message}
 * @param respondingTo as in {@link message}
 * @param tag envelope tag of the payload
 * @param head first bytes of the payload
 * @param tail one whole zstd frame that holds the other bytes of the payload
 * @param tailPlainLength bytes that `tail` decodes to
 */
export function messageWithTail(
  id: number,
  respondingTo: number,
  tag: number,
  head: Uint8Array,
  tail: Uint8Array,
  tailPlainLength: number,
): Uint8Array {
  walkFrame(tail, 0, Infinity, shape);
  const { blocks, blocksEnd } = shape;
  let headerLength = writeHeader(id, respondingTo, -1, 0);
  headerLength = writeVarint(header, headerLength, tag * 8 + 2);
  headerLength = writeVarint(header, headerLength, head.length + tailPlainLength);
  const ownLength = headerLength + head.length;
  const whole = shortLivedBytes(JOINED_HEADER + blocksLength(ownLength) + blocksEnd - blocks);
  const start = writeJoinedHeader(whole, joinedWindow(ownLength));
  const at = writeBlocks(whole, start, headerLength, head, false);
  whole.set(tail.subarray(blocks, blocksEnd), at);
  return whole;
}
