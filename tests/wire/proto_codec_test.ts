import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import {
  decode,
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
  ProtoError,
} from "../../proto/mod.ts";
import { printedRandom, type RandomSource } from "../support/random.ts";
import {
  fieldsOf,
  messageArbitrary,
  messageName,
  type Value,
  WIDE_NUMBERS,
  type WireField,
  wireNames,
} from "./wire_facts.ts";

const WIDE_TYPES = /^u?int64$/;

/** Bytes from hexadecimal digits. */
function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

function encodeAny(name: MessageName, value: Value): Uint8Array {
  return encode(name, value as Init<MessageTypes[MessageName]>);
}

/** Decodes or fails with the one error that is allowed. */
function decodeOrProtoError(name: MessageName, bytes: Uint8Array): void {
  try {
    decode(name, bytes);
  } catch (error) {
    assertInstanceOf(error, ProtoError);
    assertStringIncludes(error.message, name);
  }
}

/** All values that a wide field should take: negative ones where it is signed. */
function wideValues(field: WireField): bigint[] {
  const signed = field.type === "int64" || field.keyType === "int64";
  return signed
    ? [...WIDE_NUMBERS.map((n) => BigInt.asIntN(64, n)), -(2n ** 53n + 1n)]
    : [...WIDE_NUMBERS];
}

Deno.test("[projects 1.7] every 64-bit field keeps all bits", () => {
  let count = 0;
  for (const wireName of wireNames) {
    const name = messageName(wireName);
    for (const field of fieldsOf(wireName)) {
      if (!WIDE_TYPES.test(field.type) && !WIDE_TYPES.test(field.keyType)) continue;
      count++;
      const values = wideValues(field);
      if (field.label === "map") {
        const map = new Map(values.map((value) => [value, {}]));
        const decoded = decode(name, encodeAny(name, { [field.camel]: map })) as unknown as Value;
        assertEquals([...(decoded[field.camel] as typeof map).keys()], values, field.camel);
      } else if (field.label === "repeated") {
        const decoded = decode(
          name,
          encodeAny(name, { [field.camel]: values }),
        ) as unknown as Value;
        assertEquals(decoded[field.camel], values, `${name}.${field.camel}`);
      } else {
        for (const value of values) {
          const decoded = decode(
            name,
            encodeAny(name, { [field.camel]: value }),
          ) as unknown as Value;
          assertEquals(decoded[field.camel], value, `${name}.${field.camel}`);
        }
      }
    }
  }
  assertEquals(count, 676);
});

Deno.test("[design 3a] random 64-bit numbers survive as single fields, lists and map keys", () => {
  const { seed } = printedRandom("random 64-bit numbers");
  const wide = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(fc.array(wide, { minLength: 1, maxLength: 20 }), (numbers) => {
      const projectId = numbers[0] as bigint;
      const update = encode("UpdateWorktree", { projectId, removedEntries: numbers });
      assertEquals(decode("UpdateWorktree", update).projectId, projectId);
      assertEquals(decode("UpdateWorktree", update).removedEntries, numbers);
      const signed = numbers.map((number) => BigInt.asIntN(64, number));
      const threads = encode("DapTerminateThreadsRequest", { threadIds: signed });
      assertEquals(decode("DapTerminateThreadsRequest", threads).threadIds, signed);
      const sessionState = new Map(numbers.map((number) => [number, { id: number }]));
      const breakpoint = decode("Breakpoint", encode("Breakpoint", { sessionState }));
      assertEquals([...breakpoint.sessionState.keys()], [...sessionState.keys()]);
    }),
    { seed, numRuns: 300 },
  );
});

Deno.test("[design 3] random values of every message survive", () => {
  const { seed } = printedRandom("random values of every message");
  for (const wireName of wireNames) {
    const name = messageName(wireName);
    fc.assert(
      fc.property(messageArbitrary(wireName, 3), (value) => {
        const bytes = encodeAny(name, value);
        const decoded = decode(name, bytes) as unknown as Value;
        assertEquals(decoded, value, name);
        assertEquals(encodeAny(name, decoded), bytes, name);
      }),
      { seed, numRuns: 8 },
    );
  }
});

