/** A local server as DNS records. [local 2] [seeds DI-02] */
import type { Answer } from "./multicast_dns.d.ts";

/** The type of service that local servers are found under. */
export const SERVICE_TYPE = "_zed-collab._tcp.local";
/** What lists all types of services on a network: RFC 6763, section 9. */
export const SERVICE_TYPES = "_services._dns-sd._udp.local";

/** Seconds that others may remember a record: RFC 6762, section 10. */
const HOST_TTL = 120;
const OTHER_TTL = 4500;

/** A server that is advertised. */
export interface Service {
  /** What people see, such as `Parley on ship`; at most 63 bytes. */
  readonly name: string;
  /** Host name with `.local`. */
  readonly host: string;
  readonly port: number;
  /** Key and value pairs of the TXT record, keys in lower case; `id` is of this server only. */
  readonly text: Readonly<Record<string, string>>;
}

/** The full name of an instance; dots within its label are escaped by no one here: DNS-SD names are raw. */
export function instanceName(name: string): string {
  return `${name}.${SERVICE_TYPE}`;
}

/** A name with a number, as the second one of that name gets it; at most 63 bytes. */
export function numberedName(name: string, number: number): string {
  if (number <= 1) return cut(name, 63);
  const suffix = ` (${number})`;
  return cut(name, 63 - suffix.length) + suffix;
}

function cut(text: string, bytes: number): string {
  let out = "";
  let length = 0;
  for (const character of text) {
    length += new TextEncoder().encode(character).length;
    if (length > bytes) break;
    out += character;
  }
  return out;
}

/** The records of a service on an interface with those addresses; with `ttl` 0 they say goodbye. */
export function recordsOf(
  service: Service,
  addresses: readonly string[],
  ttl?: number,
): { readonly answers: Answer[]; readonly additionals: Answer[] } {
  const name = instanceName(service.name);
  const { host, port, text } = service;
  const other = ttl ?? OTHER_TTL;
  const own = ttl ?? HOST_TTL;
  return {
    answers: [{ name: SERVICE_TYPE, type: "PTR", ttl: other, data: name }],
    additionals: [
      { name, type: "SRV", ttl: own, flush: true, data: { target: host, port } },
      {
        name,
        type: "TXT",
        ttl: other,
        flush: true,
        data: Object.entries(text).map(([key, value]) => `${key}=${value}`),
      },
      // Other programs of this machine may tell of its addresses too: nothing of theirs is flushed,
      // and a goodbye is not theirs.
      ...(ttl === 0 ? [] : addresses.map((address): Answer => ({
        name: host,
        type: address.includes(":") ? "AAAA" : "A",
        ttl: own,
        data: address,
      }))),
    ],
  };
}

/** The pairs of a TXT record. */
export function readText(data: readonly (string | Uint8Array)[]): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (const item of data) {
    const text = typeof item === "string" ? item : new TextDecoder().decode(item);
    const at = text.indexOf("=");
    // The first of a key counts: RFC 6763, section 6.4.
    const key = (at < 0 ? text : text.slice(0, at)).toLowerCase();
    if (key !== "" && !(key in pairs)) pairs[key] = at < 0 ? "" : text.slice(at + 1);
  }
  return pairs;
}
