/**
 * Whether clients can decode a payload that is passed on as it is. Their decoder fails a whole
 * envelope, and with it their connection, over one field inside that is not what its type says: one
 * client could end the connections of all others. Nothing is decoded here, and nothing allocated but
 * a view of a long text. [transport 1.6.5] [design 6c]
 *
 * For servers, so it is no part of mod.ts: browsers have no check of UTF-8 that makes no string.
 */
import { isUtf8 } from "node:buffer";
import { messageByTag } from "./message_info.ts";
import { ProtoError } from "./proto_error.ts";
import { type Field, Kind, type MessageTable, tableOf, WireType } from "./schema_table.ts";

/** As deep as the clients' decoder goes; the payload itself is level 1. */
const MAX_LEVEL = 100;

/**
 * Embedded messages in one payload. Two bytes are enough for one, which takes its receiver hundreds.
 */
const MAX_MESSAGES = 1_000_000;

/** Texts of so many bytes are looked at here, byte for byte. */
const SHORT_TEXT = 64;

/** What a field's contents are, in bits 3 to 5 of its code; bits 0 to 2 are the wire type. */
const SCALAR = 1;
const TEXT = 2;
const BYTES = 3;
const MESSAGE = 4;
const VARINT_LIST = 5;
const FIXED32_LIST = 6;
const FIXED64_LIST = 7;
/** A message's code has its place in {@link Shape.embedded} from this bit on. */
const EMBEDDED_SHIFT = 6;

/** A message for the check. */
interface Shape {
  /** By field number; 0 for a field that the schema does not have. */
  readonly codes: Int32Array;
  readonly embedded: readonly Shape[];
}

const shapes = new Map<string, Shape>();
const byTag: (Shape | undefined)[] = [];

/**
 * Forms that clients of 2025 gave a message under numbers that mean something else since. All other
 * fields that changed are written alike in both years, or have a number in one year only.
 */
const formsOf2025: ReadonlyMap<string, () => Shape> = new Map([
  // uint32 log_message_type = 3; LspLogTrace log_trace = 4; string message = 5
  ["LanguageServerLog", () => ({
    codes: Int32Array.of(0, scalar(), scalar(), scalar(), embeddedCode(0), code(TEXT)),
    embedded: [shapeOf(tableOf("LspLogTrace"))],
  })],
]);

/** Offset behind the number that was read last. */
let cursor = 0;
/** Embedded messages that may still follow. */
let left = 0;

/**
 * Checks a payload to its exact end: known fields have their wire type (numbers in lists both), texts
 * are UTF-8, lengths stay within their message, there are no groups, fields 0 or numbers of more than
 * ten bytes, at most 100 levels and a million embedded messages. Unknown fields are skipped.
 *
 * @param tag its field in the envelope; a payload that no client knows is not looked at
 * @param bytes where it is
 * @param start offset of its first byte
 * @param end offset behind its last byte
 * @returns false if only clients of 2025 can read it, and it must not be passed on
 * @throws {ProtoError} No client can read it
 */
