import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { decode, encode } from "../../../proto/mod.ts";
import { concatBytes, FieldError, FieldReader, lengthDelimited } from "../../../rpc/fields.ts";
import { printedRandom } from "../../support/random.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

/** Number and wire type of each field, with its bytes. */
function fieldsOf(bytes: Uint8Array, start?: number, end?: number): [number, number, string][] {
  const reader = new FieldReader(bytes, start, end);
  const fields: [number, number, string][] = [];
  while (reader.next()) fields.push([reader.number, reader.wireType, reader.view().toHex()]);
  return fields;
}

Deno.test("[projects 1.8] fields are read without being decoded, of every wire type", () => {
  assertEquals(fieldsOf(hex("08 ac02  11 0102030405060708  1a 02 6162  25 01020304  1a 00")), [
    [1, 0, "ac02"],
    [2, 1, "0102030405060708"],
    [3, 2, "6162"],
    [4, 5, "01020304"],
    [3, 2, ""],
  ]);
  assertEquals(fieldsOf(new Uint8Array(0)), []);
});

Deno.test("[projects 1.8] a field's place is told with its tag and without", () => {
  const bytes = hex("08 01 f20f 03 616263");
  const reader = new FieldReader(bytes);
  assert(reader.next());
  assert(reader.next());
  assertEquals([reader.number, reader.fieldStart, reader.start, reader.end], [254, 2, 5, 8]);
  assertEquals(reader.text(), "abc");
  assertEquals(reader.next(), false);
});

Deno.test("[projects 1.8] a part of a buffer is read to its own end", () => {
  assertEquals(fieldsOf(hex("ff 08 05 10 06 ff"), 1, 5), [[1, 0, "05"], [2, 0, "06"]]);
  assertThrows(() => fieldsOf(hex("1a 04 61626364"), 0, 5), FieldError);
});

Deno.test("[projects 1.7] numbers keep all 64 bits", () => {
  const numbers = [
    0n,
    1n,
    127n,
    128n,
    2n ** 28n - 1n,
    2n ** 28n,
    2n ** 53n + 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ];
  for (const id of numbers) {
    const reader = new FieldReader(
      new Uint8Array([
        ...encode("PeerId", { id: 1 }),
        ...encode("GitInit", {
          projectId: id,
        }),
      ]),
    );
    assert(reader.next());
    assertEquals(reader.bigint(), 1n);
    assertEquals(reader.next(), id !== 0n);
    if (id !== 0n) assertEquals(reader.bigint(), id);
  }
  const random = printedRandom("numbers of 64 bits");
  for (let round = 0; round < 200; round++) {
    const projectId = random.uint64() >> BigInt(random.int(64)) | 1n;
    const reader = new FieldReader(encode("GitInit", { projectId }));
    reader.next();
    assertEquals(reader.bigint(), projectId);
  }
});

for (
  const [what, bytes] of [
    ["a tag that is cut off", "80"],
    ["a tag of more than 32 bits", "8080808080 01"],
    ["a number that is cut off", "08 80"],
    ["a number of more than ten bytes", "08 ffffffffffffffffffff 01"],
    ["a length beyond the end", "1a 05 61"],
    ["a length of four gigabytes", "1a ffffffff0f 61"],
    ["fixed bits that are cut off", "11 0102"],
    ["field number 0", "00 01"],
    ["a group", "0b 0c"],
    ["wire type 7", "0f"],
  ] as const
) {
  Deno.test(`[transport 1.6.5] fields are refused with a FieldError: ${what}`, () => {
    assertThrows(() => fieldsOf(hex(bytes)), FieldError);
  });
}

Deno.test("[transport 1.6.5] random bytes are read to their end or refused with a FieldError", () => {
  const random = printedRandom("random fields");
  for (let round = 0; round < 3_000; round++) {
    const bytes = random.bytes(random.int(24));
    try {
      let end = 0;
      const reader = new FieldReader(bytes);
      while (reader.next()) {
        assertEquals(reader.fieldStart, end);
        assert(reader.start > reader.fieldStart && reader.end >= reader.start);
        end = reader.end;
      }
      assertEquals(end, bytes.length);
    } catch (error) {
      assertInstanceOf(error, FieldError);
    }
  }
});

Deno.test("[projects 1.8] a length-delimited field is what the codec writes, of any length", () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
    const rootName = "x".repeat(length);
    const field = lengthDelimited(3, new TextEncoder().encode(rootName));
    assertEquals(decode("UpdateWorktree", field).rootName, rootName);
    if (length > 0) assertEquals(field, encode("UpdateWorktree", { rootName }));
  }
  assertEquals(lengthDelimited(461, hex("01")), hex("ea1c 01 01"));
});

Deno.test("[projects 1.8] parts are put one behind the other", () => {
  assertEquals(concatBytes([]), new Uint8Array(0));
  const parts = [
    encode("UpdateWorktree", { projectId: 7n }),
    new Uint8Array(0),
    lengthDelimited(3, hex("61")),
  ];
  const { projectId, rootName } = decode("UpdateWorktree", concatBytes(parts));
  assertEquals([projectId, rootName], [7n, "a"]);
});
