import { assertEquals, assertThrows } from "@std/assert";
import {
  encodeFrame,
  FrameReader,
  Opcode,
  WebSocketError,
} from "../../../client/web_socket_frames.ts";

interface Seen {
  readonly kind: string;
  readonly bytes?: number[];
}

function reader(): { reader: FrameReader; seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    reader: new FrameReader({
      message: (bytes, isBinary) =>
        void seen.push({ kind: isBinary ? "binary" : "text", bytes: [...bytes] }),
      ping: (payload) => void seen.push({ kind: "ping", bytes: [...payload] }),
      close: () => void seen.push({ kind: "close" }),
    }),
  };
}

/** A frame as a server sends it. */
function serverFrame(first: number, payload: readonly number[]): number[] {
  const { length } = payload;
  const head = length < 126
    ? [length]
    : length < 0x10000
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
  return [first, ...head, ...payload];
}

Deno.test("[transport 1.6.11] frames of the client are masked, with keys that differ", () => {
  for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 65_535, 65_536, 70_001]) {
    const payload = Uint8Array.from({ length }, (_, index) => index * 7);
    const frame = encodeFrame(Opcode.Binary, payload);
    const head = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
    assertEquals([frame[0], frame[1]! & 0x80], [0x82, 0x80]);
    const size = head === 2 ? frame[1]! & 0x7f : Number(`0x${frame.subarray(2, head).toHex()}`);
    assertEquals([size, frame.length], [length, head + 4 + length]);
    const mask = frame.subarray(head, head + 4);
    assertEquals(frame.slice(head + 4).map((byte, at) => byte ^ mask[at & 3]!), payload);
    assertEquals(
      length < 4 || encodeFrame(Opcode.Binary, payload).some((b, at) => b !== frame[at]),
      true,
    );
  }
});

Deno.test("[transport 1.6.10] messages come out whole, however they are cut", () => {
  const long = Array.from({ length: 70_000 }, (_, index) => index & 255);
  const middle = Array.from({ length: 300 }, (_, index) => index & 255);
  const bytes = new Uint8Array([
    ...serverFrame(0x82, [1, 2, 3]),
    ...serverFrame(0x82, []),
    ...serverFrame(0x02, [4]),
    ...serverFrame(0x89, [9, 9]),
    ...serverFrame(0x00, middle),
    ...serverFrame(0x8a, [7]),
    ...serverFrame(0x80, [5]),
    ...serverFrame(0x81, [65]),
    ...serverFrame(0x82, long),
    ...serverFrame(0x88, [3, 0xe8]),
  ]);
  const expected: Seen[] = [
    { kind: "binary", bytes: [1, 2, 3] },
    { kind: "binary", bytes: [] },
    { kind: "ping", bytes: [9, 9] },
    { kind: "binary", bytes: [4, ...middle, 5] },
    { kind: "text", bytes: [65] },
    { kind: "binary", bytes: long },
    { kind: "close" },
  ];
  for (const size of [1, 2, 3, 7, 100, 4096, bytes.length]) {
    const { reader: frames, seen } = reader();
    for (let at = 0; at < bytes.length; at += size) frames.feed(bytes.subarray(at, at + size));
    assertEquals(seen, expected);
  }
});

Deno.test("[transport 1.2.3] frames that no server may send are refused", () => {
  const cases: [string, number[]][] = [
    ["uses an extension", [0xc2, 0]],
    ["is masked", [0x82, 0x80, 0, 0, 0, 0]],
    ["opcode 0 is out of place", [0x80, 0]],
    ["opcode 3 is out of place", [0x83, 0]],
    ["opcode 2 is out of place", [0x02, 0, 0x82, 0]],
    ["opcode 9 is malformed", [0x09, 0]],
    ["opcode 11 is malformed", [0x8b, 0]],
    ["opcode 9 is malformed", serverFrame(0x89, new Array(126).fill(0))],
    ["more than 67108864 bytes", [0x82, 127, 0, 0, 0, 0, 4, 0, 0, 1]],
    ["more than 67108864 bytes", [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255]],
  ];
  for (const [problem, bytes] of cases) {
    assertThrows(() => reader().reader.feed(new Uint8Array(bytes)), WebSocketError, problem);
  }
});
