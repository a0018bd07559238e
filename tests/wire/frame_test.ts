import { assert, assertEquals } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { constants, zstdCompressSync, zstdDecompressSync, type ZstdOptions } from "node:zlib";
import { decode, encode } from "../../proto/mod.ts";
import { decodeEnvelope } from "../../rpc/decode_envelope.ts";
import { EnvelopeView, walkEnvelope } from "../../rpc/envelope.ts";
import {
  ackFrame,
  forward,
  frameLength,
  frameOf,
  message,
  messageWithTail,
  payloadField,
} from "../../rpc/frame.ts";
import { decompress } from "../../rpc/zstd.ts";
import { compress } from "../../rpc/zstd_compress.ts";
import { assertCarries } from "../support/carries.ts";

const CAP = 64 * 1024 * 1024;
const TAG = 60;
const BLOCK = 131_072;

function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * at) >>> 5);
}

/** Decoded by what we did not write: node's zstd, which stops behind the first frame, and the codec. */
function independent(frame: Uint8Array) {
  return decode("Envelope", new Uint8Array(zstdDecompressSync(frame)));
}

/** Frames of all kinds that hold these bytes: with and without size, checksum and compression. */
function framings(plain: Uint8Array): Uint8Array[] {
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  // The types lack `pledgedSrcSize`.
  const sized: { pledgedSrcSize: number } & ZstdOptions = { pledgedSrcSize: plain.length };
  return [
    compress(plain),
    frameOf(plain).slice(),
    ...[{ params }, sized, { ...sized, params }].map((options) =>
      new Uint8Array(zstdCompressSync(plain, options))
    ),
  ];
}

function plainOf(frames: Uint8Array): number[] {
  return [...decompress(frames, CAP)];
}

const UPDATE = encode("UpdateBuffer", {
  projectId: 5n,
  bufferId: 2n ** 63n + 1n,
  operations: [{ updateSelections: { replicaId: 8 } }],
});

Deno.test("[transport 1.6.2] plain bytes of any size become frames that zstd reads", () => {
  for (
    const size of [0, 1, 255, 256, 257, 65_791, 65_792, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3e6]
  ) {
    const plain = pattern(size);
    const frame = frameOf(plain);
    assertEquals(frame.length, frameLength(size));
    assert(frame.length - size <= 9 + 3 * (1 + size / BLOCK));
    assertEquals(decompress(frame, CAP), plain, `${size} bytes`);
    assertEquals(new Uint8Array(zstdDecompressSync(frame)), plain, `${size} bytes`);
  }
});

Deno.test("[transport 1.6.1] a message is one frame with one envelope", () => {
  const frame = message(3, 9, -1, 0, payloadField(TAG, UPDATE));
  const envelope = independent(frame);
  assertEquals([envelope.id, envelope.respondingTo, envelope.originalSenderId], [3, 9, undefined]);
  assertEquals(envelope.updateBuffer, decode("UpdateBuffer", UPDATE));
});

Deno.test("[transport 1.6.2] a message's payload may span blocks", () => {
  for (const size of [BLOCK - 20, BLOCK - 10, BLOCK, 2 * BLOCK, 400_000]) {
    const payload = pattern(size);
    const frame = message(1, -1, 2, 3, payloadField(TAG, payload));
    assertEquals(new Uint8Array(zstdDecompressSync(frame)), decompress(frame, CAP));
    assertEquals(decodeEnvelope(decompress(frame, CAP)), {
      id: 1,
      originalSenderId: { ownerId: 2, id: 3 },
      tag: TAG,
      payload,
    });
  }
});

Deno.test("[design 1.7a] id is written always, responding_to and the sender with their zeros", () => {
  const none = new Uint8Array(0);
  assertEquals(plainOf(message(0, -1, -1, 0, none)), [0x08, 0]);
  assertEquals(plainOf(message(0, 0, -1, 0, none)), [0x08, 0, 0x10, 0]);
  assertEquals(plainOf(message(0, -1, 0, 0, none)), [0x08, 0, 0x1a, 4, 0x08, 0, 0x10, 0]);
  const sender = [0x1a, 5, 0x08, 1, 0x10, 0x80, 1];
  assertEquals(plainOf(message(200, -1, 1, 128, none)), [0x08, 0xc8, 1, ...sender]);
});

