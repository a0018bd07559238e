/**
 * The one codec. It is also the only module that imports protobufjs, whose 64-bit numbers are not
 * ours: here they are BigInt, on the wire and inside protobufjs two halves of 32 bits.
 */
import protobuf from "protobufjs/minimal";
import type { MessageName, MessageTypes } from "./generated/types.ts";
import { ProtoError } from "./proto_error.ts";
import {
  defaultOf,
  type Field,
  Kind,
  type MessageTable,
  tableOf,
  tableOfField,
} from "./schema_table.ts";

/** A message to encode: whatever is left out has its default. */
export type Init<T> = T extends Scalar ? T
  : T extends ReadonlyMap<infer K, infer V> ? ReadonlyMap<K, Init<V>>
  : T extends readonly (infer E)[] ? readonly Init<E>[]
  : { readonly [P in keyof T]?: Init<T[P]> | undefined };

type Scalar = bigint | number | string | boolean | Uint8Array | undefined;

type Message = Record<string, unknown>;

/** As deep as the clients' decoder goes. */
const MAX_DEPTH = 100;

/** Messages with more fields are encoded by what is set, not by what could be. */
const MANY_FIELDS = 64;

const TWO_TO_28 = 2 ** 28;

/**
 * How many list elements and embedded messages one message may hold. Two bytes are enough for an
 * element that becomes an object with a dozen defaults, so the size of the input is no limit.
 */
const MAX_VALUES = 1_000_000;

const { Reader, Writer } = protobuf;

class LimitedReader extends Reader {
  /** Values that may still follow. */
  #left = MAX_VALUES;

  countValue(): void {
    if (this.#left-- === 0) throw new Error(`More than ${MAX_VALUES} values`);
  }
}

/**
 * Encodes a message.
 * @throws {TypeError} A value does not fit its field, or two members of one oneof are set.
 */
export function encode<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): Uint8Array {
  // Not Writer.create(): that makes Buffers where there are any.
  const writer = new Writer();
  writeMessage(writer, tableOf(name), value as Message, 0);
  return writer.finish();
}

/**
 * Decodes a message. Fields that the schema does not have are skipped, as are those whose wire type
 * is not the schema's: clients of one year sent another type under the same number.
 * @throws {ProtoError} The bytes are not such a message.
 */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): MessageTypes[N] {
  const table = tableOf(name);
  try {
    const message = newMessage(table);
    readMessage(new LimitedReader(bytes), table, message, 0, true);
    return message as MessageTypes[N];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProtoError(`Cannot decode ${name}: ${reason}`, { cause: error });
  }
}

function newMessage(table: MessageTable): Message {
  const message: Message = { ...table.defaults };
  for (const field of table.collections) {
    message[field.name] = field.entry === undefined ? [] : new Map();
  }
  return message;
}

/** Reads up to the reader's limit into `message`, which protobuf calls merging. */
function readMessage(
  reader: LimitedReader,
  table: MessageTable,
  message: Message,
  depth: number,
  isNew: boolean,
): void {
  if (depth > MAX_DEPTH) throw new Error(`Nested deeper than ${MAX_DEPTH}`);
  let chosen: (Field | undefined)[] | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    const wireType = tag & 7;
    const field = table.byNumber[tag >>> 3];
    if (field === undefined) {
      reader.skipType(wireType, depth, tag >>> 3);
    } else if (field.label === "repeated") {
      readRepeated(reader, field, message, depth, tag);
    } else if (wireType !== field.wireType) {
      reader.skipType(wireType, depth, field.number);
    } else {
      if (field.oneof >= 0) {
        chosen ??= isNew ? new Array(table.oneofCount) : choicesOf(table, message);
        const before = chosen[field.oneof];
        if (before !== undefined && before !== field) delete message[before.name];
        chosen[field.oneof] = field;
      }
      message[field.name] = field.kind === Kind.Message
        ? readEmbedded(reader, tableOfField(field), message[field.name], depth + 1)
        : readScalar(reader, field.kind);
    }
  }
}

