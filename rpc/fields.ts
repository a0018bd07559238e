/**
 * Reading and joining protobuf fields without decoding what is in them, for messages whose parts
 * are kept as the sender's own bytes. [projects 1.8]
 */

/** One field of a message: `bytes.subarray(start, end)` is its value without tag and length. */
export interface RawField {
  number: number;
  /** 0 varint, 1 fixed 64, 2 length-delimited, 5 fixed 32. */
  wireType: number;
  /** Where the field with its tag begins. */
  fieldStart: number;
  start: number;
  end: number;
}

/** A message whose fields cannot be read to its end. */
export class FieldError extends Error {
  override readonly name = "FieldError";
}

/** Walks the fields of one message; the instance is reused, {@link FieldReader.next} moves it on. */
export class FieldReader implements RawField {
  number = 0;
  wireType = 0;
  fieldStart = 0;
  start = 0;
  end = 0;
  #position: number;
  readonly #limit: number;

  constructor(readonly bytes: Uint8Array, start = 0, limit: number = bytes.length) {
    this.#position = start;
    this.#limit = limit;
  }

  /** @throws {FieldError} */
  next(): boolean {
    if (this.#position >= this.#limit) return false;
    this.fieldStart = this.#position;
    const tag = this.#varint32();
    this.number = tag >>> 3;
    this.wireType = tag & 7;
    this.start = this.#position;
    if (this.wireType === 2) {
      const length = this.#varint32();
      this.start = this.#position;
      this.#position += length;
    } else if (this.wireType === 0) this.#skipVarint();
    else if (this.wireType === 1) this.#position += 8;
    else if (this.wireType === 5) this.#position += 4;
    else throw new FieldError(`Cannot read field ${this.number}: wire type ${this.wireType}`);
    this.end = this.#position;
    if (this.number === 0 || this.end > this.#limit) {
      throw new FieldError(`Cannot read field ${this.number}: it ends beyond its message`);
    }
    return true;
  }

  /** The value of a varint field, all 64 bits. */
  bigint(): bigint {
    let low = 0;
    let shift = 0;
    let at = this.start;
    // Up to 28 bits in a plain number: nearly all ids and scan ids.
    while (at < this.end && shift < 28) {
      low |= ((this.bytes[at] as number) & 127) << shift;
      at++;
      shift += 7;
    }
    let value = BigInt(low);
    let wide = BigInt(shift);
    for (; at < this.end; at++, wide += 7n) {
      value |= BigInt((this.bytes[at] as number) & 127) << wide;
    }
    return BigInt.asUintN(64, value);
  }

  /** The value of a length-delimited field, as a view into the message. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  text(): string {
    return decoder.decode(this.view());
  }

  #varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#position >= this.#limit) break;
      const byte = this.bytes[this.#position++] as number;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new FieldError("Cannot read a field's tag or length: it is cut off or too long");
  }

  #skipVarint(): void {
    for (let count = 0; count < 10 && this.#position < this.#limit; count++) {
      if ((this.bytes[this.#position++] as number) < 128) return;
    }
    throw new FieldError(`Cannot read field ${this.number}: its number is cut off or too long`);
  }
}

const decoder = new TextDecoder();

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest >= 128) {
    target[position++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[position++] = rest;
  return position;
}

/** `bytes` as a length-delimited field of that number, tag and length in front. */
export function lengthDelimited(number: number, bytes: Uint8Array): Uint8Array {
  const tag = number * 8 + 2;
  const field = new Uint8Array(varintLength(tag) + varintLength(bytes.length) + bytes.length);
  const at = writeVarint(field, writeVarint(field, 0, tag), bytes.length);
  field.set(bytes, at);
  return field;
}

/** The parts one behind the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
