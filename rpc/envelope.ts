/**
 * The server's look at a message before it is authorised and passed on as it is: a security
 * boundary. Whatever a receiver's decoder would read differently is refused: fields that come
 * twice, where the last wins. What only a server may write, and what nobody here knows, is not
 * passed on. [design 1.7]
 *
 * Nothing is decoded, and nothing is allocated.
 */
import { messageByTag } from "../proto/mod.ts";

/**
 * Why a walk refuses a message:
 *
 * - `truncated`: its last field, or a field inside, goes beyond its end
 * - `varint`: a number is written longer than it needs to be, or has more bits than its field
 * - `field-zero`: a field has the number 0
 * - `group`: a field is a group
 * - `wire-type`: a field has a wire type that does not exist, or another than its type has
 * - `second-id`, `second-responding-to`, `second-payload`: it comes twice
 * - `second-routing`: a field of the payload that routes it comes twice
 * - `second-variant`: two variants of one oneof
 */
export type EnvelopeErrorReason =
  | "truncated"
  | "varint"
  | "field-zero"
  | "group"
  | "wire-type"
  | "second-id"
  | "second-responding-to"
  | "second-payload"
  | "second-routing"
  | "second-variant";

/** An envelope or a payload that is refused. It ends the connection. [transport 1.6.5] */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
  constructor(
    message: string,
    /** What is wrong, for metrics and tests. */
    readonly reason: EnvelopeErrorReason,
  ) {
    super(message);
  }
}

/** One walked envelope; the instance is reused: read what you need before the next walk. */
export class EnvelopeView {
  /** The envelope's bytes. */
  plain: Uint8Array = new Uint8Array(0);
  /** Envelope id; 0 when absent. Not unique. [transport 2.2.1] */
  id = 0;
  /** Id of the request that it answers; -1 when absent. [transport 2.2.2] */
  respondingTo = -1;
  /** Field number of the payload, known or not; 0 for none. [transport 2.3.7] */
  tag = 0;
  /** Offset of the payload's first byte. */
  payloadStart = 0;
  /** Offset behind the payload's last byte. */
  payloadEnd = 0;
  /**
   * False when fields were skipped: some that nobody here knows but a receiver may, or some that only a
   * server may write. Pass on the payload in an envelope of our own instead of the sender's bytes.
   */
  verbatim = true;
}

/** Which payload fields route one message type. 0 = the message has no such field. */
export interface RoutingSpec {
  /** Field number of `project_id` or `room_id`. */
  readonly id: number;
  /** Field number of the `PeerId` that a message is for: `peer_id` or `leader_id`. */
  readonly peer: number;
  /**
   * First field number that belongs to the variant oneof. Length-delimited fields of the range are
   * variants, known or not; others in it are not.
   */
  readonly first: number;
  /** Last field number that belongs to the variant oneof; 0 for none. */
  readonly last: number;
  /** Field number of messages whose own variants matter, such as `UpdateBuffer.operations`. */
  readonly inner: number;
  /** The one variant inside `inner` that needs only reading, such as `update_selections`. */
  readonly innerOnly: number;
}

/** What routes one payload; the instance is reused. */
export class Routing {
  /** -1 when the type has no such field, 0 when it is absent (proto3), -2 above 2^53 - 1. */
  id = -1;
  /** `owner_id` of the target peer; -1 when there is none. */
  peerOwner = -1;
  /** `id` of the target peer; -1 when there is none. */
  peerId = -1;
  /** Field number of the oneof's member; 0 for none. */
  variant = 0;
  /** An inner message has something other than the variant that needs only reading. */
  innerWrites = false;
}

/** Keys of the envelope's fields that a client has no say in. */
const ORIGINAL_SENDER = 3 << 3 | 2;
const ACK_ID = 266 << 3;

/** Offset behind the number that was read last. */
let cursor = 0;

function truncated(): EnvelopeError {
  return new EnvelopeError("A field goes beyond the end of its message", "truncated");
}

function overlong(): EnvelopeError {
  return new EnvelopeError("A number is longer than its field can hold or needs", "varint");
}

