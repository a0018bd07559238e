import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { zstdDecompressSync } from "node:zlib";
import {
  decode,
  encode,
  envelopeMessages,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
  ProtoError,
} from "../../proto/mod.ts";
import { validatePayload } from "../../proto/validate.ts";
import { decodeEnvelope } from "../../rpc/decode_envelope.ts";
import { printedRandom, type RandomSource } from "../support/random.ts";
import { clientDecodes } from "./client_decoder.ts";
import {
  fieldsOf,
  messageArbitrary,
  messageName,
  type Value,
  wire,
  wireNames,
} from "./wire_facts.ts";

/** Messages of wire.json that an envelope can hold. */
const payloads = wireNames.filter((name) => wire.messages[name]?.envelope_tag !== undefined);

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

function encodeAny(name: MessageName, value: Value): Uint8Array {
  return encode(name, value as Init<MessageTypes[MessageName]>);
}

function tagOf(name: MessageName): number {
  return messageInfo(name).tag as number;
}

/** Checks a payload between other bytes, which must not matter. */
function validate(name: MessageName, payload: Uint8Array): boolean {
  const bytes = new Uint8Array(payload.length + 7).fill(0x0b);
  bytes.set(payload, 3);
  return validatePayload(tagOf(name), bytes, 3, 3 + payload.length);
}

