import { assertEquals, assertThrows } from "@std/assert";
import {
  decode,
  encode,
  envelopeMessages,
  fieldNumber,
  type Init,
  messageByTag,
  messageInfo,
  type MessageName,
  type MessageTypes,
  PROTOCOL_VERSION,
} from "../../proto/mod.ts";
import { run as compileProto } from "../../scripts/compile_proto.ts";
import { run as genProto } from "../../scripts/gen_proto.ts";
import protobuf from "protobufjs";
import fc from "../support/packages/fast_check.ts";
import { printedRandom } from "../support/random.ts";
import {
  fieldsOf,
  jsonOf,
  messageArbitrary,
  messageName,
  type Value,
  wire,
  type WireField,
  wireNames,
} from "./wire_facts.ts";

const PROTO = new URL("../../proto/", import.meta.url);

/** The committed .proto files as protobufjs understands them. */
function parsedProto(keepCase: boolean): protobuf.Root {
  const root = new protobuf.Root();
  for (const { name } of Deno.readDirSync(PROTO)) {
    if (!name.endsWith(".proto")) continue;
    protobuf.parse(Deno.readTextFileSync(new URL(name, PROTO)), root, { keepCase });
  }
  const own = Deno.readTextFileSync(new URL("parley/agents.proto", PROTO));
  protobuf.parse(own, root, { keepCase });
  root.resolveAll();
  return root;
}

function fullName(object: protobuf.ReflectionObject): string {
  return object.fullName.replace(/^\.zed\.messages\./, "");
}

/** A parsed field as the facts describe one. */
function factsOf(field: protobuf.Field): Omit<WireField, "camel"> {
  const oneof = field.partOf === null || field.partOf.isProto3Optional ? undefined : field.partOf;
  const map = field instanceof protobuf.MapField;
  return {
    number: field.id,
    label: map
      ? "map"
      : field.repeated
      ? "repeated"
      : field.partOf?.isProto3Optional
      ? "optional"
      : "",
    keyType: map ? field.keyType : "",
    type: field.resolvedType === null ? field.type : fullName(field.resolvedType),
    name: field.name,
    oneof: oneof?.name,
  };
}

function byNumber(a: { readonly number: number }, b: { readonly number: number }): number {
  return a.number - b.number;
}

Deno.test("[design 3] the .proto files and the generated code are up to date", async () => {
  assertEquals(await genProto(true), []);
  assertEquals(await compileProto(true), []);
});

Deno.test("[design 3] the .proto files declare every message of the wire facts once", () => {
  const root = parsedProto(true);
  const declared: string[] = [];
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const object of namespace.nestedArray) {
      if (object instanceof protobuf.Type || object instanceof protobuf.Enum) {
        declared.push(fullName(object));
      }
      if (object instanceof protobuf.Namespace) visit(object);
    }
  };
  visit(root.lookup("zed.messages") as protobuf.Namespace);
  const expected = ["Envelope", ...wireNames, ...Object.keys(wire.enums)];
  assertEquals(declared.sort(), expected.sort());
  for (const name of wireNames) {
    const fields = root.lookupType(`zed.messages.${name}`).fieldsArray.map(factsOf);
    const facts = fieldsOf(name).map(({ camel: _, ...rest }) => rest);
    assertEquals(fields.sort(byNumber), facts.sort(byNumber), name);
  }
  for (const [name, values] of Object.entries(wire.enums)) {
    assertEquals({ ...root.lookupEnum(`zed.messages.${name}`).values }, values, name);
  }
});

Deno.test("[design 3] the envelope holds every message that has a tag", () => {
  const envelope = parsedProto(true).lookupType("zed.messages.Envelope");
  const payload = envelope.fieldsArray
    .filter((field) => field.partOf?.name === "payload" && field.id < 10_000)
    .map((field) => `${field.id} ${field.type} ${field.name}`);
  const expected = Object.entries(wire.messages).filter(([, message]) => message.envelope_tag)
    .map(([name, message]) => `${message.envelope_tag} ${name} ${message.envelope_field}`);
  assertEquals(payload.sort(), expected.sort());
  const header = envelope.fieldsArray.filter((field) => field.partOf?.name !== "payload")
    .map((field) =>
      `${field.id} ${field.partOf?.isProto3Optional ? "optional " : ""}${field.type} ${field.name}`
    );
  assertEquals(header.sort(), [...wire.envelope.fields].sort());
});

