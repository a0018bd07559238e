import { assertEquals, assertThrows } from "@std/assert";
import { isLoopback, localAddresses, NetworkList } from "../../../local/networks.ts";

Deno.test("[local 5] a list of networks has what is in one of them, however it is written", () => {
  const list = new NetworkList(["192.168.1.7/24", "10.0.0.1", "fd00::/8"]);
  for (const there of ["192.168.1.200", "10.0.0.1", "fd12::1", "::ffff:192.168.1.9"]) {
    assertEquals(list.has(there), true, there);
  }
  for (
    const other of ["192.168.2.1", "10.0.0.2", "fe80::1%eth0", "", "no address", "::ffff:8.8.8.8"]
  ) {
    assertEquals(list.has(other), false, other);
  }
  assertEquals(new NetworkList(["fe80::/10"]).has("fe80::1%eth0"), true);
});

Deno.test("[local 5] what is no network is refused", () => {
  for (
    const text of ["", "lan", "10.0.0.0/33", "fd00::/129", "10.0.0.0/8/8", "10.0.0.0/x", "10/8"]
  ) {
    assertThrows(() => new NetworkList([text]), TypeError, "is no network", text);
  }
});

Deno.test("[local 5] loopback is of this machine only", () => {
  for (const own of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(isLoopback(own), true, own);
  }
  for (const other of ["128.0.0.1", "::2", "localhost", ""]) assertEquals(isLoopback(other), false);
});

Deno.test("[local 5] addresses of chosen interfaces, without loopback", () => {
  const of = (name: string, address: string, family: "IPv4" | "IPv6", scopeid: number | null) => ({
    name,
    address,
    family,
    scopeid,
    cidr: `${address}/24`,
  });
  const interfaces = [
    of("lo", "127.0.0.1", "IPv4", null),
    of("eth0", "192.168.1.7", "IPv4", null),
    of("eth0", "fe80::1", "IPv6", 2),
    of("tun0", "10.1.1.1", "IPv4", null),
  ];
  assertEquals(localAddresses([], interfaces).map(({ address }) => address), [
    "192.168.1.7",
    "fe80::1",
    "10.1.1.1",
  ]);
  assertEquals(localAddresses(["eth0"], interfaces), [
    {
      name: "eth0",
      address: "192.168.1.7",
      family: "ipv4",
      network: "192.168.1.7/24",
      scope: undefined,
    },
    { name: "eth0", address: "fe80::1", family: "ipv6", network: "fe80::1/24", scope: 2 },
  ]);
});
