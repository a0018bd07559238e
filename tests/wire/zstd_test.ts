import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import {
  constants,
  createZstdCompress,
  zstdCompressSync,
  zstdDecompressSync,
  type ZstdOptions,
} from "node:zlib";
import {
  decodesAlike,
  decompress,
  FrameError,
  type FrameErrorReason,
  MAX_FRAMES,
  zstdMemory,
} from "../../rpc/zstd.ts";
import { compress } from "../../rpc/zstd_compress.ts";
import { FrameShape, walkFrame } from "../../rpc/zstd_walk.ts";
import { frameOf } from "../../rpc/frame.ts";
import { RandomSource } from "../support/random.ts";

const CAP = 64 * 1024 * 1024;
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const SIZES = [0, 1, 13, 150, 255, 256, 1000, 65_535, 65_792, 131_072, 131_073, 400_000, 3_000_000];

interface Block {
  readonly type: number;
  readonly size: number;
  readonly bytes: readonly number[];
}

function raw(...bytes: number[]): Block {
  return { type: 0, size: bytes.length, bytes };
}

function rle(byte: number, size: number): Block {
  return { type: 1, size, bytes: [byte] };
}

/** A frame by hand: descriptor byte, what follows it in the header, blocks, what follows them. */
function handmade(descriptor: number, header: number[], blocks: Block[], tail: number[] = []) {
  const bytes = [...MAGIC, descriptor, ...header];
  for (const [index, { type, size, bytes: content }] of blocks.entries()) {
    const bits = (size << 3) | (type << 1) | (index === blocks.length - 1 ? 1 : 0);
    bytes.push(bits & 255, (bits >> 8) & 255, bits >> 16, ...content);
  }
  return Uint8Array.from([...bytes, ...tail]);
}

/** The window of Zed's frames, 2 MiB, no size declared. */
function zedLike(...blocks: Block[]): Uint8Array {
  return handmade(0, [0x58], blocks);
}

function bytes(length: number, seed = 1): Uint8Array {
  const random = new RandomSource(seed);
  const result = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    result[at] = random.chance(0.5) ? random.int(256) : result[Math.max(0, at - 40)] as number;
  }
  return result;
}

function zstd(plain: Uint8Array, level: number, more: Record<number, number> = {}): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: level, ...more };
  return new Uint8Array(zstdCompressSync(plain, { params }));
}

