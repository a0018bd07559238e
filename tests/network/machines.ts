/**
 * Machines of a small network: namespaces joined by a bridge. The way out that they know of ends at the
 * bridge: what they send there is seen, and goes nowhere.
 */

/** Where machines send what is for nobody of the network. */
export const UPLINK = "10.77.0.254";

/** Runs a program of the system to its end. @throws {Error} with its words when it fails */
async function system(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot run "${program} ${args.join(" ")}": ${reason}`);
  }
}

/** Why no network can be made here; undefined when it can. */
export async function whyNoNetwork(): Promise<string | undefined> {
  try {
    await using _network = await Network.make(1);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A machine of the network. */
export class Machine {
  /** @param namespace its name for `ip netns` */
  constructor(readonly namespace: string, readonly address: string, readonly link: string) {}

  /** Gives it another address, in a network of its own; the one before is gone. */
  async readdress(address: string): Promise<void> {
    const at = ["-n", this.namespace, "addr"];
    await system("ip", ...at, "add", `${address}/24`, "dev", this.link);
    await system("ip", ...at, "del", `${this.address}/24`, "dev", this.link);
  }

  /** A program there. */
  command(
    program: string,
    args: readonly string[],
    options: Deno.CommandOptions = {},
  ): Deno.Command {
    return new Deno.Command("ip", {
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...options,
      args: ["netns", "exec", this.namespace, program, ...args],
    });
  }
}

/** The network; gone at the end. */
export class Network implements AsyncDisposable {
  readonly machines: Machine[] = [];
  readonly #switch: string;

  private constructor(readonly id: string) {
    this.#switch = `pl${id}s`;
  }

  /** Machines with the addresses 10.77.0.1 and so on. @throws {Error} without the right to make it */
  static async make(machines: number): Promise<Network> {
    const network = new Network(crypto.randomUUID().slice(0, 6));
    try {
      await system("ip", "netns", "add", network.#switch);
      const inSwitch = ["-n", network.#switch];
      await system("ip", ...inSwitch, "link", "add", "br0", "type", "bridge");
      await system("ip", ...inSwitch, "addr", "add", `${UPLINK}/24`, "dev", "br0");
      await system("ip", ...inSwitch, "link", "set", "br0", "up");
      for (let i = 1; i <= machines; i++) await network.#add(i);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  async #add(number: number): Promise<void> {
    const namespace = `pl${this.id}m${number}`;
    const machine = new Machine(namespace, `10.77.0.${number}`, "eth0");
    await system("ip", "netns", "add", namespace);
    this.machines.push(machine);
    const cable = `p${this.id}c${number}`;
    const inside = ["-n", namespace];
    await system(
      "ip",
      ...["-n", this.#switch, "link", "add", cable, "type", "veth"],
      ...["peer", "name", machine.link, "netns", namespace],
    );
    await system("ip", "-n", this.#switch, "link", "set", cable, "master", "br0", "up");
    await system("ip", ...inside, "addr", "add", `${machine.address}/24`, "dev", machine.link);
    await system("ip", ...inside, "link", "set", machine.link, "up");
    await system("ip", ...inside, "link", "set", "lo", "up");
    await system("ip", ...inside, "route", "add", "default", "via", UPLINK);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { namespace } of this.machines) await system("ip", "netns", "del", namespace);
    await system("ip", "netns", "del", this.#switch);
  }
}
