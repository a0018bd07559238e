/**
 * The whole of the local mode between two machines: each has a root of its own with nothing in it but
 * the executable and glibc. People's editors are the client library, with the logins that the
 * executable has left in their home folders. [local 6c]
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type Machine, Network } from "../network/machines.ts";
import { PacketWatch } from "../network/packets.ts";
import { Program } from "../network/program.ts";
import { Printing } from "../support/printing.ts";
import { EmptyRoot } from "./empty_root.ts";
import { ended } from "./ended.ts";

/** A root whose names are asked of somebody who is not there: that would be seen. */
async function rootOn(machine: Machine, executable: string): Promise<EmptyRoot> {
  const root = await EmptyRoot.make(executable, machine);
  await Deno.mkdir(`${root.path}/etc`);
  await Deno.writeTextFile(`${root.path}/etc/resolv.conf`, "nameserver 198.51.100.53\n");
  return root;
}

/** Runs a command that has to succeed; what it prints. */
async function run(root: EmptyRoot, args: readonly string[], env = {}): Promise<string> {
  const { code, output, errors } = await ended(root.command(args, env));
  assertEquals(code, 0, `parley ${args.join(" ")}: ${errors}`);
  return output;
}

/** From two machines that know nothing of each other to a device that is thrown out. */
export async function localScenario(executable: string): Promise<void> {
  await using network = await Network.make(2);
  const [ship, desk] = network.machines as [Machine, Machine];
  await using shipRoot = await rootOn(ship, executable);
  await using deskRoot = await rootOn(desk, executable);
  await using packets = await PacketWatch.start([ship, desk]);

  // Without a word it is a server; the other machine finds it.
  await using server = new Printing(shipRoot.command([], { SERVER_NAME: "Ship" }));
  const [, code] = await server.match(/Pairing code +(\S+)/);
  const [, loopback] = await server.match(/This machine +(\S+)/);
  const [, first, second] = await server.match(/Fingerprint +([0-9a-f ]+)│\n│ +([0-9a-f ]+)│/);
  const print = `${first}${second}`.replaceAll(" ", "");
  assertEquals(loopback, "http://127.0.0.1:45454");
  await server.match(/Discovered as +Ship/);
  const [found] = JSON.parse(await run(deskRoot, ["discover", "--json"]));
  assertEquals(
    [found.name, found.url, found.state, found.fingerprint],
    ["Ship", `https://${ship.address}:45454`, "ready", print],
  );

  // Pairing: no code, no entry; with another key nothing is even sent.
  const join = (code: string, fingerprint: string, more: readonly string[] = [], env = {}) =>
    ended(deskRoot.command([
      ...["join", "Ship", "--code", code, "--fingerprint", fingerprint, "--json"],
      ...more,
    ], env));
  const bob = ["--name", "Bob", "--device", "desk"];
  assertEquals((await join("AAAA-AAAA", print, bob)).code, 1);
  const elsewhere = await join(code as string, print.replaceAll("0", "1"), bob);
  assertEquals(elsewhere.code, 1);
  const joined = await join(code as string, print, bob);
  assertEquals(joined.code, 0, joined.errors);
  assertNotEquals((await join(code as string, print, ["--name", "Eve"])).code, 0);
  const { userId: bobId } = JSON.parse(joined.output);

  // Ada works on the server's machine, where a name is enough; her tablet gets a code of its own.
  await using ada = new Program(ship, "tests/executable/local_host.ts", [
    loopback as string,
    `${shipRoot.path}/home/project`,
    `${bobId}`,
  ]);
  const adaId = (await ada.match(/^user (\d+)$/m))[1] as string;
  const adasCode = JSON.parse(await run(shipRoot, ["pair", "ada", "--json"])).code;
  const tablet = { XDG_CONFIG_HOME: "/home/tablet" };
  const more = await join(adasCode, print, ["--device", "tablet"], tablet);
  assertEquals(more.code, 0, more.errors);

  await using watcher = new Program(desk, "tests/executable/local_watcher.ts", [], {
    HOME: `${deskRoot.path}/home`,
    XDG_CONFIG_HOME: `${deskRoot.path}/home/tablet`,
  });
  await using editor = new Program(desk, "tests/executable/local_guest.ts", [adaId], {
    HOME: `${deskRoot.path}/home`,
  });

  // One project, written by both; one thread, seen by both of Ada's devices.
  await editor.line((line) => line === "saved");
  const text = await Deno.readTextFile(`${shipRoot.path}/home/project/a.txt`);
  assertEquals(text.split("\n").sort(), ["", "begun", "from desk", "from ship"]);
  await watcher.line((line) => line === "agent: hello from the ship");

  // Out: at once, and for good.
  const devices = JSON.parse(await run(shipRoot, ["devices", "--json"])) as {
    readonly id: string;
    readonly label: string;
  }[];
  assertEquals(devices.map(({ label }) => label).sort(), ["desk", "ship", "tablet"]);
  const { id } = devices.find(({ label }) => label === "desk")!;
  await run(shipRoot, ["devices", "revoke", id]);
  await editor.line((line) => line === "lost");
  await editor.line((line) => line === "refused");
  assert(!watcher.output.includes("lost") && !ada.output.includes("lost"), "Others stay");

  assertEquals(await shipRoot.end(server), 0);
  assertEquals(server.errors, "");
  assertMatch(await run(deskRoot, ["discover"]), /^No local server is on this network/);
  await packets.assertNothingForeign();
}