/** Reads a number of 32 bits in its shortest form and sets {@link cursor}. */
function readVarint32(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    const index = at - start;
    if (index === 4 && byte > 15) throw overlong();
    value |= (byte & 127) << (7 * index);
    if (byte < 128) {
      if (byte === 0 && index > 0) throw overlong();
      cursor = at + 1;
      return value >>> 0;
    }
  }
  throw truncated();
}

/** Reads a number of 64 bits, -2 when it is not a safe integer, and sets {@link cursor}. */
function readVarint64(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    const index = at - start;
    if (index === 9 && byte > 1) throw overlong();
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      if (byte === 0 && index > 0) throw overlong();
      cursor = at + 1;
      return value > Number.MAX_SAFE_INTEGER ? -2 : value;
    }
  }
  throw truncated();
}

/** Offset behind a field's value that is not length-delimited. */
function skipScalar(bytes: Uint8Array, start: number, end: number, key: number): number {
  if (key < 8) throw new EnvelopeError("A field has the number 0", "field-zero");
  const wireType = key & 7;
  if (wireType === 0) {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (at - start === 9 && byte > 1) throw overlong();
      if (byte < 128) return at + 1;
    }
    throw truncated();
  }
  if (wireType === 3 || wireType === 4) throw new EnvelopeError("A field is a group", "group");
  if (wireType > 5) throw wrongType(key);
  const at = start + (wireType === 1 ? 8 : 4);
  if (at > end) throw truncated();
  return at;
}

function wrongType(key: number): EnvelopeError {
  return new EnvelopeError(`Field ${key >>> 3} has the wire type ${key & 7}`, "wire-type");
}

/**
 * Walks all top-level fields of an envelope to its exact end.
 *
 * @param view filled with what was found; without meaning after a throw
 * @throws {EnvelopeError}
 */
export function walkEnvelope(plain: Uint8Array, view: EnvelopeView): void {
  const end = plain.length;
  let at = 0;
  let id = -1;
  let respondingTo = -1;
  let tag = 0;
  let payloadStart = 0;
  let payloadEnd = 0;
  let verbatim = true;
  while (at < end) {
    let key = plain[at] as number;
    if (key < 128) at++;
    else {
      key = readVarint32(plain, at, end);
      at = cursor;
    }
    const field = key >>> 3;
    if (field <= 3 || field === 266) {
      if (field === 1 || field === 2) {
        if ((key & 7) !== 0) throw wrongType(key);
        const value = readVarint32(plain, at, end);
        at = cursor;
        if (field === 1) {
          if (id !== -1) throw new EnvelopeError("The envelope has two ids", "second-id");
          id = value;
        } else {
          if (respondingTo !== -1) {
            throw new EnvelopeError(
              "The envelope answers two requests",
              "second-responding-to",
            );
          }
          respondingTo = value;
        }
        continue;
      }
      // An original sender, and a mark of links to remote machines: the server's own to write.
      if (key !== ORIGINAL_SENDER && key !== ACK_ID) {
        throw field === 0
          ? new EnvelopeError("A field has the number 0", "field-zero")
          : wrongType(key);
      }
      verbatim = false;
      if (key === ACK_ID) at = skipScalar(plain, at, end, key);
      else {
        const length = readVarint32(plain, at, end);
        at = cursor + length;
        if (at > end) throw truncated();
      }
      continue;
    }
    if ((key & 7) !== 2) {
      at = skipScalar(plain, at, end, key);
      verbatim = false;
      continue;
    }
    const length = readVarint32(plain, at, end);
    const start = cursor;
    at = start + length;
    if (at > end) throw truncated();
    if (tag !== 0) {
      verbatim = false;
      // One of the two is a field of newer clients: the other is the payload.
      if (messageByTag(field) === undefined) continue;
      if (messageByTag(tag) !== undefined) {
        throw new EnvelopeError("The envelope has two payloads", "second-payload");
      }
    }
    tag = field;
    payloadStart = start;
    payloadEnd = at;
  }
  view.plain = plain;
  view.id = id === -1 ? 0 : id;
  view.respondingTo = respondingTo;
  view.tag = tag;
  view.payloadStart = payloadStart;
  view.payloadEnd = payloadEnd;
  view.verbatim = verbatim;
}