Deno.test("[transport 1.6.5] truncated and mutated bytes fail with ProtoError only", () => {
  const random = printedRandom("mutated bytes");
  for (const wireName of wireNames) {
    const name = messageName(wireName);
    const [value] = fc.sample(messageArbitrary(wireName, 3), { seed: random.uint32(), numRuns: 1 });
    const bytes = encodeAny(name, value as Value);
    for (let round = 0; round < 20; round++) decodeOrProtoError(name, damaged(bytes, random));
    decodeOrProtoError(name, random.bytes(random.int(40)));
    decodeOrProtoError("Envelope", random.bytes(random.int(40)));
  }
});

function damaged(bytes: Uint8Array, random: RandomSource): Uint8Array {
  if (random.chance(0.3) || bytes.length === 0) {
    return bytes.subarray(0, random.int(bytes.length + 1));
  }
  const copy = bytes.slice();
  const changes = 1 + random.int(4);
  for (let change = 0; change < changes; change++) copy[random.int(copy.length)] = random.int(256);
  return copy;
}

const BROKEN: readonly (readonly [what: string, name: MessageName, bytes: string])[] = [
  ["a tag without its value", "JoinProject", "08"],
  ["a number that does not end", "JoinProject", "08 ffffffffffffffffffff 01"],
  ["a number cut off", "JoinProject", "08 ff"],
  ["a length beyond the end", "ShareProjectResponse", "0a ffffffff0f"],
  ["a text longer than the rest", "UpdateWorktree", "1a 05 6162"],
  ["text that is not UTF-8", "UpdateWorktree", "1a 02 c328"],
  ["a surrogate as text", "UpdateWorktree", "1a 03 eda080"],
  ["an embedded message longer than the rest", "Hello", "0a 05 0801"],
  ["a field that crosses the end of its message", "Hello", "0a 01 08 05"],
  ["a packed list that crosses its end", "UpdateWorktree", "2a 01 80 01"],
  ["field number 0", "JoinProject", "00 01"],
  ["wire type 6", "JoinProject", "0e 01"],
  ["the end of a group that never began", "JoinProject", "0c"],
  ["a group that does not end", "JoinProject", "f3 07 08 01"],
  ["a group that ends under another number", "JoinProject", "f3 07 ec 07"],
  ["an unknown field that is cut off", "JoinProject", "fa 07 05 01"],
  ["fixed bits that are cut off", "InlayHints", "f9 07 0102"],
];

for (const [what, name, bytes] of BROKEN) {
  Deno.test(`[transport 1.6.5] refused: ${what}`, () => {
    const error = assertThrows(() => decode(name, hex(bytes)), ProtoError);
    assertStringIncludes(error.message, `Cannot decode ${name}: `);
  });
}

Deno.test("[transport 1.6.5] unknown fields of every wire type are skipped", () => {
  const unknown = "f807 05  f907 0102030405060708  fa07 02 0102  fb07 0801 fc07  fd07 01020304";
  assertEquals(decode("JoinProject", hex(`${unknown} 08 07 ${unknown}`)).projectId, 7n);
});

Deno.test("[transport 1.6.5] an unknown payload tag leaves an envelope without payload", () => {
  assertEquals(decode("Envelope", hex("08 03 82f12c 00")), { id: 3 });
});

Deno.test("[transport 10.5] a field that another year sent with another wire type is skipped", () => {
  // 2025: 3 uint32 log_message_type; since then 3 string message.
  assertEquals(decode("LanguageServerLog", hex("08 01 18 02 10 09")), {
    projectId: 1n,
    languageServerId: 9n,
    message: "",
  });
});

Deno.test("[transport 1.6.5] nesting is limited, in both directions", () => {
  const nested = (depth: number): Value =>
    depth === 0 ? {} : { children: [nested(depth - 1)], name: "x" };
  const bytes = encodeAny("DocumentSymbol", nested(100));
  decode("DocumentSymbol", bytes);
  assertThrows(() => encodeAny("DocumentSymbol", nested(101)), TypeError, "deeper than 100");
  const childrenTag = fieldsOf("DocumentSymbol").find((field) => field.name === "children");
  let deep = new Uint8Array(0);
  for (let level = 0; level < 2000; level++) {
    const writer: number[] = [(childrenTag?.number ?? 0) << 3 | 2];
    let length = deep.length;
    for (; length > 127; length >>>= 7) writer.push(length & 127 | 128);
    writer.push(length);
    deep = new Uint8Array([...writer, ...deep]);
  }
  assertThrows(() => decode("DocumentSymbol", deep), ProtoError, "Nested deeper than 100");
  const groups = new Uint8Array(20_000).fill(0xfb).map((byte, index) => index % 2 ? 0x07 : byte);
  assertThrows(() => decode("DocumentSymbol", groups), ProtoError);
});