function choicesOf(table: MessageTable, message: Message): (Field | undefined)[] {
  const chosen: (Field | undefined)[] = new Array(table.oneofCount);
  for (const field of table.fields) {
    if (field.oneof >= 0 && message[field.name] !== undefined) chosen[field.oneof] = field;
  }
  return chosen;
}

function readRepeated(
  reader: LimitedReader,
  field: Field,
  message: Message,
  depth: number,
  tag: number,
): void {
  const wireType = tag & 7;
  const { kind, name } = field;
  if (wireType === field.wireType) {
    if (kind === Kind.Map) {
      readMapEntry(reader, field, message[name] as Map<unknown, unknown>, depth + 1);
    } else if (kind === Kind.Message) {
      const element = readEmbedded(reader, tableOfField(field), undefined, depth + 1);
      (message[name] as unknown[]).push(element);
    } else {
      reader.countValue();
      (message[name] as unknown[]).push(readScalar(reader, kind));
    }
  } else if (tag === field.packedTag) {
    const list = message[name] as unknown[];
    const limit = enter(reader);
    while (reader.pos < reader.len) {
      reader.countValue();
      list.push(readScalar(reader, kind));
    }
    reader.len = limit;
  } else {
    reader.skipType(wireType, depth, field.number);
  }
}

/** Reads a length and makes the reader end after so many bytes. Returns where it ended before. */
function enter(reader: LimitedReader): number {
  const length = reader.size();
  const limit = reader.len;
  const end = reader.pos + length;
  if (end > limit) throw new Error(`A length of ${length} where ${limit - reader.pos} are left`);
  reader.len = end;
  return limit;
}

function readEmbedded(
  reader: LimitedReader,
  table: MessageTable,
  before: unknown,
  depth: number,
): Message {
  reader.countValue();
  const limit = enter(reader);
  const message = before === undefined ? newMessage(table) : before as Message;
  readMessage(reader, table, message, depth, before === undefined);
  reader.len = limit;
  return message;
}

function readMapEntry(
  reader: LimitedReader,
  field: Field,
  map: Map<unknown, unknown>,
  depth: number,
): void {
  const { key: keyField, value: valueField } = field.entry as NonNullable<Field["entry"]>;
  let key = defaultOf(keyField.kind);
  let value = defaultOf(valueField.kind);
  reader.countValue();
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === keyField.tag) {
      key = readScalar(reader, keyField.kind);
    } else if (tag !== valueField.tag) {
      reader.skipType(tag & 7, depth, tag >>> 3);
    } else if (valueField.kind === Kind.Message) {
      value = readEmbedded(reader, tableOfField(valueField), value, depth + 1);
    } else {
      value = readScalar(reader, valueField.kind);
    }
  }
  reader.len = limit;
  if (valueField.kind === Kind.Message) value ??= newMessage(tableOfField(valueField));
  map.set(key, value);
}

function readScalar(reader: LimitedReader, kind: Kind): unknown {
  switch (kind) {
    case Kind.Uint64:
      return readVarint64(reader);
    case Kind.String:
      return reader.stringVerify();
    case Kind.Uint32:
      return reader.uint32();
    case Kind.Bool:
      return reader.bool();
    case Kind.Int32:
    case Kind.Enum:
      return reader.int32();
    case Kind.Int64:
      return BigInt.asIntN(64, readVarint64(reader));
    case Kind.Bytes:
      // A copy: a view would keep the whole received buffer, or change with it.
      return new Uint8Array(reader.bytes());
    case Kind.Double:
      return reader.double();
    case Kind.Float:
      return reader.float();
    case Kind.Sint32:
      return reader.sint32();
    case Kind.Fixed32:
      return reader.fixed32();
    case Kind.Sfixed32:
      return reader.sfixed32();
    case Kind.Sint64: {
      const zigzag = readVarint64(reader);
      return (zigzag >> 1n) ^ -(zigzag & 1n);
    }
    case Kind.Fixed64:
      return readFixed64(reader);
    case Kind.Sfixed64:
      return BigInt.asIntN(64, readFixed64(reader));
    case Kind.Message:
    case Kind.Map:
      throw new Error(`Kind ${kind} is not a scalar`);
  }
}