/** One frame that declares its size: node's zlib may put an empty one behind it. */
function declaring(plain: Uint8Array): Uint8Array {
  // The types lack this option.
  const options: { pledgedSrcSize: number } & ZstdOptions = { pledgedSrcSize: plain.length };
  const made = new Uint8Array(zstdCompressSync(plain, options));
  const shape = new FrameShape();
  walkFrame(made, 0, Infinity, shape);
  return made.subarray(0, shape.end);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function streamed(chunks: readonly Uint8Array[], level = 3): Promise<Uint8Array> {
  const stream = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  const parts: Uint8Array[] = [];
  stream.on("data", (part: Uint8Array) => parts.push(new Uint8Array(part)));
  const ended = new Promise<void>((resolve) => stream.on("end", () => resolve()));
  for (const chunk of chunks) {
    stream.write(chunk);
    await new Promise<void>((resolve) => stream.flush(constants.ZSTD_e_flush, () => resolve()));
  }
  stream.end();
  await ended;
  return concat(...parts);
}

function refuses(message: Uint8Array, reason: FrameErrorReason, limit = CAP): void {
  assertEquals(assertThrows(() => decompress(message, limit), FrameError).reason, reason);
}

Deno.test("[transport 1.6.2] what zstd makes at any level is read, of any size", () => {
  for (const size of SIZES) {
    const plain = bytes(size);
    for (const level of [-7, 1, 4, 19]) {
      assertEquals(decompress(zstd(plain, level), CAP), plain, `${size} bytes, level ${level}`);
    }
    assertEquals(decompress(compress(plain), CAP), plain);
    assertEquals(decompress(declaring(plain), CAP), plain, `${size} bytes, declared`);
  }
});

Deno.test("[transport 1.6.1] what is compressed here is one frame, also where node's zlib makes two", () => {
  const random = new RandomSource(3);
  const noise = Uint8Array.from({ length: 65_535 }, () => random.int(256));
  const made = compress(noise);
  assert(zstd(noise, 1).length > made.length, "node's zlib adds an empty frame");
  assertEquals(new Uint8Array(zstdDecompressSync(made)), noise);
  assert(decodesAlike(made, noise.length));
});

Deno.test("[transport 1.6.2] raw and repeated blocks are read, mixed and alone", () => {
  const plain = Uint8Array.from([1, 2, 3, 7, 7, 7, 7, 9]);
  assertEquals(decompress(zedLike(raw(1, 2, 3), rle(7, 4), raw(9)), CAP), plain);
  assertEquals(decompress(handmade(0x20, [3], [raw(4, 5, 6)]), CAP), Uint8Array.of(4, 5, 6));
  assertEquals(decompress(zedLike(rle(5, 131_072)), CAP), new Uint8Array(131_072).fill(5));
  assertEquals(decompress(zedLike(raw()), CAP), new Uint8Array(0));
});

Deno.test("[transport 1.6.2] one raw block is a view into the message", () => {
  const message = zedLike(raw(1, 2, 3));
  assertEquals(decompress(message, CAP).buffer, message.buffer);
});

Deno.test("[transport 1.6.3] frames like Zed's, without size and with a window, are read", async () => {
  const parts = [bytes(300, 1), bytes(20_000, 2), bytes(150_000, 3), bytes(5, 4)];
  const message = await streamed(parts);
  assertEquals([...message.subarray(0, 6)], [...MAGIC, 0, 0x58]);
  assertEquals(decompress(message, CAP), concat(...parts));
});

Deno.test("[transport 1.6.2, 1.6.3] windows of every level are read, whatever the content's limit, larger ones are not", async () => {
  const window = (descriptor: number) => handmade(0, [descriptor], [raw(1)]);
  for (const log of [10, 13, 23, 27]) {
    const message = window((log - 10) << 3);
    assertEquals(decompress(message, 4096), Uint8Array.of(1));
    assertEquals(decodesAlike(message, 1), log <= 23, `2^${log}`);
  }
  refuses(window((17 << 3) | 1), "too-large");
  refuses(window(255), "too-large");
  const parts = [bytes(300, 1), bytes(20_000, 2)];
  const highest = await streamed(parts, 22);
  assertEquals([...highest.subarray(4, 6)], [0, 17 << 3]);
  assertEquals(decompress(highest, CAP), concat(...parts));
});

Deno.test("[transport 1.6.4] frames one behind the other are joined, with and without sizes", () => {
  const makers = [
    (p: Uint8Array) => zstd(p, 4),
    declaring,
    frameOf,
    (p: Uint8Array) => zstd(p, 19),
  ];
  for (const first of makers) {
    for (const second of makers) {
      const [one, two] = [bytes(700, 8), bytes(300_000, 9)];
      const three = Uint8Array.of(8, 0);
      const message = concat(first(one), second(two), frameOf(three));
      assertEquals(decompress(message, CAP), concat(one, two, three));
    }
  }
});

Deno.test("[transport 1.6.4] an empty message is refused", () =>
  refuses(new Uint8Array(0), "empty"));

Deno.test("[transport 1.6.4] what is cut off anywhere is refused", () => {
  const checked = zstd(bytes(500), 4, { [constants.ZSTD_c_checksumFlag]: 1 });
  for (const message of [zstd(bytes(500), 4), zedLike(raw(1, 2), rle(3, 9)), checked]) {
    for (let length = 1; length < message.length; length++) {
      refuses(message.subarray(0, length), "truncated");
    }
  }
});

Deno.test("[transport 1.6.4] what follows the last frame is refused", () => {
  for (const tail of [[0], [0x28], MAGIC.slice(0, 3), [1, 2, 3, 4, 5, 6, 7, 8]]) {
    refuses(concat(zstd(bytes(100), 4), Uint8Array.from(tail)), "trailing");
    refuses(concat(zedLike(raw(1)), Uint8Array.from(tail)), "trailing");
  }
});

Deno.test("[transport 1.6.4] what is no zstd is refused", () => {
  refuses(Uint8Array.of(0), "not-zstd");
  refuses(new TextEncoder().encode("GET / HTTP/1.1"), "not-zstd");
  refuses(Uint8Array.of(0x27, 0xb5, 0x2f, 0xfd, 0, 0x58, 1, 0, 0), "not-zstd");
});

Deno.test("[design 3c] dictionaries are refused", () => {
  for (const flag of [1, 2, 3]) refuses(handmade(flag, [0x58, 1, 0, 0, 0], [raw(1)]), "dictionary");
});

Deno.test("[design 3c] skippable frames are refused, first and later", () => {
  for (const low of [0x50, 0x5a, 0x5f]) {
    const skippable = Uint8Array.of(low, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9);
    refuses(skippable, "skippable");
    refuses(concat(zedLike(raw(1)), skippable), "skippable");
  }
});

Deno.test("[design 3c] reserved bits and block types are refused", () => {
  refuses(handmade(8, [0x58], [raw(1)]), "corrupt");
  refuses(zedLike({ type: 3, size: 1, bytes: [1] }), "corrupt");
});

Deno.test("[design 3c] a block larger than its window or than 128 KiB is refused", () => {
  assertEquals(decompress(handmade(0, [0], [rle(1, 1024)]), CAP).length, 1024);
  refuses(handmade(0, [0], [rle(1, 1025)]), "corrupt");
  refuses(zedLike(rle(1, 131_073)), "corrupt");
  refuses(handmade(0x20, [2], [raw(1, 2, 3)]), "corrupt");
});

Deno.test("[design 3c] a frame that does not have the size that it declares is refused", () => {
  refuses(handmade(0x20, [3], [raw(1, 2)]), "corrupt");
  refuses(handmade(0x80, [0x58, 9, 0, 0, 0], [raw(1, 2)]), "corrupt");
  const frame = zstd(bytes(900), 4);
  for (const size of [899, 901]) {
    const header = Uint8Array.from([...MAGIC, 0x80, 0x58, size & 255, size >> 8, 0, 0]);
    refuses(concat(header, frame.subarray(6)), "corrupt");
  }
});

Deno.test("[design 3c] checksums are verified, since receivers do", () => {
  const good = zstd(bytes(900), 4, { [constants.ZSTD_c_checksumFlag]: 1 });
  assertEquals(decompress(good, CAP), bytes(900));
  const bad = good.slice();
  bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
  refuses(bad, "corrupt");
  refuses(handmade(4, [0x58], [raw(1, 2, 3)], [1, 2, 3, 4]), "corrupt");
});

Deno.test("[design 3c] content above the limit is refused, exactly the limit is not", () => {
  for (const make of [declaring, frameOf, (p: Uint8Array) => zstd(p, 4)]) {
    const plain = bytes(4096);
    assertEquals(decompress(make(plain), 4096), plain);
    refuses(make(plain), "too-large", 4095);
    const halves = concat(make(plain.subarray(0, 2000)), make(plain.subarray(2000)));
    assertEquals(decompress(halves, 4096), plain);
    refuses(halves, "too-large", 4095);
  }
});

Deno.test("[design 3c] a claimed size is refused, or not allocated", () => {
  refuses(handmade(0x80, [0x58, 0, 0, 0, 0x40], [raw(1)]), "too-large");
  refuses(handmade(0xc0, [0x58, 0, 0, 0, 0, 0, 0, 0, 0x80], [raw(1)]), "too-large");
  decompress(zstd(bytes(100), 4), CAP);
  const before = zstdMemory();
  const body = zstd(bytes(500), 4).subarray(6);
  refuses(concat(handmade(0x80, [0x58, 0, 0, 0, 3], []), body), "corrupt");
  assertEquals(zstdMemory(), before);
});

Deno.test("[design 3c] a small message that grows beyond the limit is refused", () => {
  const bomb = zstd(new Uint8Array(100 * 1024 * 1024), 4);
  assert(bomb.length < 20_000);
  decompress(zstd(bytes(100), 4), CAP);
  const before = zstdMemory();
  refuses(bomb, "too-large", 4096);
  assertEquals(zstdMemory(), before);
  refuses(bomb, "too-large");
  refuses(zedLike(...Array.from({ length: 1000 }, () => rle(0, 131_072))), "too-large");
});

Deno.test("[design 3c] the memory of a large message does not stay", () => {
  decompress(zstd(bytes(100), 4), CAP);
  const before = zstdMemory();
  const plain = new Uint8Array(40 * 1024 * 1024);
  assertEquals(decompress(zstd(plain, 1), CAP).length, plain.length);
  assert(zstdMemory() <= before);
  assertEquals(decompress(zstd(bytes(100), 4), CAP), bytes(100));
});

Deno.test("[design 3c] a message of too many frames is refused", () => {
  const frames = (count: number) => concat(...Array.from({ length: count }, () => zedLike(raw(1))));
  assertEquals(decompress(frames(MAX_FRAMES), CAP).length, MAX_FRAMES);
  refuses(frames(MAX_FRAMES + 1), "too-large");
});

Deno.test("[design 1.7] a frame that other decoders read otherwise is not passed on as it is", async () => {
  const secret = new RandomSource(5);
  const noise = Uint8Array.from({ length: 600 }, () => secret.int(256));
  const parts = [noise, new Uint8Array(1000).fill(1), new Uint8Array(1000).fill(2), noise];
  const crafted = await streamed(parts);
  assert(decodesAlike(crafted, decompress(crafted, CAP).length));
  // It refers back by 2,600 bytes; now it says that a decoder needs to keep only 1,024.
  crafted[5] = 0;
  const here = decompress(crafted, CAP);
  const elsewhere = new Uint8Array(zstdDecompressSync(crafted));
  assertEquals(here, concat(...parts));
  assert(elsewhere.some((byte, at) => byte !== here[at]), "the attack works");
  assertEquals(decodesAlike(crafted, here.length), false);
  assertEquals(decodesAlike(concat(frameOf(noise), crafted), here.length + 600), false);
});

Deno.test("[design 1.7] several frames are not passed on as they are: some decoders read the first only", () => {
  const frame = frameOf(bytes(30)).slice();
  assert(decodesAlike(frame, 30));
  assertEquals(decodesAlike(concat(frame, frame), 60), false);
});

Deno.test("[design 1.7] what Zed sends in everyday work may be passed on as it is", () => {
  for (const size of SIZES.filter((size) => size <= 131_072)) {
    const plain = bytes(size);
    for (const message of [compress(plain), declaring(plain), frameOf(plain)]) {
      assert(decodesAlike(message, size), `${size} bytes`);
    }
  }
  assert(decodesAlike(frameOf(bytes(3_000_000)), 3_000_000));
});

Deno.test("[design 3c] no damaged message does more than throw a FrameError", () => {
  const checked = { [constants.ZSTD_c_checksumFlag]: 1 };
  const sources = [
    zstd(bytes(60), 4),
    zstd(bytes(2000), 19),
    zstd(bytes(5000), 4, checked),
    declaring(bytes(40_000)),
    concat(zstd(bytes(300), 4), frameOf(bytes(30))),
    zedLike(raw(1, 2, 3), rle(3, 400)),
  ];
  const damage = fc.record({
    source: fc.constantFrom(...sources),
    changes: fc.array(fc.tuple(fc.nat(1 << 20), fc.nat(255)), { maxLength: 6 }),
    cut: fc.option(fc.nat(1 << 20)),
    limit: fc.constantFrom(0, 4096, CAP),
  });
  fc.assert(
    fc.property(damage, ({ source, changes, cut, limit }) => {
      let message = source.slice();
      for (const [at, value] of changes) message[at % message.length] = value;
      if (cut !== null) message = message.subarray(0, cut % message.length);
      try {
        assert(decompress(message, limit).length <= limit);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
  assertEquals(decompress(zstd(bytes(2000), 4), CAP), bytes(2000));
});

Deno.test("[design 3c] random bytes behind a frame's beginning throw FrameErrors", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
      const message = concat(Uint8Array.from([...MAGIC, 0, 0x58]), tail);
      try {
        decompress(message, 65_536);
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