Deno.test("[transport 1.6.5] a message of few bytes cannot become millions of objects", () => {
  const operations = new Uint8Array(2_000_002).fill(0x0a).map((byte, index) =>
    index % 2 ? 0 : byte
  );
  assertThrows(() => decode("Context", operations), ProtoError, "More than 1000000 values");
  const packed = new Uint8Array(1_000_005).fill(1);
  packed.set(hex("2a c1 84 3d"));
  assertThrows(() => decode("UpdateWorktree", packed), ProtoError, "More than 1000000 values");
  assertEquals(decode("Context", operations.subarray(2)).operations.length, 1_000_000);
});

Deno.test("[transport 2.2.2] optional fields are written when zero and absent when not sent", () => {
  assertEquals(encode("Envelope", { respondingTo: 0 }), hex("10 00"));
  assertEquals(encode("Envelope", { id: 0 }), hex(""));
  assertEquals(decode("Envelope", hex("10 00")).respondingTo, 0);
  assertEquals("respondingTo" in decode("Envelope", hex("")), false);
});

Deno.test("[design 3] defaults are filled in and are not written", () => {
  const empty = decode("UpdateWorktree", hex(""));
  assertEquals(empty, {
    projectId: 0n,
    worktreeId: 0n,
    rootName: "",
    updatedEntries: [],
    removedEntries: [],
    updatedRepositories: [],
    removedRepositories: [],
    scanId: 0n,
    isLastUpdate: false,
    absPath: "",
  });
  assertEquals(encode("UpdateWorktree", empty), hex(""));
  assertEquals(decode("DapSource", hex("0a 00")).name, "");
});

Deno.test("[design 3] decoded messages share no lists, maps or bytes", () => {
  const first = decode("DebugAdapterBinary", hex(""));
  first.arguments.push("x");
  first.envs.set("a", "b");
  assertEquals(decode("DebugAdapterBinary", hex("")).arguments, []);
  assertEquals(decode("DebugAdapterBinary", hex("")).envs.size, 0);
  const bytes = encode("DapSource", { adapterData: new Uint8Array([1, 2]) });
  const decoded = decode("DapSource", bytes);
  bytes.fill(0);
  assertEquals(decoded.adapterData, new Uint8Array([1, 2]));
});

Deno.test("[design 3] the last of several scalars wins", () => {
  assertEquals(decode("JoinProject", hex("08 01 08 02")).projectId, 2n);
});

Deno.test("[design 3] an embedded message that occurs twice is merged", () => {
  // peer_id { owner_id 1 }, then peer_id { id 5 }
  assertEquals(decode("Hello", hex("0a 02 08 01  0a 02 10 05")), {
    peerId: { ownerId: 1, id: 5 },
  });
});

Deno.test("[design 3] the last member of a oneof wins, the same member twice is merged", () => {
  // edit { replica_id 1 }, edit { lamport_timestamp 2 }
  const twice = decode("Operation", hex("0a 02 08 01  0a 02 10 02"));
  assertEquals([twice.edit?.replicaId, twice.edit?.lamportTimestamp], [1, 2]);
  // edit, then undo
  const other = decode("Operation", hex("0a 02 08 01  12 02 08 03"));
  assertEquals(Object.keys(other), ["undo"]);
});

Deno.test("[design 3] a oneof inside a merged message keeps one member", () => {
  // location { shared_project { id 1 } }, then location { external {} }
  const location = fieldsOf("UpdateParticipantLocation").find((field) => field.name === "location");
  const tag = ((location?.number ?? 0) << 3 | 2).toString(16).padStart(2, "0");
  const bytes = hex(`${tag} 04 0a 02 08 01  ${tag} 02 1a 00`);
  assertEquals(decode("UpdateParticipantLocation", bytes).location, { external: {} });
});

Deno.test("[design 3] lists of numbers are written packed and read either way", () => {
  const packed = hex("2a 03 01 ac02");
  assertEquals(encode("UpdateWorktree", { removedEntries: [1n, 300n] }), packed);
  assertEquals(decode("UpdateWorktree", packed).removedEntries, [1n, 300n]);
  assertEquals(decode("UpdateWorktree", hex("28 01 2a 01 02 28 03")).removedEntries, [1n, 2n, 3n]);
  assertEquals(encode("UpdateWorktree", { removedEntries: [] }), hex(""));
});

