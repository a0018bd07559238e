/** Networks as people write them. */
import { isIP } from "node:net";

/** Addresses that begin with the same bits. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

/** Reads `192.168.1.0/24`, or a single address; undefined for what is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", bits, ...more] = text.split("/");
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (version === 0 || more.length > 0 || !(prefix >= 0 && prefix <= most)) return undefined;
  return { address, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}