Deno.test("[transport 2.2] header numbers have 32 bits", () => {
  const max = 0xffff_ffff;
  for (const value of [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 2 ** 28, 2 ** 31, max]) {
    const frame = message(value, value, value, value, payloadField(TAG, UPDATE));
    const { id, respondingTo, originalSenderId } = independent(frame);
    assertEquals([id, respondingTo, originalSenderId], [value, value, {
      ownerId: value,
      id: value,
    }]);
    assertEquals(decodeEnvelope(decompress(frame, CAP)).originalSenderId?.id, value);
  }
});

Deno.test("[transport 2.2] an Ack answers a request, the first too", () => {
  const envelope = independent(ackFrame(7, 0));
  assertEquals([envelope.id, envelope.respondingTo], [7, 0]);
  assertEquals(envelope.ack, decode("Ack", new Uint8Array(0)));
});

Deno.test("[transport 2.2] a payload's field has the tag, the length and the bytes", () => {
  assertEquals(payloadField(5, new Uint8Array(0)), Uint8Array.of(0x2a, 0));
  assertEquals(payloadField(10_000, Uint8Array.of(1)), Uint8Array.of(0x82, 0xf1, 0x04, 1, 1));
  assertEquals(payloadField(4, pattern(300)).subarray(0, 3), Uint8Array.of(0x22, 0xac, 0x02));
});

Deno.test("[design 1.7] a forward is the sender's blocks, then one whose header wins, in one frame", () => {
  const plain = encode("Envelope", { id: 77, updateBuffer: decode("UpdateBuffer", UPDATE) });
  for (const original of framings(plain)) {
    const whole = forward(original, 0, -1, 0, 0).slice();
    assertCarries(whole, original);
    const envelope = independent(whole);
    assertEquals(envelope.id, 0);
    assertEquals(envelope.respondingTo, undefined);
    assertEquals(envelope.originalSenderId, { ownerId: 0, id: 0 });
    assertEquals(envelope.updateBuffer, decode("UpdateBuffer", UPDATE));
    assertEquals(decodeEnvelope(decompress(whole, CAP)), {
      id: 0,
      originalSenderId: { ownerId: 0, id: 0 },
      tag: TAG,
      payload: UPDATE,
    });
  }
});

Deno.test("[design 1.7a] a relayed answer gets the asker's request id, zero too", () => {
  const original = compress(encode("Envelope", { id: 9, respondingTo: 31, ack: {} }));
  const envelope = independent(forward(original, 4, 0, -1, 0));
  assertEquals([envelope.id, envelope.respondingTo, envelope.originalSenderId], [4, 0, undefined]);
});

Deno.test("[design 1.7b] a number inside a payload is overridden by the field once more", () => {
  const query = { projectId: 5n, lspRequestId: 3n, getHover: { projectId: 5n, bufferId: 8n } };
  const tag = walkedTag(encode("Envelope", { lspQuery: query }));
  const original = compress(encode("Envelope", { id: 1, lspQuery: query }));
  const override = payloadField(tag, encode("LspQuery", { lspRequestId: 2n ** 60n }));
  const whole = forward(original, 2, -1, 1, 6, override);
  const envelope = independent(whole);
  assertEquals(envelope.lspQuery?.lspRequestId, 2n ** 60n);
  assertEquals(envelope.lspQuery?.projectId, 5n);
  assertEquals(envelope.lspQuery?.getHover?.bufferId, 8n);
  const { payload } = decodeEnvelope(decompress(whole, CAP));
  assertEquals(decode("LspQuery", payload), envelope.lspQuery);
});

function walkedTag(plain: Uint8Array): number {
  const view = new EnvelopeView();
  walkEnvelope(plain, view);
  return view.tag;
}