/** Reads 28 bits at a time, so that numbers suffice until the eighth byte. */
function readVarint64(reader: LimitedReader): bigint {
  const { buf, len } = reader;
  let position = reader.pos;
  let low = 0;
  let middle = 0;
  let high = 0;
  for (let index = 0; index < 10; index++) {
    if (position >= len) throw new Error("It ends inside a number");
    const byte = buf[position++] as number;
    if (index < 4) low |= (byte & 127) << (7 * index);
    else if (index < 8) middle |= (byte & 127) << (7 * (index - 4));
    else high |= (byte & 127) << (7 * (index - 8));
    if (byte < 128) {
      reader.pos = position;
      if (index < 7) return BigInt(low + middle * TWO_TO_28);
      return BigInt.asUintN(64, BigInt(high) << 56n | BigInt(middle) << 28n | BigInt(low));
    }
  }
  throw new Error("A number of more than ten bytes");
}

function readFixed64(reader: LimitedReader): bigint {
  const low = reader.fixed32();
  return BigInt(reader.fixed32()) << 32n | BigInt(low);
}

function writeMessage(
  writer: protobuf.Writer,
  table: MessageTable,
  message: Message,
  depth: number,
): void {
  if (depth > MAX_DEPTH) throw new TypeError(`${table.name} is nested deeper than ${MAX_DEPTH}`);
  let chosen: (Field | undefined)[] | undefined;
  for (
    const field of table.fields.length > MANY_FIELDS ? setFields(table, message) : table.fields
  ) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.oneof >= 0) {
      chosen ??= new Array(table.oneofCount);
      const before = chosen[field.oneof];
      if (before !== undefined) {
        throw new TypeError(`${table.name}: only one of ${before.name}, ${field.name} can be set`);
      }
      chosen[field.oneof] = field;
    }
    if (field.label === "repeated") {
      writeRepeated(writer, table, field, value, depth);
    } else if (field.kind === Kind.Message) {
      writeEmbedded(writer, table, field, value, depth + 1);
    } else if (field.label === "optional" || !isDefault(value)) {
      writer.uint32(field.tag);
      writeScalar(writer, table, field, value);
    }
  }
}

function setFields(table: MessageTable, message: Message): Field[] {
  const fields: Field[] = [];
  for (const name of Object.keys(message)) {
    const field = table.byName.get(name);
    if (field !== undefined) fields.push(field);
  }
  return fields.sort((a, b) => a.number - b.number);
}

function isDefault(value: unknown): boolean {
  switch (typeof value) {
    case "bigint":
      return value === 0n;
    case "number":
      // -0 is another number than 0 in protobuf.
      return Object.is(value, 0);
    case "string":
      return value === "";
    case "boolean":
      return !value;
    default:
      return value instanceof Uint8Array && value.length === 0;
  }
}

function writeRepeated(
  writer: protobuf.Writer,
  table: MessageTable,
  field: Field,
  value: unknown,
  depth: number,
): void {
  if (field.entry !== undefined) {
    if (!(value instanceof Map)) throw unfit(table, field, "a Map", value);
    const { key: keyField, value: valueField } = field.entry;
    for (const [key, item] of value) {
      writer.uint32(field.tag).fork();
      writer.uint32(keyField.tag);
      writeScalar(writer, table, keyField, key, field);
      if (valueField.kind === Kind.Message) {
        writeEmbedded(writer, table, valueField, item, depth + 2, field);
      } else {
        writer.uint32(valueField.tag);
        writeScalar(writer, table, valueField, item, field);
      }
      writer.ldelim();
    }
    return;
  }
  if (!Array.isArray(value)) throw unfit(table, field, "an array", value);
  if (field.kind === Kind.Message) {
    for (const item of value) writeEmbedded(writer, table, field, item, depth + 1);
  } else if (field.packedTag === undefined) {
    for (const item of value) {
      writer.uint32(field.tag);
      writeScalar(writer, table, field, item);
    }
  } else if (value.length > 0) {
    writer.uint32(field.packedTag).fork();
    for (const item of value) writeScalar(writer, table, field, item);
    writer.ldelim();
  }
}

