/** From where somebody asks, as far as a proxy tells and may be believed. */
import type { Config } from "../lib/config.ts";

/**
 * The address for counting attempts. Of what proxies wrote, only the last entry is ours to believe:
 * everything before it came with the request.
 */
export function clientAddress(
  headers: Headers,
  peer: string,
  trusted: Config["trustedProxies"],
): string {
  if (!isTrusted(peer, trusted)) return group(peer);
  const last = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim();
  return group(last === undefined || last === "" ? peer : last.slice(0, 64));
}

/** Whether an address, as it is counted or as the network tells it, is the machine itself. */
export function isLoopback(address: string): boolean {
  return /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1|0:0:0:0::\/64)$/.test(address);
}

function isTrusted(peer: string, trusted: Config["trustedProxies"]): boolean {
  if (trusted === "none") return false;
  if (isLoopback(peer)) return true;
  const address = peer.replace(/^::ffff:/, "");
  return trusted === "private" &&
    /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd][0-9a-f]{2}:)/i.test(address);
}

/** One machine has a whole /64 of IPv6 addresses to choose from. */
function group(address: string): string {
  if (!address.includes(":")) return address;
  const plain = address.replace(/^\[|\](?::\d+)?$/g, "").replace(/%.*$/, "").toLowerCase();
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  if (ipv4 !== null) return ipv4[1]!;
  if (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(plain)) return plain.replace(/:\d+$/, "");
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const parts = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return `${parts.slice(0, 4).map((part) => part.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