export function validatePayload(
  tag: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const shape = byTag[tag] ?? findShape(tag);
  if (shape === undefined) return true;
  left = MAX_MESSAGES;
  try {
    check(bytes, start, end, shape, 1);
    return true;
  } catch (error) {
    const name = messageByTag(tag)?.name ?? "";
    if (!(error instanceof ProtoError) || !hasFormOf2025(name, bytes, start, end)) {
      throw new ProtoError(
        `Cannot pass on ${name}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
    return false;
  }
}

function hasFormOf2025(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  const form = formsOf2025.get(name);
  if (form === undefined) return false;
  try {
    check(bytes, start, end, form(), 1);
    return true;
  } catch {
    return false;
  }
}

function check(
  bytes: Uint8Array,
  start: number,
  end: number,
  shape: Shape,
  level: number,
): void {
  const { codes } = shape;
  let at = start;
  while (at < end) {
    let key = bytes[at++] as number;
    if (key > 127) {
      key = readNumber(bytes, at - 1, end);
      at = cursor;
    }
    const field = key >>> 3;
    const wireType = key & 7;
    const known = field < codes.length ? codes[field] as number : 0;
    if (known === 0) {
      if (field === 0) throw new ProtoError("A field has the number 0");
      // Clients skip a field as if it were one level deeper.
      if (level === MAX_LEVEL) throw tooDeep();
    }
    if (wireType === WireType.Length) {
      let length = bytes[at++] as number;
      if (length > 127) {
        length = readNumber(bytes, at - 1, end);
        at = cursor;
      }
      const stop = at + length;
      // Not the other way round: behind the end there may be nothing, which is no number.
      if (!(stop <= end)) throw truncated(field);
      const contents = known >>> 3 & 7;
      if (contents === MESSAGE) {
        if (level === MAX_LEVEL) throw tooDeep();
        if (left-- === 0) throw new ProtoError(`More than ${MAX_MESSAGES} embedded messages`);
        check(bytes, at, stop, shape.embedded[known >>> EMBEDDED_SHIFT] as Shape, level + 1);
      } else if (contents === TEXT) {
        if (!isText(bytes, at, stop)) throw notText(field);
      } else if (contents === SCALAR) throw wrongType(field, wireType);
      else if (contents >= VARINT_LIST) checkList(bytes, at, stop, field, contents);
      at = stop;
    } else if (wireType === WireType.Varint) {
      if ((known & 7) !== WireType.Varint) throw wrongType(field, wireType);
      if ((bytes[at++] as number) > 127) at = skipNumber(bytes, at);
    } else if (wireType === WireType.Fixed32 || wireType === WireType.Fixed64) {
      if (known !== 0 && (known & 7) !== wireType) throw wrongType(field, wireType);
      at += wireType === WireType.Fixed32 ? 4 : 8;
    } else if (wireType === 3 || wireType === 4) {
      throw new ProtoError(`Field ${field} is a group`);
    } else throw wrongType(field, wireType);
  }
  if (at > end) throw new ProtoError("A number goes beyond the end of its message");
}

function checkList(
  bytes: Uint8Array,
  start: number,
  end: number,
  field: number,
  contents: number,
): void {
  if (contents === VARINT_LIST) {
    let at = start;
    while (at < end) if ((bytes[at++] as number) > 127) at = skipNumber(bytes, at);
    if (at === end) return;
  } else if ((end - start) % (contents === FIXED32_LIST ? 4 : 8) === 0) return;
  throw new ProtoError(`The last number of the list in field ${field} is cut off`);
}

/** Offset behind a number whose first byte, which is not its last one, has been read. */
function skipNumber(bytes: Uint8Array, start: number): number {
  for (let at = start; at < start + 9; at++) {
    const byte = bytes[at] as number;
    if (byte < 128) {
      if (byte > 1 && at === start + 8) break;
      return at + 1;
    }
  }
  throw tooLong();
}

/** Reads a tag or a length, which nobody writes in more than 32 bits, and sets {@link cursor}. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (at === start + 4 && byte > 15) {
      throw new ProtoError("A field's number or length is longer than it can be");
    }
    value |= (byte & 127) << (7 * (at - start));
    if (byte < 128) {
      cursor = at + 1;
      return value >>> 0;
    }
  }
  throw new ProtoError("A field's number or length goes beyond the end of its message");
}

/** As the clients' language has it: shortest forms only, no surrogates, nothing above U+10FFFF. */
function isText(bytes: Uint8Array, start: number, end: number): boolean {
  // A call into the runtime costs as much as a look at some dozen bytes.
  if (end - start > SHORT_TEXT) return isUtf8(bytes.subarray(start, end));
  let at = start;
  while (at < end && (bytes[at] as number) < 128) at++;
  return at === end || isUtf8(bytes.subarray(at, end));
}

function truncated(field: number): ProtoError {
  return new ProtoError(`Field ${field} goes beyond the end of its message`);
}

function notText(field: number): ProtoError {
  return new ProtoError(`The text in field ${field} is not UTF-8`);
}

function wrongType(field: number, wireType: number): ProtoError {
  return new ProtoError(`Field ${field} has the wire type ${wireType}, which its type has not`);
}

function tooLong(): ProtoError {
  return new ProtoError("A number has more than 64 bits");
}

function tooDeep(): ProtoError {
  return new ProtoError(`Nested deeper than ${MAX_LEVEL}`);
}

function findShape(tag: number): Shape | undefined {
  const info = messageByTag(tag);
  if (info === undefined) return undefined;
  return byTag[tag] = shapeOf(tableOf(info.name));
}

function shapeOf(table: MessageTable): Shape {
  const known = shapes.get(table.name);
  if (known !== undefined) return known;
  const embedded: Shape[] = [];
  const last = table.fields.reduce((most, { number }) => Math.max(most, number), 0);
  const shape = { codes: new Int32Array(last + 1), embedded };
  // Before its fields: a message may hold itself.
  shapes.set(table.name, shape);
  for (const field of table.fields) shape.codes[field.number] = fieldCode(field, embedded);
  return shape;
}

function entryShape(key: Field, value: Field): Shape {
  const embedded: Shape[] = [];
  const codes = Int32Array.of(0, fieldCode(key, embedded), fieldCode(value, embedded));
  return { codes, embedded };
}

/** The code of one field; a message that it holds is added to `embedded`. */
function fieldCode(field: Field, embedded: Shape[]): number {
  if (field.entry !== undefined) {
    return embeddedCode(embedded.push(entryShape(field.entry.key, field.entry.value)) - 1);
  }
  switch (field.kind) {
    case Kind.Message:
      return embeddedCode(embedded.push(shapeOf(tableOf(field.messageName as string))) - 1);
    case Kind.String:
      return code(TEXT);
    case Kind.Bytes:
      return code(BYTES);
  }
  if (field.label !== "repeated") return scalar(field.wireType);
  switch (field.wireType) {
    case WireType.Fixed32:
      return code(FIXED32_LIST, field.wireType);
    case WireType.Fixed64:
      return code(FIXED64_LIST, field.wireType);
    default:
      return code(VARINT_LIST, field.wireType);
  }
}

function code(contents: number, wireType: WireType = WireType.Length): number {
  return contents << 3 | wireType;
}

function scalar(wireType: WireType = WireType.Varint): number {
  return code(SCALAR, wireType);
}

function embeddedCode(index: number): number {
  return index << EMBEDDED_SHIFT | code(MESSAGE);
}