/**
 * Walks all top-level fields of the payload to its exact end, and those of its inner messages.
 *
 * @param view of {@link walkEnvelope}
 * @param routing filled with what was found; without meaning after a throw
 * @throws {EnvelopeError}
 */
export function walkPayload(view: EnvelopeView, spec: RoutingSpec, routing: Routing): void {
  const bytes = view.plain;
  const end = view.payloadEnd;
  let at = view.payloadStart;
  let id = -1;
  let variant = 0;
  routing.peerOwner = -1;
  routing.peerId = -1;
  routing.innerWrites = false;
  while (at < end) {
    let key = bytes[at] as number;
    if (key < 128) at++;
    else {
      key = readVarint32(bytes, at, end);
      at = cursor;
    }
    const field = key >>> 3;
    if ((key & 7) !== 2) {
      if (field !== 0 && field === spec.id) {
        if ((key & 7) !== 0) throw wrongType(key);
        if (id !== -1) throw repeated(field);
        id = readVarint64(bytes, at, end);
        at = cursor;
        continue;
      }
      at = skipScalar(bytes, at, end, key);
      if (field === spec.peer || field === spec.inner) throw wrongType(key);
      continue;
    }
    const length = readVarint32(bytes, at, end);
    const start = cursor;
    at = start + length;
    if (at > end) throw truncated();
    if (field === 0) throw new EnvelopeError("A field has the number 0", "field-zero");
    if (field === spec.id) throw wrongType(key);
    if (field === spec.inner) {
      if (walkInner(bytes, start, at, spec.innerOnly)) routing.innerWrites = true;
    } else if (field === spec.peer) {
      if (routing.peerId !== -1) throw repeated(field);
      readPeer(bytes, start, at, routing);
    } else if (field >= spec.first && field <= spec.last) {
      if (variant !== 0) {
        throw new EnvelopeError(`Fields ${variant} and ${field} are one oneof`, "second-variant");
      }
      variant = field;
    }
  }
  routing.id = id === -1 && spec.id !== 0 ? 0 : id;
  routing.variant = variant;
}

function repeated(field: number): EnvelopeError {
  return new EnvelopeError(`Field ${field} of the payload comes twice`, "second-routing");
}

/** Whether an inner message has anything besides the variant `only`. */
function walkInner(bytes: Uint8Array, start: number, end: number, only: number): boolean {
  let at = start;
  let variant = 0;
  let writes = false;
  while (at < end) {
    const key = readVarint32(bytes, at, end);
    at = cursor;
    if ((key & 7) !== 2) {
      at = skipScalar(bytes, at, end, key);
      writes = true;
      continue;
    }
    const field = key >>> 3;
    if (field === 0) throw new EnvelopeError("A field has the number 0", "field-zero");
    if (variant !== 0) {
      throw new EnvelopeError(`Fields ${variant} and ${field} are one oneof`, "second-variant");
    }
    variant = field;
    const length = readVarint32(bytes, at, end);
    at = cursor + length;
    if (at > end) throw truncated();
  }
  return writes || (variant !== 0 && variant !== only);
}

/** Reads a `PeerId`: `owner_id` is field 1, `id` field 2, 0 when absent. */
function readPeer(bytes: Uint8Array, start: number, end: number, routing: Routing): void {
  let owner = -1;
  let id = -1;
  let at = start;
  while (at < end) {
    const key = readVarint32(bytes, at, end);
    at = cursor;
    if (key !== 8 && key !== 16) {
      const field = key >>> 3;
      if (field === 1 || field === 2) throw wrongType(key);
      if ((key & 7) !== 2) at = skipScalar(bytes, at, end, key);
      else {
        if (field === 0) throw new EnvelopeError("A field has the number 0", "field-zero");
        const length = readVarint32(bytes, at, end);
        at = cursor + length;
        if (at > end) throw truncated();
      }
      continue;
    }
    const value = readVarint32(bytes, at, end);
    at = cursor;
    if (key === 8) {
      if (owner !== -1) throw repeated(1);
      owner = value;
    } else {
      if (id !== -1) throw repeated(2);
      id = value;
    }
  }
  routing.peerOwner = owner === -1 ? 0 : owner;
  routing.peerId = id === -1 ? 0 : id;
}
