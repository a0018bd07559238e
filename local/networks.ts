/** Addresses of this machine and of those that may come. [local 5] */
import { BlockList, isIP } from "node:net";
import { parseNetwork } from "../lib/network.ts";

/** An address of an interface of this machine. */
export interface LocalAddress {
  /** Name of the interface, such as `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** Its network, such as `192.168.1.7/24`. */
  readonly network: string;
  /** Only for IPv6 link-local addresses: the interface's number. */
  readonly scope: number | undefined;
}

/** As Deno tells it. */
type Interface = Pick<
  Deno.NetworkInterfaceInfo,
  "name" | "family" | "address" | "scopeid" | "cidr"
>;

/** Whether an address is of this machine only. */
export function isLoopback(address: string): boolean {
  return loopback.has(address);
}

/** Addresses of the named interfaces, of all of them without names; loopback is not among them. */
export function localAddresses(
  names: readonly string[] = [],
  interfaces: readonly Interface[] = Deno.networkInterfaces(),
): readonly LocalAddress[] {
  return interfaces
    .filter(({ address, name }) =>
      !isLoopback(address) && (names.length === 0 || names.includes(name))
    )
    .map(({ name, address, family, scopeid, cidr }) => ({
      name,
      address,
      family: family === "IPv4" ? "ipv4" : "ipv6",
      network: cidr,
      scope: family === "IPv6" && scopeid !== null && scopeid !== 0 ? scopeid : undefined,
    }));
}

/** A set of networks. */
export class NetworkList {
  readonly #list = new BlockList();

  /** @throws {TypeError} a text is neither an address nor a network such as `10.0.0.0/8` */
  constructor(networks: readonly string[]) {
    for (const network of networks) this.#add(network);
  }

  /** Whether an address, as a socket tells it, is in one of them. */
  has(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? "ipv4" : "ipv6");
  }

  #add(network: string): void {
    const parsed = parseNetwork(network);
    if (parsed === undefined) {
      throw new TypeError(`"${network}" is no network: give one as 192.168.1.0/24 or fd00::/8`);
    }
    this.#list.addSubnet(parsed.address, parsed.prefix, parsed.family);
  }
}

/** Without the scope of a link-local address, and IPv4 as such where a socket serves both. */
function plainAddress(address: string): string {
  const unscoped = address.replace(/%.*$/, "");
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(unscoped) ? unscoped.slice(7) : unscoped;
}

const loopback = new NetworkList(["127.0.0.0/8", "::1"]);