function writeEmbedded(
  writer: protobuf.Writer,
  table: MessageTable,
  field: Field,
  value: unknown,
  depth: number,
  named: Field = field,
): void {
  if (typeof value !== "object" || value === null) throw unfit(table, named, "an object", value);
  writer.uint32(field.tag).fork();
  writeMessage(writer, tableOfField(field), value as Message, depth);
  writer.ldelim();
}

function writeScalar(
  writer: protobuf.Writer,
  table: MessageTable,
  field: Field,
  value: unknown,
  named: Field = field,
): void {
  switch (field.kind) {
    case Kind.Uint64:
    case Kind.Fixed64:
      if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) {
        throw unfit(table, named, "a bigint from 0 to 2^64-1", value);
      }
      return writeBits64(writer, field.kind, value);
    case Kind.Int64:
    case Kind.Sint64:
    case Kind.Sfixed64:
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) {
        throw unfit(table, named, "a bigint from -2^63 to 2^63-1", value);
      }
      return writeBits64(writer, field.kind, value);
    case Kind.String:
      if (typeof value !== "string") throw unfit(table, named, "a string", value);
      // Clients end the connection over text that is not Unicode.
      writer.string(value.isWellFormed() ? value : value.toWellFormed());
      return;
    case Kind.Bool:
      if (typeof value !== "boolean") throw unfit(table, named, "a boolean", value);
      writer.bool(value);
      return;
    case Kind.Bytes:
      if (!(value instanceof Uint8Array)) throw unfit(table, named, "a Uint8Array", value);
      writer.bytes(value);
      return;
    case Kind.Uint32:
    case Kind.Fixed32:
      if (typeof value !== "number" || value >>> 0 !== value) {
        throw unfit(table, named, "a whole number from 0 to 2^32-1", value);
      }
      if (field.kind === Kind.Uint32) writer.uint32(value);
      else writer.fixed32(value);
      return;
    case Kind.Int32:
    case Kind.Enum:
    case Kind.Sint32:
    case Kind.Sfixed32:
      if (typeof value !== "number" || (value | 0) !== value) {
        throw unfit(table, named, "a whole number from -2^31 to 2^31-1", value);
      }
      if (field.kind === Kind.Sint32) writer.sint32(value);
      else if (field.kind === Kind.Sfixed32) writer.sfixed32(value);
      else writer.int32(value);
      return;
    case Kind.Double:
    case Kind.Float:
      if (typeof value !== "number") throw unfit(table, named, "a number", value);
      if (field.kind === Kind.Double) writer.double(value);
      else writer.float(value);
      return;
    case Kind.Message:
    case Kind.Map:
      throw new TypeError(`Kind ${field.kind} is not a scalar`);
  }
}

function writeBits64(writer: protobuf.Writer, kind: Kind, value: bigint): void {
  if (kind === Kind.Sint64) value = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  else if (value < 0n) value = BigInt.asUintN(64, value);
  if (kind === Kind.Fixed64 || kind === Kind.Sfixed64) {
    writer.fixed32(Number(value & 0xffff_ffffn)).fixed32(Number(value >> 32n));
    return;
  }
  const number = Number(value);
  if (number <= 0xffff_ffff) {
    writer.uint32(number);
  } else if (number <= Number.MAX_SAFE_INTEGER) {
    writer.uint64(number);
  } else {
    const low = Number(value & 0xffff_ffffn) | 0;
    const high = Number(value >> 32n) | 0;
    // protobufjs reads these two and no more, whether or not it has found the package `long`.
    writer.uint64({ low, high, unsigned: true } as protobuf.Long);
  }
}

function unfit(table: MessageTable, field: Field, wanted: string, value: unknown): TypeError {
  const got = typeof value === "object" ? Object.prototype.toString.call(value) : String(value);
  return new TypeError(
    `${table.name}.${field.name} must be ${wanted}, not the ${typeof value} ${got}`,
  );
}
