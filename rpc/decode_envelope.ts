/**
 * A client's reading of an envelope, which trusts its server: protobuf's own rules, by which frames
 * that were passed on and then added to become one message. [transport 1.6.4] [design 1.7]
 */
import { messageByTag } from "../proto/mod.ts";
import { EnvelopeError } from "./envelope.ts";
import type { PeerId } from "./peer_id.ts";

/** An envelope with its payload still encoded. */
export interface DecodedEnvelope {
  /** Envelope id, 0 when absent. [transport 2.2] */
  readonly id: number;
  /** Id of the request that it answers; present for answers only. [transport 2.2.2] */
  readonly respondingTo?: number;
  /** Who sent it first, when the server passed it on. */
  readonly originalSenderId?: PeerId;
  /** Field number of the payload; 0 for none. */
  readonly tag: number;
  /** The payload's bytes, mostly a view into the envelope. */
  readonly payload: Uint8Array;
}

const ID = 1;
const RESPONDING_TO = 2;
const ORIGINAL_SENDER = 3;
const ACK_ID = 266;

/** Reads fields one behind the other. */
class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  /** The low 32 bits of a number, as protobuf decoders cut it. */
  varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw truncated();
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new EnvelopeError("A number is longer than its field can hold", "varint");
  }

  view(): Uint8Array {
    const length = this.varint32();
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw truncated();
    return this.bytes.subarray(start, this.at);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint32();
    else if (wireType === 2) this.view();
    else if (wireType === 1 || wireType === 5) this.at += wireType === 1 ? 8 : 4;
    else throw new EnvelopeError(`Cannot skip a field of the wire type ${wireType}`, "wire-type");
    if (this.at > this.bytes.length) throw truncated();
  }
}

function truncated(): EnvelopeError {
  return new EnvelopeError("A field goes beyond the end of its message", "truncated");
}

function mergePeer(bytes: Uint8Array, before: PeerId | undefined): PeerId {
  let { ownerId, id } = before ?? { ownerId: 0, id: 0 };
  const reader = new Reader(bytes);
  while (reader.more) {
    const key = reader.varint32();
    if (key === 8) ownerId = reader.varint32();
    else if (key === 16) id = reader.varint32();
    else reader.skip(key & 7);
  }
  return { ownerId, id };
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/**
 * Decodes an envelope by protobuf's rules: the last number wins, parts of one payload are merged,
 * another payload replaces the one before. Unknown fields are skipped.
 *
 * @throws {EnvelopeError} when it cannot be read to its end
 */
export function decodeEnvelope(plain: Uint8Array): DecodedEnvelope {
  let id = 0;
  let respondingTo: number | undefined;
  let originalSenderId: PeerId | undefined;
  let tag = 0;
  let payload = new Uint8Array(0) as Uint8Array;
  const reader = new Reader(plain);
  while (reader.more) {
    const key = reader.varint32();
    const field = key >>> 3;
    const wireType = key & 7;
    if (field === 0) throw new EnvelopeError("A field has the number 0", "field-zero");
    if (field === ID || field === RESPONDING_TO) {
      if (wireType !== 0) throw new EnvelopeError(`Field ${field} is no number`, "wire-type");
      const value = reader.varint32();
      if (field === ID) id = value;
      else respondingTo = value;
    } else if (wireType !== 2 || field === ACK_ID) {
      reader.skip(wireType);
    } else if (field === ORIGINAL_SENDER) {
      originalSenderId = mergePeer(reader.view(), originalSenderId);
    } else {
      const part = reader.view();
      // A field of newer servers beside the payload.
      if (tag !== 0 && messageByTag(field) === undefined) continue;
      payload = field === tag ? join(payload, part) : part;
      tag = field;
    }
  }
  return {
    id,
    ...(respondingTo === undefined ? {} : { respondingTo }),
    ...(originalSenderId === undefined ? {} : { originalSenderId }),
    tag,
    payload,
  };
}
