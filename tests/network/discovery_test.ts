// deno-lint-ignore-file no-console -- the reason of what is skipped
/** Discovery between machines, with ours and with another implementation on either side. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { FoundServer } from "../../local/mdns/browser.ts";
import { waitUntil } from "../support/wait_until.ts";
import { Avahi, whyNoAvahi } from "./avahi.ts";
import { type Machine, Network, whyNoNetwork } from "./machines.ts";
import { Program } from "./program.ts";

const TYPE = "_zed-collab._tcp";
const noNetwork = await whyNoNetwork();
const noAvahi = noNetwork ?? await whyNoAvahi();
if (noNetwork !== undefined) console.warn(`Skipped between machines: ${noNetwork}`);
else if (noAvahi !== undefined) console.warn(`Skipped with Avahi: ${noAvahi}`);

function advertise(machine: Machine, name: string): Program {
  return new Program(machine, "tests/network/advertise.ts", [name]);
}

function isLast(wanted: readonly string[]): (line: string) => boolean {
  return (line) => {
    const names = (JSON.parse(line) as FoundServer[]).map(({ name }) => name);
    return JSON.stringify(names) === JSON.stringify(wanted);
  };
}

Deno.test({
  name: "[local 2] [local 2a] machines of a network see each other's servers come, be named and go",
  ignore: noNetwork !== undefined,
  fn: async () => {
    await using network = await Network.make(3);
    const [one, two, three] = network.machines as [Machine, Machine, Machine];
    await using browser = new Program(three, "tests/network/browse.ts");
    await using first = advertise(one, "Parley");
    await first.line((line) => line === "Parley");
    const found = JSON.parse(await browser.line(isLast(["Parley"]))) as FoundServer[];
    assertEquals(found[0]?.addresses[0], one.address);
    assertEquals(found[0]?.text.fingerprint, "ab12");
    // The same host name and port all the same.
    await using second = advertise(two, "Parley");
    await second.line((line) => line === "Parley (2)");
    await browser.line(isLast(["Parley", "Parley (2)"]));
    await first.end();
    await second.end();
    await browser.line(isLast([]));
  },
});

Deno.test({
  name: "[local 2d] Avahi on another machine sees the server and its goodbye",
  ignore: noAvahi !== undefined,
  fn: async () => {
    await using network = await Network.make(2);
    const [one, two] = network.machines as [Machine, Machine];
    await using avahi = await Avahi.start(two);
    await using server = advertise(one, "Parley on ship");
    const lines = await waitUntil(async () => {
      const seen = await avahi.browse(TYPE);
      return seen.length > 0 && seen;
    }, { describe: "Avahi to see the server" });
    assertStringIncludes(lines[0] as string, `;ship.local;${one.address};45454;`);
    for (const text of ['"version=1.2.3"', '"fingerprint=ab12"']) {
      assertStringIncludes(lines[0] as string, text);
    }
    await server.end();
    await waitUntil(async () => (await avahi.browse(TYPE)).length === 0, {
      describe: "the goodbye",
    });
  },
});

Deno.test({
  name: "[local 2d] what Avahi publishes is found, and its name is not taken",
  ignore: noAvahi !== undefined,
  fn: async () => {
    await using network = await Network.make(2);
    const [one, two] = network.machines as [Machine, Machine];
    await using browser = new Program(one, "tests/network/browse.ts");
    await using avahi = await Avahi.start(two);
    const published = avahi.command("avahi-publish", [
      ...["-s", "Parley", TYPE, "1234", "version=9", "fingerprint=cd"],
    ]).spawn();
    try {
      const found = JSON.parse(await browser.line((line) => line.includes('"version":"9"')));
      assertEquals(found[0]?.port, 1234);
      await using server = advertise(one, "Parley");
      await server.line((line) => line === "Parley (2)");
    } finally {
      published.kill("SIGTERM");
      await Promise.all([published.status, published.stdout.cancel()]);
    }
  },
});
