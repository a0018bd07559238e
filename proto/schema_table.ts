/** The generated schema as tables that the codec can work from, each read at its first use. */
import { SCHEMA } from "./generated/schema.ts";

/** What a field's values are: the letters of the generated schema. */
export const Kind = {
  Double: "d",
  Float: "f",
  Int32: "i",
  Uint32: "u",
  Sint32: "z",
  Fixed32: "x",
  Sfixed32: "y",
  Bool: "b",
  String: "s",
  Bytes: "a",
  Enum: "e",
  Int64: "I",
  Uint64: "U",
  Sint64: "Z",
  Fixed64: "X",
  Sfixed64: "Y",
  Message: "m",
  Map: "M",
} as const;

/** One of the letters. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Protobuf's wire types. */
export const WireType = { Varint: 0, Fixed64: 1, Length: 2, Fixed32: 5 } as const;

/** One of the wire types that a field can have. */
export type WireType = (typeof WireType)[keyof typeof WireType];

/** How often a field occurs and whether its absence can be told from its default. */
export type Label = "implicit" | "optional" | "repeated";

/** One field of a message. */
export interface Field {
  readonly number: number;
  /** In camel case. */
  readonly name: string;
  readonly label: Label;
  readonly kind: Kind;
  readonly wireType: WireType;
  /** The number and the wire type as they are written before a value. */
  readonly tag: number;
  /** The same for a packed list; undefined if the kind is never packed. */
  readonly packedTag: number | undefined;
  /** Which of the message's oneofs it belongs to; -1 if none. */
  readonly oneof: number;
  /** Name of the message that it holds. */
  readonly messageName: string | undefined;
  /** A map's entry. */
  readonly entry: { readonly key: Field; readonly value: Field } | undefined;
  /** Table of {@link Field.messageName}, once it was needed. */
  table: MessageTable | undefined;
}

/** One message. */
export interface MessageTable {
  readonly name: string;
  /** In the order of their numbers. */
  readonly fields: readonly Field[];
  readonly byNumber: readonly (Field | undefined)[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly oneofCount: number;
  /** What a decoder starts from; the lists and maps in it must be made anew. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Fields that need a list or a map of their own. */
  readonly collections: readonly Field[];
}

const WIRE_TYPES: Readonly<Record<Kind, WireType>> = {
  d: WireType.Fixed64,
  f: WireType.Fixed32,
  i: WireType.Varint,
  u: WireType.Varint,
  z: WireType.Varint,
  x: WireType.Fixed32,
  y: WireType.Fixed32,
  b: WireType.Varint,
  s: WireType.Length,
  a: WireType.Length,
  e: WireType.Varint,
  I: WireType.Varint,
  U: WireType.Varint,
  Z: WireType.Varint,
  X: WireType.Fixed64,
  Y: WireType.Fixed64,
  m: WireType.Length,
  M: WireType.Length,
};

const DEFAULTS: Readonly<Record<Kind, unknown>> = {
  d: 0,
  f: 0,
  i: 0,
  u: 0,
  z: 0,
  x: 0,
  y: 0,
  b: false,
  s: "",
  a: new Uint8Array(0),
  e: 0,
  I: 0n,
  U: 0n,
  Z: 0n,
  X: 0n,
  Y: 0n,
  m: undefined,
  M: undefined,
};

const tables = new Map<string, MessageTable>();

/** @throws {TypeError} There is no such message. */
export function tableOf(name: string): MessageTable {
  let table = tables.get(name);
  if (table === undefined) {
    table = readTable(name);
    tables.set(name, table);
  }
  return table;
}

/** The table of the message that a field holds. */
export function tableOfField(field: Field): MessageTable {
  return field.table ??= tableOf(field.messageName as string);
}

/** What a scalar field is when nothing was sent. */
export function defaultOf(kind: Kind): unknown {
  return DEFAULTS[kind];
}

/** `tag,priority,response,entity,only` of a message. */
export function headOf(name: string): string {
  const text = schemaOf(name);
  const end = text.indexOf(";");
  return end < 0 ? text : text.slice(0, end);
}

/** Names of all messages. */
export function messageNames(): readonly string[] {
  return Object.keys(SCHEMA);
}

function schemaOf(name: string): string {
  const text = Object.hasOwn(SCHEMA, name) ? SCHEMA[name] : undefined;
  if (text === undefined) throw new TypeError(`There is no message named ${name}`);
  return text;
}

function readTable(name: string): MessageTable {
  const fields = schemaOf(name).split(";").slice(1).map(readField);
  const byNumber: (Field | undefined)[] = [];
  const byName = new Map<string, Field>();
  const defaults: Record<string, unknown> = {};
  const collections: Field[] = [];
  let oneofCount = 0;
  for (const field of fields) {
    byNumber[field.number] = field;
    byName.set(field.name, field);
    oneofCount = Math.max(oneofCount, field.oneof + 1);
    if (field.label === "repeated") {
      collections.push(field);
      defaults[field.name] = undefined;
    } else if (field.label === "implicit") {
      defaults[field.name] = DEFAULTS[field.kind];
    }
  }
  return { name, fields, byNumber, byName, oneofCount, defaults, collections };
}

function readField(text: string): Field {
  const [code = "", name = "", ...types] = text.split(":");
  const match = /^(\d+)(\?|\*|\|\d+)?([a-zA-Z])$/.exec(code);
  if (match === null) throw new Error(`The generated schema has a field that is none: ${text}`);
  const mark = match[2] ?? "";
  const kind = match[3] as Kind;
  const base = newField(Number(match[1]), name, kind);
  if (kind === Kind.Map) {
    const [keyKind, valueKind, messageName] = types;
    const key = newField(1, "key", keyKind as Kind);
    const value = { ...newField(2, "value", valueKind as Kind), messageName };
    return { ...base, label: "repeated", entry: { key, value } };
  }
  const label = mark === "*"
    ? "repeated"
    : mark !== "" || kind === Kind.Message
    ? "optional"
    : "implicit";
  const oneof = mark.startsWith("|") ? Number(mark.slice(1)) : -1;
  return { ...base, label, oneof, messageName: types[0] };
}

function newField(number: number, name: string, kind: Kind): Field {
  const wireType = WIRE_TYPES[kind];
  return {
    number,
    name,
    label: "implicit",
    kind,
    wireType,
    tag: (number << 3 | wireType) >>> 0,
    packedTag: wireType === WireType.Length ? undefined : (number << 3 | WireType.Length) >>> 0,
    oneof: -1,
    messageName: undefined,
    entry: undefined,
    table: undefined,
  };
}
