// deno-lint-ignore-file no-console -- the reason of what is skipped
/** The local mode as other machines of the network see it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LocalShell } from "../support/local_shell.ts";
import { Printing } from "../support/printing.ts";
import { waitUntil } from "../support/wait_until.ts";
import { ask, type Listed, LocalShip, on, output } from "./local_ship.ts";
import { type Machine, Network, whyNoNetwork } from "./machines.ts";
import { PacketWatch } from "./packets.ts";
import { Program } from "./program.ts";

const ignore = await whyNoNetwork();
if (ignore !== undefined) console.warn(`Skipped between machines: ${ignore}`);

function test(name: string, fn: (...machines: readonly Machine[]) => Promise<void>): void {
  Deno.test({
    name,
    ignore: ignore !== undefined,
    fn: async () => {
      await using network = await Network.make(2);
      await fn(...network.machines);
    },
  });
}

const body = { name: "Bob", device: "desk" };

test(
  "[local 1b] [local 3d] [local 4a] [local 5a] from another machine: TLS that is pinned, never without a code; and nothing goes elsewhere",
  async (one, two) => {
    await using packets = await PacketWatch.start([one!, two!]);
    await using ship = await LocalShip.start(one!);
    const { url, fingerprint: pin } = ship;
    const pair = (more: object) =>
      ask(two!, { url: `${url}/local/pair`, pin, body: { ...body, ...more } });
    assertStringIncludes((await ask(two!, { url })).text, "certificate");
    const wrong = await ask(two!, { url, pin: pin.replaceAll("0", "1") });
    assertStringIncludes(wrong.text, "its key is another than at pairing");
    assertEquals((await pair({})).status, 401);
    const page = await ask(two!, { url: `${url}/pair`, pin });
    assertStringIncludes(page.text, 'name="code"');
    const used = ship.code;
    assertEquals((await pair({ code: used })).status, 200);
    assertEquals((await pair({ code: used, name: "Eve" })).status, 401);
    // Loopback's plain HTTP is for its own machine.
    assertEquals((await ask(two!, { url: `http://${one!.address}:45454/healthz` })).status, 0);
    await packets.assertNothingForeign();
  },
);

test(
  "[local 5] names of the web and machines of other networks are turned away",
  async (one, two) => {
    await using ship = await LocalShip.start(one!, "--allow-networks", "10.77.0.1,192.168.0.0/16");
    const { url, fingerprint: pin } = ship;
    assertEquals((await ask(two!, { url: `${url}/healthz`, pin })).status, 403);
    assertEquals((await ask(one!, { url: `${url}/healthz`, pin })).status, 200);
    const loopback = "http://127.0.0.1:45454/healthz";
    assertEquals((await ask(one!, { url: loopback })).status, 200);
    assertEquals(
      (await ask(one!, { url: loopback, headers: { host: "evil.example" } })).status,
      421,
    );
  },
);

test(
  "[local 3d] pairing that is switched off is warned of at every start, and discovered",
  async (one, two) => {
    await using ship = await LocalShip.start(one!, "--insecure-no-pairing");
    await ship.server.matchErrors(/WARNING: pairing is switched off/);
    assert(!ship.server.output.includes("Pairing code"));
    const { url, fingerprint: pin } = ship;
    assertEquals((await ask(two!, { url: `${url}/local/pair`, pin, body })).status, 200);
  },
);

test(
  "[local 2c] discover lists servers with their state, as text and JSON, and watches",
  async (one, two) => {
    await using shell = await LocalShell.open();
    assertEquals(
      await output(on(two!, shell, ["discover"])),
      "No local server is on this network\n",
    );
    await using watch = new Printing(on(two!, shell, ["discover", "--watch", "--json"]));
    const ship = await LocalShip.start(one!, "--name", "Ship");
    const { url, fingerprint } = ship;
    try {
      const seen = (line: string, is: (servers: readonly Listed[]) => boolean) =>
        line.startsWith("[") && is(JSON.parse(line));
      await watch.line((line) => seen(line, ([server]) => server?.state === "ready"));
      const [server] = JSON.parse(
        await output(on(two!, shell, ["discover", "--json"])),
      ) as Listed[];
      assertEquals([server?.name, server?.url, server?.fingerprint, server?.pairing], [
        "Ship",
        url,
        fingerprint,
        "code",
      ]);
      assertMatch(
        await output(on(two!, shell, ["discover"])),
        new RegExp(`^Ship  ${url}  ready  \\d+\\.\\d+\\.\\d+\n$`),
      );
      assertEquals(await ship.server.end(), 0);
      // Its goodbye.
      await waitUntil(() => watch.output.trim().endsWith("[]"), {
        describe: () => `the goodbye: ${watch.output}`,
      });
    } finally {
      await ship[Symbol.asyncDispose]();
    }
  },
);

test(
  "[local 2c] states: one that turns this machine away, one that is announced and not there, one that is not announced",
  async (one, two) => {
    await using shell = await LocalShell.open();
    const listed = async () =>
      JSON.parse(await output(on(two!, shell, ["discover", "--json"]))) as Listed[];
    {
      await using quiet = await LocalShip.start(one!, "--mdns-enabled", "false");
      assert(!quiet.server.output.includes("Discovered as"));
      assertEquals(await listed(), []);
    }
    {
      await using _ship = await LocalShip.start(one!, "--allow-networks", "10.77.0.1");
      await waitUntil(async () => (await listed())[0]?.state === "not ready");
    }
    await using ghost = new Program(one!, "tests/network/advertise.ts", ["Ghost"]);
    await ghost.line((line) => line === "Ghost");
    const found = (await listed()).find(({ name }) => name === "Ghost");
    assertEquals(found?.state, "unreachable");
  },
);

test("[local 4b] who trusts the authority that trust makes needs no pin", async (one, two) => {
  await using ship = await LocalShip.start(one!);
  const ca = [await ship.run("trust", "--print")];
  const help = await ship.run("trust");
  for (const system of ["Debian", "Fedora", "Arch", "macOS", "Windows"]) {
    assertStringIncludes(help, system);
  }
  const { url, fingerprint: pin } = ship;
  assertEquals((await ask(two!, { url: `${url}/healthz`, ca })).status, 0);
  await ship.server.end();
  await using again = new Printing(on(one!, ship.shell, ["serve-local"]));
  await again.match(/Zed's settings/);
  assertEquals((await ask(two!, { url: `${url}/healthz`, ca })).status, 200);
  // Who has pinned the server before stays content.
  assertEquals((await ask(two!, { url: `${url}/healthz`, pin })).status, 200);
  assertEquals((await ask(two!, { url: `${url}/healthz` })).status, 0);
});

test(
  "[local 2b] [local 4] [local 5] a machine that goes to another network takes its server along",
  async (one, two) => {
    await using shell = await LocalShell.open();
    await using ship = await LocalShip.start(one!, "--interfaces", "eth0");
    const { fingerprint: pin } = ship;
    assertEquals((await ask(two!, { url: `${ship.url}/healthz`, pin })).status, 200);
    await one!.readdress("10.78.0.1");
    await two!.readdress("10.78.0.2");
    await ship.server.match(/Network +https:\/\/\S+\n? *│\n│ +https:\/\/10\.78\.0\.1:45454/);
    const url = "https://10.78.0.1:45454";
    assertEquals((await ask(two!, { url: `${url}/healthz`, pin })).status, 200);
    const listed = await waitUntil(async () => {
      const found = JSON.parse(await output(on(two!, shell, ["discover", "--json"]))) as Listed[];
      return found[0]?.state === "ready" ? found[0] : undefined;
    });
    assertEquals(listed.url, url);
  },
);

test("[local 4] a server that runs for years renews its certificate in time, with the same key", async (one) => {
  await using shell = await LocalShell.open();
  await using years = new Program(one!, "tests/network/renewal.ts", [
    `${shell.home}/data`,
    one!.address,
  ]);
  await years.line((line) => line === "end");
  const days = [...years.output.matchAll(/^days (.+)$/gm)].map(([, text]) => Number(text));
  for (const left of days) assert(left > 823 && left < 825, years.output);
  assertEquals(days.length, 2);
  for (const fact of ["the key has stayed", "named"]) assertStringIncludes(years.output, fact);
});
