/** The wire facts read independently of the generator, to test what it made of them. */
import fc from "../support/packages/fast_check.ts";
import type { MessageName } from "../../proto/mod.ts";

/** One message of wire.json. */
export interface WireMessage {
  readonly fields: readonly string[];
  readonly envelope_tag?: number;
  readonly envelope_field?: string;
  readonly priority?: string;
  readonly response?: string;
  readonly entity?: string;
  readonly only?: string;
}

/** What wire.json holds. */
export interface Wire {
  readonly protocol_version: number;
  readonly envelope: { readonly fields: readonly string[] };
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly messages: Readonly<Record<string, WireMessage>>;
}

/** One field, its types resolved to full names. */
export interface WireField {
  readonly number: number;
  readonly label: "" | "optional" | "repeated" | "map";
  readonly keyType: string;
  readonly type: string;
  /** As in wire.json. */
  readonly name: string;
  /** As in the generated types. */
  readonly camel: string;
  readonly oneof: string | undefined;
}

/** A message as the codec takes and gives it. */
export type Value = Record<string, unknown>;

/** The facts. */
export const wire = JSON.parse(
  Deno.readTextFileSync(new URL("../../proto/wire.json", import.meta.url)),
) as Wire;

/** Names of all messages, as in wire.json. */
export const wireNames: readonly string[] = Object.keys(wire.messages);

/** The name that the generated types have for a message of wire.json. */
export function messageName(wireName: string): MessageName {
  return wireName.replaceAll(".", "_") as MessageName;
}

/** Numbers at which 64 bits get lost: past 2^53, the sign bit, all bits. */
export const WIDE_NUMBERS = [2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n] as const;

/** Fields of a message of wire.json. */
export function fieldsOf(wireName: string): readonly WireField[] {
  return (wire.messages[wireName]?.fields ?? []).map((text) => {
    const words = text.replace(/map<(\w+), /, "map<$1,").split(" ");
    const marks = words.filter((word) => word.includes("="));
    const [number, ...rest] = words.filter((word) => !word.includes("="));
    const name = rest.pop() as string;
    const declared = rest.pop() as string;
    const map = /^map<(\w+),(\S+)>$/.exec(declared);
    const oneof = marks.find((mark) => mark.startsWith("oneof="))?.slice("oneof=".length);
    return {
      number: Number(number),
      label: map !== null ? "map" : (rest[0] ?? "") as "" | "optional" | "repeated",
      keyType: map?.[1] ?? "",
      type: resolve(wireName, map?.[2] ?? declared),
      name,
      camel: name.split("_").map((part, index) =>
        index === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)
      ).join(""),
      oneof,
    };
  });
}

function resolve(scope: string, type: string): string {
  const parts = scope.split(".");
  for (let length = parts.length; length >= 0; length--) {
    const name = [...parts.slice(0, length), type].join(".");
    if (name in wire.messages || name in wire.enums) return name;
  }
  return type;
}

/** A message as protobuf's JSON: names of wire.json, enums by name, 64-bit numbers as text. */
export function jsonOf(wireName: string, value: Value): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const field of fieldsOf(wireName)) {
    const item = value[field.camel];
    if (item === undefined) continue;
    if (field.label === "repeated") {
      json[field.name] = (item as unknown[]).map((one) => jsonItem(field.type, one));
    } else if (field.label === "map") {
      json[field.name] = Object.fromEntries(
        [...item as Map<unknown, unknown>].map((
          [key, one],
        ) => [String(key), jsonItem(field.type, one)]),
      );
    } else {
      json[field.name] = jsonItem(field.type, item);
    }
  }
  return json;
}

function jsonItem(type: string, item: unknown): unknown {
  if (type in wire.messages) return jsonOf(type, item as Value);
  const names = wire.enums[type];
  if (names !== undefined) {
    return Object.keys(names).find((name) => names[name] === item) ?? item;
  }
  if (typeof item === "bigint") return String(item);
  if (item instanceof Uint8Array) return btoa(String.fromCharCode(...item));
  return item;
}

const arbitraries = new Map<string, fc.Arbitrary<Value>>();

/** Messages with every field filled by chance, embedded ones down to `depth`. */
export function messageArbitrary(wireName: string, depth: number): fc.Arbitrary<Value> {
  const key = `${wireName} ${depth}`;
  let found = arbitraries.get(key);
  if (found === undefined) {
    found = newArbitrary(wireName, depth);
    arbitraries.set(key, found);
  }
  return found;
}

function newArbitrary(wireName: string, depth: number): fc.Arbitrary<Value> {
  const always: Record<string, fc.Arbitrary<unknown>> = {};
  const sometimes: Record<string, fc.Arbitrary<unknown>> = {};
  const oneofs = new Map<string, fc.Arbitrary<Value>[]>();
  for (const field of fieldsOf(wireName)) {
    const item = itemArbitrary(field.type, depth);
    if (field.label === "repeated") {
      always[field.camel] = item === undefined ? fc.constant([]) : fc.array(item, { maxLength: 3 });
    } else if (field.label === "map") {
      const entry = item === undefined
        ? fc.constant([])
        : fc.array(fc.tuple(scalarArbitrary(field.keyType), item), { maxLength: 3 });
      always[field.camel] = entry.map((entries) => new Map(entries as [unknown, unknown][]));
    } else if (item === undefined) {
      continue;
    } else if (field.oneof !== undefined) {
      const members = oneofs.get(field.oneof) ?? [];
      members.push(item.map((one) => ({ [field.camel]: one })));
      oneofs.set(field.oneof, members);
    } else if (field.label === "optional" || field.type in wire.messages) {
      sometimes[field.camel] = item;
    } else {
      always[field.camel] = item;
    }
  }
  return fc.tuple(
    fc.record({ ...always, ...sometimes }, { requiredKeys: Object.keys(always) }),
    ...[...oneofs.values()].map((members) => fc.oneof(fc.constant({}), ...members)),
  ).map((parts) => Object.assign({}, ...parts) as Value);
}

function itemArbitrary(type: string, depth: number): fc.Arbitrary<unknown> | undefined {
  if (type in wire.messages) return depth > 0 ? messageArbitrary(type, depth - 1) : undefined;
  const names = wire.enums[type];
  return names === undefined ? scalarArbitrary(type) : fc.constantFrom(...Object.values(names));
}

function scalarArbitrary(type: string): fc.Arbitrary<unknown> {
  switch (type) {
    case "uint64":
      return fc.oneof(
        fc.constantFrom(0n, ...WIDE_NUMBERS),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.bigInt({ min: 0n, max: 2n ** 32n }),
      );
    case "int64":
      return fc.oneof(
        fc.constantFrom(0n, -1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      );
    case "uint32":
      return fc.oneof(fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 31 - 1));
    case "int32":
      return fc.oneof(fc.constantFrom(0, -1, -(2 ** 31), 2 ** 31 - 1), fc.integer());
    case "bool":
      return fc.boolean();
    case "string":
      return fc.oneof(
        fc.string({ unit: "binary", maxLength: 12 }),
        fc.string({ maxLength: 120 }),
        fc.constant("\ufeffé€𝄞"),
      );
    case "bytes":
      return fc.uint8Array({ maxLength: 20 });
    case "float":
      return fc.float();
    case "double":
      return fc.double();
    default:
      throw new Error(`No values for the type ${type}`);
  }
}
