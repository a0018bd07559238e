/** A machine that goes from network to network. */
import { assertEquals } from "@std/assert";
import { AddressWatch } from "../../../local/address_watch.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function address(name: string, address: string, scopeid = 0): Deno.NetworkInterfaceInfo {
  const family = address.includes(":") ? "IPv6" : "IPv4";
  const cidr = `${address}/${family === "IPv4" ? 24 : 64}`;
  return {
    name,
    family,
    address,
    cidr,
    scopeid,
    netmask: "",
    mac: "",
  } as Deno.NetworkInterfaceInfo;
}

Deno.test("[local 2b] addresses that come and go are seen, one look after the other", async () => {
  let there = [
    address("lo", "127.0.0.1"),
    address("eth0", "10.0.0.1"),
    address("eth0", "fe80::1", 2),
  ];
  const clock = new FakeClock();
  const looks: boolean[] = [];
  const watch = new AddressWatch({
    clock,
    interfaces: undefined,
    looked: (isChanged) => Promise.resolve(void looks.push(isChanged)),
    read: () => there,
  });
  assertEquals(watch.addresses.map(({ address }) => address), ["10.0.0.1"]);
  watch.start();
  const look = async () => {
    clock.advance(5_000);
    await Promise.resolve();
    await Promise.resolve();
  };
  await look();
  there = [address("lo", "127.0.0.1"), address("wlan0", "10.1.0.1")];
  await look();
  assertEquals(watch.addresses.map(({ address }) => address), ["10.1.0.1"]);
  await look();
  assertEquals(looks, [false, true, false]);
  watch.end();
  await look();
  assertEquals(looks.length, 3);
});

Deno.test("[local 5] only the chosen interfaces count; with none there is nothing to see", () => {
  const read = () => [address("eth0", "10.0.0.1"), address("wlan0", "10.1.0.1")];
  const of = (interfaces: readonly string[]) =>
    new AddressWatch({
      clock: new FakeClock(),
      interfaces,
      looked: () => Promise.resolve(),
      read,
    }).addresses.map(({ name }) => name);
  assertEquals(of(["wlan0"]), ["wlan0"]);
  assertEquals(of([]), []);
});
