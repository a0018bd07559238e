/** What the clients' decoder takes, written from its rules and the wire facts as plainly as can be. */
import { fieldsOf, wire, type WireField } from "./wire_facts.ts";

const FIXED: Readonly<Record<string, number>> = { double: 1, float: 5 };

class Refused extends Error {}

/** Whether a client decodes these bytes as that message of wire.json, which is the payload. */
export function clientDecodes(wireName: string, bytes: Uint8Array): boolean {
  try {
    readMessage(wireName, bytes, 1);
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  varint(): bigint {
    let value = 0n;
    for (let index = 0n; index < 10n; index++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || (index === 9n && byte > 1)) throw new Refused();
      value |= BigInt(byte & 127) << (7n * index);
      if (byte < 128) return value;
    }
    throw new Refused();
  }

  /** Our own decoder takes no tags and lengths that are longer than they can be, and no client writes them. */
  short(): bigint {
    const start = this.at;
    const value = this.varint();
    if (this.at - start > 5 || value >= 2n ** 32n) throw new Refused();
    return value;
  }

  take(length: bigint): Uint8Array {
    if (length > BigInt(this.bytes.length - this.at)) throw new Refused();
    const start = this.at;
    this.at += Number(length);
    return this.bytes.subarray(start, this.at);
  }
}

/** @param level of the message within the envelope; one less than that is left of 100. */
function readMessage(wireName: string, bytes: Uint8Array, level: number): void {
  const fields = new Map(fieldsOf(wireName).map((field) => [BigInt(field.number), field]));
  readFields(bytes, level, fields);
}

function readFields(bytes: Uint8Array, level: number, fields: Map<bigint, WireField>): void {
  const reader = new Reader(bytes);
  while (reader.at < bytes.length) {
    const key = reader.short();
    if (key < 8n) throw new Refused();
    const wireType = Number(key & 7n);
    if ([3, 4, 6, 7].includes(wireType)) throw new Refused();
    const field = fields.get(key >> 3n);
    if (field !== undefined) readField(reader, wireType, field, level);
    else {
      if (level >= 100) throw new Refused();
      readValue(reader, wireType);
    }
  }
}

/** Of a length-delimited value its contents. */
function readValue(reader: Reader, wireType: number): Uint8Array {
  if (wireType === 2) return reader.take(reader.short());
  if (wireType === 0) reader.varint();
  else reader.take(wireType === 1 ? 8n : 4n);
  return new Uint8Array(0);
}

function readField(reader: Reader, wireType: number, field: WireField, level: number): void {
  const isDelimited = field.label === "map" || field.type in wire.messages ||
    ["string", "bytes"].includes(field.type);
  const scalar = FIXED[field.type] ?? 0;
  if (isDelimited) {
    if (wireType !== 2) throw new Refused();
    const contents = readValue(reader, wireType);
    if (field.label === "map") {
      if (level >= 100) throw new Refused();
      readFields(contents, level + 1, entryFields(field));
    } else if (field.type in wire.messages) {
      if (level >= 100) throw new Refused();
      readMessage(field.type, contents, level + 1);
    } else if (field.type === "string") {
      try {
        new TextDecoder("utf-8", { fatal: true }).decode(contents);
      } catch {
        throw new Refused();
      }
    }
  } else if (wireType === 2 && field.label === "repeated") {
    const list = new Reader(readValue(reader, wireType));
    while (list.at < list.bytes.length) readValue(list, scalar);
  } else if (wireType === scalar) readValue(reader, wireType);
  else throw new Refused();
}

function entryFields(map: WireField): Map<bigint, WireField> {
  return new Map([
    [1n, { ...map, label: "", type: map.keyType }],
    [2n, { ...map, label: "" }],
  ]);
}
