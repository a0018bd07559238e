/** Discovery on this machine: real multicast sockets, on the loopback interface. */
import { assert, assertEquals } from "@std/assert";
import { Advertiser } from "../../local/mdns/advertiser.ts";
import { Browser, type FoundServer } from "../../local/mdns/browser.ts";
import type { Service } from "../../local/mdns/service.ts";
import type { LocalAddress } from "../../local/networks.ts";
import { systemClock } from "../../lib/clock.ts";
import { createLog } from "../../lib/log.ts";
import { waitUntil } from "../support/wait_until.ts";

const here: LocalAddress = {
  name: "lo",
  address: "127.0.0.1",
  family: "ipv4",
  network: "127.0.0.1/8",
  scope: undefined,
};

/** Names are of this test run: other runs may share the machine. */
const run = crypto.randomUUID().slice(0, 8);

function service(port: number, more: Partial<Service> = {}): Service {
  return {
    name: `Parley ${run}`,
    host: `ship-${run}.local`,
    port,
    text: { version: "1.2.3", fingerprint: "ab12" },
    ...more,
  };
}

function advertise(port: number, more: Partial<Service> = {}): Promise<Advertiser> {
  return Advertiser.start({
    service: service(port, more),
    addresses: [here],
    clock: systemClock,
    log: createLog(),
  });
}

/** What a browser sees of this run. */
class Sight implements AsyncDisposable {
  servers: readonly FoundServer[] = [];
  readonly #browser = new Browser({
    addresses: [here],
    clock: systemClock,
    changed: (servers) => this.servers = servers.filter(({ name }) => name.includes(run)),
    failed: (error) => {
      throw error;
    },
  });

  async until(names: readonly string[]): Promise<void> {
    await waitUntil(
      () =>
        this.servers.length === names.length && this.servers.every((s, i) => s.name === names[i]),
      { describe: () => `${names} on the network; there are ${JSON.stringify(this.servers)}` },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
  }
}

Deno.test("[local 2] a server is found with its facts, before and after it was asked for, until it says goodbye", async () => {
  await using early = new Sight();
  const advertiser = await advertise(45454);
  await early.until([`Parley ${run}`]);
  await using late = new Sight();
  await late.until([`Parley ${run}`]);
  for (const { servers } of [early, late]) {
    await waitUntil(() => (servers[0]?.addresses.length ?? 0) > 0);
    assertEquals(servers[0], {
      name: `Parley ${run}`,
      host: `ship-${run}.local`,
      port: 45454,
      addresses: ["127.0.0.1"],
      text: { version: "1.2.3", fingerprint: "ab12" },
    });
  }
  await advertiser[Symbol.asyncDispose]();
  await early.until([]);
  await late.until([]);
});

Deno.test("[local 2a] two servers of one name are told apart by a number", async () => {
  await using sight = new Sight();
  await using first = await advertise(1001);
  await using second = await advertise(1002);
  await using third = await advertise(1003);
  assertEquals([first.name, second.name, third.name], [
    `Parley ${run}`,
    `Parley ${run} (2)`,
    `Parley ${run} (3)`,
  ]);
  await sight.until([`Parley ${run}`, `Parley ${run} (2)`, `Parley ${run} (3)`]);
  assertEquals(sight.servers.map(({ port }) => port), [1001, 1002, 1003]);
});

Deno.test("[local 2b] an interface without multicast is told, and no server is kept from starting", async () => {
  await using advertiser = await Advertiser.start({
    service: service(1004),
    // An address that is not of this machine.
    addresses: [{ ...here, address: "192.0.2.77", network: "192.0.2.77/24" }],
    clock: systemClock,
    log: createLog(),
  });
  assert(advertiser.name === undefined);
});

Deno.test("[local 2a] a server that ends before it has found its name leaves nothing behind", async () => {
  const names: (string | undefined)[] = [];
  const advertiser = Advertiser.begin({
    service: service(1005),
    addresses: [here],
    clock: systemClock,
    log: createLog(),
    named: (name) => names.push(name),
  });
  await advertiser[Symbol.asyncDispose]();
  assertEquals(names, []);
});
