/** What machines of a network send, and to whom. */
import { assert, assertEquals } from "@std/assert";
import { Printing } from "../support/printing.ts";
import { type Machine, UPLINK } from "./machines.ts";

const SOURCE = new URL("packets.c", import.meta.url).pathname;
/** Nobody has it: RFC 5737. */
const ELSEWHERE = "198.51.100.77";

/** Between machines of the network, and the multicast of their own link: mDNS, IGMP, neighbours. */
const LOCAL = [
  /^ipv4 \S+ (?:10\.77\.0\.\d+|224\.0\.0\.(?:22|251)|255\.255\.255\.255)$/,
  /^ipv6 \S+ (?:fe80:|ff02:)\S+$/,
  /^arp \S+ 10\.77\.0\.\d+$/,
];

/** Watches the packets of machines, from its start to {@link PacketWatch.foreign}. */
export class PacketWatch implements AsyncDisposable {
  private constructor(
    readonly machines: readonly Machine[],
    readonly watchers: readonly Printing[],
  ) {}

  /** @throws {Error} without a C compiler */
  static async start(machines: readonly Machine[]): Promise<PacketWatch> {
    const program = await Deno.makeTempFile({ prefix: "parley-packets-" });
    const { success, stderr } = await new Deno.Command("cc", {
      args: ["-O1", "-Wall", "-Wextra", "-o", program, SOURCE],
      stdin: "null",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const watchers = machines.map((machine) =>
      new Printing(machine.command(program, [machine.link]))
    );
    for (const watcher of watchers) await watcher.line((line) => line === "watching");
    await Deno.remove(program);
    return new PacketWatch(machines, watchers);
  }

  /** Fails if any packet went to somebody who is not of the network. */
  async assertNothingForeign(): Promise<void> {
    for (const [index, machine] of this.machines.entries()) {
      const watcher = this.watchers[index] as Printing;
      // The machines have a way out, so that whoever tried would have been seen, as this is.
      await machine.command("bash", ["-c", `echo >/dev/udp/${ELSEWHERE}/9`]).output();
      await watcher.line((line) => line === `ipv4 ${machine.address} ${ELSEWHERE}`);
      const lines = watcher.output.trim().split("\n").slice(1);
      assert(
        lines.some((line) => line.startsWith(`ipv4 ${machine.address} 10.77.0.`)),
        "no traffic",
      );
      assertEquals(
        lines.filter((line) =>
          !line.endsWith(` ${ELSEWHERE}`) && !LOCAL.some((known) => known.test(line))
        ),
        [],
      );
      assert(!lines.some((line) => line.startsWith("ipv4") && line.endsWith(` ${UPLINK}`)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watcher of this.watchers) await watcher[Symbol.asyncDispose]();
  }
}
