/** A picture for every account: a coloured square, the same for the same user. */
import { crc32, deflateSync } from "node:zlib";

/** Pixels of one side. */
const SIDE = 32;

/** A PNG whose colour follows from the user's id. */
export function avatarPng(userId: number): Uint8Array<ArrayBuffer> {
  const hue = (userId * 137.508) % 360;
  const [red, green, blue] = [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (0.5 - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  }) as [number, number, number];
  const header = new Uint8Array([0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 3, 0, 0, 0]);
  const rows = new Uint8Array((SIDE + 1) * SIDE);
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", new Uint8Array([red, green, blue])),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const png = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(12 + data.length);
  const numbers = new DataView(whole.buffer);
  numbers.setUint32(0, data.length);
  whole.set(new TextEncoder().encode(type), 4);
  whole.set(data, 8);
  numbers.setUint32(8 + data.length, crc32(whole.subarray(4, 8 + data.length)));
  return whole;
}