Deno.test("[design 3] map entries may lack key or value, and the last of a key wins", () => {
  assertEquals(decode("DebugAdapterBinary", hex("1a 00")).envs, new Map([["", ""]]));
  const twice = hex("1a 06 0a 01 61 12 01 31  1a 06 0a 01 61 12 01 32");
  assertEquals(decode("DebugAdapterBinary", twice).envs, new Map([["a", "2"]]));
  assertEquals(
    decode("Breakpoint", hex("3a 02 08 07")).sessionState.get(7n),
    decode(
      "BreakpointSessionState",
      hex(""),
    ),
  );
});

Deno.test("[design 3] numbers of enums that are not in the schema survive", () => {
  for (const role of [77, -1]) {
    assertEquals(decode("JoinProjectResponse", encode("JoinProjectResponse", { role })).role, role);
  }
});

Deno.test("[design 3] two members of one oneof are refused by name", () => {
  const error = assertThrows(() => encode("Operation", { edit: {}, undo: {} }), TypeError);
  assertStringIncludes(error.message, "Operation: only one of edit, undo");
});

Deno.test("[design 3] a payload is refused beside another payload", () => {
  assertThrows(() => encode("Envelope", { ack: {}, hello: {} }), TypeError, "hello, ack");
});

const UNFIT: readonly (readonly [name: MessageName, value: Value, says: string])[] = [
  ["JoinProject", { projectId: 5 }, "JoinProject.projectId must be a bigint"],
  ["JoinProject", { projectId: -1n }, "from 0 to 2^64-1"],
  ["JoinProject", { projectId: 2n ** 64n }, "from 0 to 2^64-1"],
  ["DapThread", { id: 2n ** 63n }, "from -2^63 to 2^63-1"],
  ["PeerId", { id: -1 }, "PeerId.id must be a whole number from 0 to 2^32-1"],
  ["PeerId", { id: 1.5 }, "PeerId.id must be a whole number"],
  ["PeerId", { id: 3n }, "not the bigint 3"],
  ["JoinProjectResponse", { role: 2 ** 31 }, "from -2^31 to 2^31-1"],
  ["Entry", { isDir: 1 }, "Entry.isDir must be a boolean"],
  ["Entry", { path: null }, "Entry.path must be a string"],
  ["Entry", { mtime: 5 }, "Entry.mtime must be an object"],
  ["Hello", { peerId: null }, "Hello.peerId must be an object"],
  ["DapSource", { adapterData: [1] }, "DapSource.adapterData must be a Uint8Array"],
  ["ColorInformation", { red: "0.5" }, "ColorInformation.red must be a number"],
  ["UpdateWorktree", { removedEntries: 5n }, "UpdateWorktree.removedEntries must be an array"],
  ["UpdateWorktree", { removedEntries: [5] }, "UpdateWorktree.removedEntries must be a bigint"],
  ["UpdateWorktree", { updatedEntries: [undefined] }, "updatedEntries must be an object"],
  ["DebugAdapterBinary", { envs: {} }, "DebugAdapterBinary.envs must be a Map"],
  ["DebugAdapterBinary", { envs: new Map([["a", 1]]) }, "DebugAdapterBinary.envs must be a string"],
  ["Breakpoint", { sessionState: new Map([[1n, 2]]) }, "sessionState must be an object"],
];

for (const [name, value, says] of UNFIT) {
  Deno.test(`[design 3] a value that does not fit is refused: ${says}`, () => {
    assertThrows(() => encodeAny(name, value), TypeError, says);
  });
}

Deno.test("[transport 1.6.5] text that is not Unicode is repaired, since clients hang up over it", () => {
  const bytes = encode("UpdateWorktree", { rootName: "a\ud800b" });
  assertEquals(decode("UpdateWorktree", bytes).rootName, "a\ufffdb");
});

Deno.test("[design 3] a message that does not exist is a TypeError", () => {
  for (const name of ["Nothing", "toString"] as unknown as MessageName[]) {
    assertThrows(() => decode(name, hex("")), TypeError, `no message named ${name}`);
    assertThrows(() => encodeAny(name, {}), TypeError, `no message named ${name}`);
    assertThrows(() => messageInfo(name), TypeError, `no message named ${name}`);
  }
});

Deno.test("[design 3] floating-point numbers keep their sign of zero and what is no number", () => {
  const values = [-0, NaN, Infinity, -Infinity, 0.5];
  for (const red of values) {
    assertEquals(decode("ColorInformation", encode("ColorInformation", { red })).red, red);
  }
});