Deno.test("[design 1.7] forwards of any size and framing are one frame that any decoder reads", () => {
  for (const size of [0, 1, 5, 255, 256, 1000, 5000, BLOCK - 1, BLOCK, BLOCK + 1, 300_000, 3e6]) {
    const payload = payloadField(TAG, pattern(size));
    for (const original of framings(payload)) {
      const whole = forward(original, 2, -1, 1, 6).slice();
      assertCarries(whole, original);
      const plain = new Uint8Array(zstdDecompressSync(whole));
      assertEquals(decompress(whole, CAP), plain);
      assertEquals(plain.subarray(0, payload.length), payload);
    }
  }
});

Deno.test("[design 1.7] what is added to a forward may be larger than a block", () => {
  const original = compress(Uint8Array.of(0x08, 1));
  const extra = payloadField(TAG, pattern(300_000));
  const whole = forward(original, 2, -1, 1, 1, extra);
  assertEquals(new Uint8Array(zstdDecompressSync(whole)), decompress(whole, CAP));
  const decoded = decodeEnvelope(decompress(whole, CAP));
  assertEquals([decoded.id, decoded.payload], [2, pattern(300_000)]);
});

Deno.test("[design 1.8] a payload may end in a cached frame, and is one frame", () => {
  for (const [headLength, tailLength] of [[0, 1], [3, 0], [10, 500], [200_000, 300_000]] as const) {
    const payload = pattern(headLength + tailLength);
    const head = payload.subarray(0, headLength);
    const rest = payload.subarray(headLength);
    for (const tail of framings(rest)) {
      const whole = messageWithTail(6, 0, TAG, head, tail, tailLength);
      const plain = new Uint8Array(zstdDecompressSync(whole));
      assertEquals(decompress(whole, CAP), plain);
      assertEquals(decodeEnvelope(plain), {
        id: 6,
        respondingTo: 0,
        tag: TAG,
        payload,
      });
    }
  }
});

Deno.test("[design 1.7] whatever a walk accepts reaches the receiver as it was authorised", () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const sent = fc.record({
    id: u32,
    payload: fc.uint8Array({ maxLength: 400 }),
    level: fc.constantFrom("raw", "zstd"),
    idLast: fc.boolean(),
  });
  const header = fc.record({ id: u32, owner: u32, sender: u32, answers: fc.option(u32) });
  fc.assert(
    fc.property(sent, header, ({ id, payload, level, idLast }, { answers, ...next }) => {
      const parts = [
        decompress(message(id, -1, -1, 0, new Uint8Array(0)), CAP),
        payloadField(
          TAG,
          payload,
        ),
      ];
      if (idLast) parts.reverse();
      const plain = Uint8Array.from(parts.flatMap((part) => [...part]));
      const view = new EnvelopeView();
      walkEnvelope(plain, view);
      assertEquals([view.id, view.respondingTo, view.tag], [id, -1, TAG]);
      const original = level === "raw" ? frameOf(plain) : compress(plain);
      const whole = forward(original, next.id, answers ?? -1, next.owner, next.sender);
      assertEquals(new Uint8Array(zstdDecompressSync(whole)), decompress(whole, CAP));
      assertEquals(decodeEnvelope(decompress(whole, CAP)), {
        id: next.id,
        ...(answers === null ? {} : { respondingTo: answers }),
        originalSenderId: { ownerId: next.owner, id: next.sender },
        tag: TAG,
        payload,
      });
    }),
    { numRuns: 500 },
  );
});

Deno.test("[design 1.7] what was made before is not touched by what is made later", () => {
  const frames = Array.from({ length: 2000 }, (_, id) => ackFrame(id, id));
  const plains = frames.map((frame) => decompress(compress(decompress(frame, CAP)), CAP));
  for (const [id, frame] of frames.entries()) {
    assertEquals(decodeEnvelope(decompress(frame, CAP)).id, id);
    assertEquals(decodeEnvelope(plains[id] as Uint8Array).respondingTo, id);
  }
});
