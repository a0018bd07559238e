import { assertEquals, assertNotEquals } from "@std/assert";
import { crc32, inflateSync } from "node:zlib";
import { avatarPng } from "../../../http/avatar.ts";

/** Chunks of a PNG by their type; their checksums are checked. */
function chunksOf(png: Uint8Array): Map<string, Uint8Array> {
  assertEquals([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 13, 10, 0x1a, 10]);
  const numbers = new DataView(png.buffer, png.byteOffset);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < png.length;) {
    const length = numbers.getUint32(at);
    const type = new TextDecoder().decode(png.subarray(at + 4, at + 8));
    assertEquals(numbers.getUint32(at + 8 + length), crc32(png.subarray(at + 4, at + 8 + length)));
    chunks.set(type, png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return chunks;
}

Deno.test("[channels 2.2] a picture is a whole PNG of 32 by 32 pixels in one colour", () => {
  const chunks = chunksOf(avatarPng(7));
  assertEquals([...chunks.keys()], ["IHDR", "PLTE", "IDAT", "IEND"]);
  const header = chunks.get("IHDR") as Uint8Array<ArrayBuffer>;
  const size = new DataView(header.buffer, header.byteOffset);
  assertEquals([size.getUint32(0), size.getUint32(4), header[8], header[9]], [32, 32, 8, 3]);
  assertEquals(chunks.get("PLTE")?.length, 3);
  const rows = inflateSync(chunks.get("IDAT") as Uint8Array);
  assertEquals(rows.length, 33 * 32);
  assertEquals(rows.every((byte) => byte === 0), true);
});

Deno.test("[channels 2.2] a user keeps the colour, neighbours have others", () => {
  const colours = new Set<string>();
  for (let id = 1; id <= 50; id++) {
    const colour = chunksOf(avatarPng(id)).get("PLTE")?.toHex() ?? "";
    assertEquals(chunksOf(avatarPng(id)).get("PLTE")?.toHex(), colour);
    colours.add(colour);
  }
  assertEquals(colours.size > 45, true);
  assertNotEquals(avatarPng(1), avatarPng(2));
  avatarPng(2_147_483_647);
});