/** True for valid; anything but a ProtoError goes through. */
function isValid(name: MessageName, payload: Uint8Array): boolean {
  try {
    return validate(name, payload);
  } catch (error) {
    if (!(error instanceof ProtoError)) throw error;
    assertStringIncludes(error.message, `Cannot pass on ${name}: `);
    return false;
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** Bytes as a length-delimited field. */
function field(number: number, contents: Iterable<number>): number[] {
  const bytes = [...contents];
  return [...varint(number << 3 | 2), ...varint(bytes.length), ...bytes];
}

Deno.test("[transport 1.6.5] what the codec makes of every message is valid", () => {
  const { seed } = printedRandom("valid payloads");
  for (const wireName of payloads) {
    const name = messageName(wireName);
    fc.assert(
      fc.property(messageArbitrary(wireName, 3), (value) => {
        assert(validate(name, encodeAny(name, value)), name);
      }),
      { seed, numRuns: 8 },
    );
  }
  assertEquals(payloads.length, envelopeMessages().filter(({ tag }) => tag! < 10_000).length);
});

Deno.test("[design 3b] the payloads of the golden frames are valid", () => {
  const lines = Deno.readTextFileSync(new URL("../data/golden-frames.jsonl", import.meta.url))
    .trim().split("\n");
  assertEquals(lines.length, 109);
  for (const line of lines) {
    const { frame, type } = JSON.parse(line) as { frame: string; type: MessageName };
    const { tag, payload } = decodeEnvelope(zstdDecompressSync(Uint8Array.fromBase64(frame)));
    assertEquals(tag, tagOf(type));
    assert(validatePayload(tag, payload, 0, payload.length), type);
  }
});

Deno.test("[transport 1.6.5] damaged payloads are valid exactly if clients decode them", () => {
  const random = printedRandom("damaged payloads");
  let refused = 0;
  for (const wireName of payloads) {
    const name = messageName(wireName);
    for (
      const value of fc.sample(messageArbitrary(wireName, 3), { seed: random.uint32(), numRuns: 3 })
    ) {
      const bytes = encodeAny(name, value);
      for (let round = 0; round < 12; round++) {
        const payload = damaged(bytes, random);
        const expected = clientDecodes(wireName, payload);
        assertEquals(isValid(name, payload), expected, `${name} ${payload.toHex()}, ${random}`);
        if (!expected) refused++;
      }
    }
  }
  assert(refused > 1000, `only ${refused} were refused`);
});

function damaged(bytes: Uint8Array, random: RandomSource): Uint8Array {
  if (bytes.length === 0) return random.bytes(random.int(12));
  if (random.chance(0.2)) return bytes.subarray(0, random.int(bytes.length));
  const copy = bytes.slice();
  const changes = 1 + random.int(3);
  for (let change = 0; change < changes; change++) {
    copy[random.int(copy.length)] = random.chance(0.5) ? 128 + random.int(128) : random.int(128);
  }
  return copy;
}

Deno.test("[transport 1.6.5] what the codec cannot decode is never valid", () => {
  const random = printedRandom("payloads for the codec");
  for (const wireName of payloads) {
    const name = messageName(wireName);
    const [value] = fc.sample(messageArbitrary(wireName, 3), { seed: random.uint32(), numRuns: 1 });
    for (let round = 0; round < 20; round++) {
      const payload = damaged(encodeAny(name, value as Value), random);
      if (isValid(name, payload)) decode(name, payload);
    }
  }
});

Deno.test("[transport 1.6.5] every field of every message takes its wire types only", () => {
  for (const wireName of payloads) {
    const name = messageName(wireName);
    for (const { number } of fieldsOf(wireName)) {
      for (let wireType = 0; wireType < 8; wireType++) {
        const payload = new Uint8Array([...varint(number << 3 | wireType), 0, 0, 0, 0, 0, 0, 0, 0]);
        for (const length of [1, 4, 8]) {
          const bytes = payload.subarray(0, payload.length - 8 + length);
          assertEquals(isValid(name, bytes), clientDecodes(wireName, bytes), `${name} ${number}`);
        }
      }
    }
  }
});

// UpdateWorktree: 1 project_id, 3 root_name, 4 updated_entries, 5 removed_entries (numbers).
const BROKEN: readonly (readonly [what: string, name: MessageName, bytes: string, says: string])[] =
  [
    ["a text as a number", "UpdateWorktree", "18 01", "Field 3 has the wire type 0"],
    ["a number as a text", "UpdateWorktree", "0a 01 61", "Field 1 has the wire type 2"],
    [
      "a number as fixed bits",
      "UpdateWorktree",
      "09 0102030405060708",
      "Field 1 has the wire type 1",
    ],
    ["a message as a number", "Hello", "08 01", "Field 1 has the wire type 0"],
    ["text that is not UTF-8", "UpdateWorktree", "1a 02 c328", "field 3 is not UTF-8"],
    ["text that ends inside a character", "UpdateWorktree", "1a 02 61c3", "field 3 is not UTF-8"],
    ["a surrogate as text", "UpdateWorktree", "1a 03 eda080", "field 3 is not UTF-8"],
    ["a character in too many bytes", "UpdateWorktree", "1a 02 c080", "field 3 is not UTF-8"],
    ["a character beyond the last", "UpdateWorktree", "1a 04 f4908080", "field 3 is not UTF-8"],
    ["a text longer than the rest", "UpdateWorktree", "1a 05 6162", "Field 3 goes beyond"],
    ["a length of 64 bits", "UpdateWorktree", "1a ffffffffffffffffff01", "longer than"],
    ["a length that is cut off", "UpdateWorktree", "1a ff", "goes beyond"],
    ["a tag without its value", "JoinProject", "08", "goes beyond"],
    ["a number cut off", "JoinProject", "08 ff", "goes beyond"],
    ["a number of more than ten bytes", "JoinProject", "08 80808080808080808080 01", "64 bits"],
    ["a number of more than 64 bits", "JoinProject", "08 ffffffffffffffffff 02", "64 bits"],
    ["an unknown number of 65 bits", "JoinProject", "f807 ffffffffffffffffff 02", "64 bits"],
    ["a tag of more than 32 bits", "JoinProject", "88 80808010 01", "longer than"],
    ["a field that crosses the end of its message", "Hello", "0a 01 08 05", "beyond the end"],
    ["an embedded message longer than the rest", "Hello", "0a 05 0801", "Field 1 goes beyond"],
    ["a list that ends inside a number", "UpdateWorktree", "2a 01 80 01", "cut off"],
    [
      "a list of which a number is too long",
      "UpdateWorktree",
      "2a 0b 8080808080808080808001",
      "64 bits",
    ],
    ["field number 0", "JoinProject", "00 01", "number 0"],
    ["field number 0 with a length", "JoinProject", "02 00", "number 0"],
    ["wire type 6", "JoinProject", "0e 01", "wire type 6"],
    ["wire type 7", "JoinProject", "ff 07 01", "wire type 7"],
    ["a group", "JoinProject", "f307 f407", "group"],
    ["the end of a group", "JoinProject", "0c", "group"],
    ["fixed bits that are cut off", "JoinProject", "f907 0102", "beyond the end"],
  ];

for (const [what, name, bytes, says] of BROKEN) {
  Deno.test(`[transport 1.6.5] not passed on: ${what}`, () => {
    assertThrows(() => validate(name, hex(bytes)), ProtoError, says);
  });
}

Deno.test("[transport 1.6.5] unknown fields of every wire type are passed on", () => {
  const unknown = "f807 05  f907 0102030405060708  fa07 02 c328  fd07 01020304";
  assert(validate("JoinProject", hex(`${unknown} 08 07 ${unknown}`)));
});

Deno.test("[transport 1.6.5] numbers in lists may come one by one or together, and in more bytes than needed", () => {
  assert(validate("UpdateWorktree", hex("28 01 2a 03 01 ac02 28 03 2a 00")));
  assert(validate("UpdateWorktree", hex("08 8180808080808080 00 1a 8280 00 6162 88 80 00 05")));
});

Deno.test("[transport 2.3.7] a payload that no client knows is not looked at", () => {
  assert(validatePayload(9_999, hex("ff"), 0, 1));
});

Deno.test("[transport 1.6.5] texts of every length are looked at to their last byte", () => {
  for (let length = 1; length < 300; length++) {
    for (const text of ["a".repeat(length), "я".repeat(length), `${"a".repeat(length)}€𝄞`]) {
      const payload = encode("UpdateWorktree", { rootName: text });
      assert(validate("UpdateWorktree", payload), `${length}`);
      payload[payload.length - 1] = 0xff;
      assertThrows(() => validate("UpdateWorktree", payload), ProtoError, "UTF-8");
    }
  }
});

Deno.test("[transport 1.6.5] nesting is limited as in clients", () => {
  const children = fieldsOf("DocumentSymbol").find(({ name }) => name === "children")?.number ?? 0;
  const symbols = fieldsOf("GetDocumentSymbolsResponse")[0]?.number ?? 0;
  // The response is level 1.
  const nested = (levels: number, inmost: readonly number[]): Uint8Array => {
    let bytes = [...inmost];
    for (let level = levels; level > 2; level--) bytes = field(children, bytes);
    return new Uint8Array(field(symbols, bytes));
  };
  const name = "GetDocumentSymbolsResponse";
  assert(validate(name, nested(100, [])));
  assert(validate(name, nested(99, [0xf8, 0x07, 0x01])));
  assertThrows(() => validate(name, nested(101, [])), ProtoError, "deeper than 100");
  assertThrows(() => validate(name, nested(100, [0xf8, 0x07, 0x01])), ProtoError, "deeper");
  assertThrows(() => validate(name, nested(5_000, [])), ProtoError, "deeper than 100");
});

Deno.test("[design 6c] a payload of few bytes cannot become millions of objects at its receivers", () => {
  const payload = new Uint8Array(2_000_002);
  for (let at = 0; at < payload.length; at += 2) payload[at] = 0x1a;
  assertThrows(() => validate("UpdateBuffer", payload), ProtoError, "More than 1000000");
  assert(validate("UpdateBuffer", payload.subarray(2)));
});

Deno.test("[transport 10.5] fields of either year are valid", () => {
  // UpdateView.Editor: scroll_x was a float under 6, is a double under 8.
  const editor = fieldsOf("UpdateFollowers").find(({ name }) => name === "update_view")?.number ??
    0;
  const variant = fieldsOf("UpdateView").find(({ type }) => type === "UpdateView.Editor")?.number ??
    0;
  const both = hex("35 00000000  41 0000000000000000");
  assert(validate("UpdateFollowers", new Uint8Array(field(editor, field(variant, both)))));
  // LspExtCancelFlycheck of 2025: 2 buffer_id, 3 language_server_id.
  assert(validate("LspExtCancelFlycheck", hex("08 01 10 02 18 03")));
});

Deno.test("[transport 10.5] a message that only clients of 2025 can read is told apart", () => {
  const name = "LanguageServerLog";
  // 3 log_message_type 2, 4 log_trace { message "x" }, 5 message "y"
  assertEquals(validate(name, hex("08 01 10 02 18 02 22 03 0a0178 2a 01 79")), false);
  assertEquals(validate(name, hex("08 01 10 02 2a 01 79")), false);
  // 3 message "y", 4 log { level 1 }; 5 trace { verbose_info "x" }
  assert(validate(name, hex("08 01 10 02 1a 01 79 22 02 0801")));
  assert(validate(name, hex("08 01 10 02 1a 01 79 2a 03 0a0178")));
  // Neither: 3 as a number beside a log with a level.
  assertThrows(() => validate(name, hex("18 02 22 02 0801")), ProtoError);
  assertThrows(() => validate(name, hex("18 02 2a 01 ff")), ProtoError);
});