Deno.test("[design 3] protobufjs decodes what the codec encodes, and the other way round", () => {
  const { seed } = printedRandom("messages for protobufjs");
  const root = parsedProto(true);
  for (const name of wireNames) {
    const type = root.lookupType(`zed.messages.${name}`);
    fc.assert(
      fc.property(messageArbitrary(name, 1), (value) => {
        const typed = value as Init<MessageTypes[MessageName]>;
        const ours = encode(messageName(name), typed);
        const theirs = type.encode(type.fromObject(jsonOf(name, value))).finish();
        assertEquals(decode(messageName(name), theirs) as unknown as Value, value, name);
        const theirsOfOurs = type.toObject(type.decode(ours), { longs: String });
        const theirsOfTheirs = type.toObject(type.decode(theirs), { longs: String });
        assertEquals(withoutDefaults(theirsOfOurs), withoutDefaults(theirsOfTheirs), name);
      }),
      { seed, numRuns: 3 },
    );
  }
});

/** protobufjs tells a default that was sent from one that was not; for implicit fields that is one. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  // protobufjs makes a Buffer of some and a Uint8Array of others.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutDefaults(item)] as const)
      .filter(([, item]) => !isDefault(item)),
  );
}

function isDefault(item: unknown): boolean {
  if (item instanceof Uint8Array || Array.isArray(item)) return item.length === 0;
  return item === 0 || item === "0" || item === "" || item === false;
}

Deno.test("[transport 10.1.1] the messages of 2025 and of 2026 share one set of tags", () => {
  // Parley's own stand apart.
  const messages = envelopeMessages().filter(({ tag }) => tag! < 10_000);
  assertEquals(messages.length, 389);
  assertEquals(new Set(messages.map((info) => info.tag)).size, 389);
  // The specification's 289 and 364 are one more: they seem to count the header field ack_id, 266.
  const of2025 = messages.filter((info) => info.only !== "2026");
  const of2026 = messages.filter((info) => info.only !== "2025");
  assertEquals([of2025.length, of2025.at(-1)?.tag], [288, 349]);
  assertEquals([of2026.length, of2026.at(-1)?.tag], [363, 461]);
});

Deno.test("[transport 10.1.2] the protocol's number is 68", () => {
  assertEquals(PROTOCOL_VERSION, 68);
});

Deno.test("[transport 2.2.4] a message's info is that of the wire facts", () => {
  for (const name of wireNames) {
    const facts = wire.messages[name];
    const info = messageInfo(messageName(name));
    assertEquals(info.tag, facts?.envelope_tag, name);
    assertEquals(info.priority as string | undefined, facts?.priority, name);
    assertEquals(info.response as string | undefined, facts?.response, name);
    assertEquals(info.only as string | undefined, facts?.only, name);
    assertEquals(info.entity === undefined, facts?.entity === undefined, name);
    if (info.tag === undefined) assertEquals(info.field, undefined, name);
    else assertEquals(messageByTag(info.tag), info, name);
  }
  assertEquals(messageInfo("UpdateWorktree"), {
    name: "UpdateWorktree",
    tag: 45,
    field: "updateWorktree",
    priority: "foreground",
    response: "Ack",
    entity: { message: "ShareProject", field: "projectId" },
  });
  assertEquals(messageByTag(9_999), undefined);
});

Deno.test("[transport 10.2] what 2026 removed is still there, marked", () => {
  for (const tag of [90, 102, 175, 198, 211, 234, 244, 259, 280, 332]) {
    assertEquals(messageByTag(tag)?.only, "2025", String(tag));
  }
});

Deno.test("[transport 10.3] what 2026 added is there, marked", () => {
  for (const tag of [350, 365, 366, 409, 417, 451, 461]) {
    assertEquals(messageByTag(tag)?.only, "2026", String(tag));
  }
});

Deno.test("[design 3] fields have their numbers", () => {
  for (const name of wireNames) {
    for (const { camel, number } of fieldsOf(name)) {
      assertEquals(fieldNumber(messageName(name), camel as never), number, `${name}.${camel}`);
    }
  }
  assertThrows(() => fieldNumber("Ack", "nothing" as never), TypeError, "Ack has no field named");
});
