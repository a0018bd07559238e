import { assertEquals } from "@std/assert";
import { clientAddress } from "../../../http/client_address.ts";
import { RateLimit } from "../../../http/signin/rate_limit.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("[issue 4 limits] attempts come back one by one, each key has its own", () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, { most: 3, interval: 1_000 });
  const take = (key: string) => Array.from({ length: 4 }, () => limit.take(key));
  assertEquals(take("a"), [true, true, true, false]);
  assertEquals(take("b"), [true, true, true, false]);
  assertEquals(limit.isOpen("a"), false);
  clock.advance(999);
  assertEquals(limit.take("a"), false);
  clock.advance(1);
  assertEquals([limit.isOpen("a"), limit.take("a"), limit.take("a")], [true, true, false]);
  clock.advance(3_600_000);
  assertEquals(take("a"), [true, true, true, false]);
  limit.reset("a");
  assertEquals(take("a"), [true, true, true, false]);
});

Deno.test("[issue 4 limits] many keys do not fill the memory, the oldest go first", () => {
  const limit = new RateLimit(new FakeClock(), { most: 1, interval: 1_000 });
  limit.take("first");
  for (let i = 0; i < 9_999; i++) limit.take(`${i}`);
  assertEquals(limit.isOpen("first"), false);
  limit.take("one more");
  assertEquals([limit.isOpen("first"), limit.isOpen("0")], [true, false]);
});

Deno.test("[issue 4 limits] an address comes from a proxy only where that is believed", () => {
  const address = (peer: string, forwarded: string, trusted: "none" | "loopback" | "private") =>
    clientAddress(new Headers(forwarded ? { "x-forwarded-for": forwarded } : {}), peer, trusted);
  const cases = [
    ["127.0.0.1", "1.2.3.4", "loopback", "1.2.3.4"],
    ["127.0.0.1", "6.6.6.6, 1.2.3.4", "loopback", "1.2.3.4"],
    ["::1", "1.2.3.4", "loopback", "1.2.3.4"],
    ["127.0.0.1", "", "loopback", "127.0.0.1"],
    ["127.0.0.1", "1.2.3.4", "none", "127.0.0.1"],
    ["10.1.1.1", "1.2.3.4", "loopback", "10.1.1.1"],
    ["10.1.1.1", "1.2.3.4", "private", "1.2.3.4"],
    ["172.20.0.2", "1.2.3.4", "private", "1.2.3.4"],
    ["172.32.0.2", "1.2.3.4", "private", "172.32.0.2"],
    ["fd00::2", "1.2.3.4", "private", "1.2.3.4"],
    ["8.8.8.8", "1.2.3.4", "private", "8.8.8.8"],
    ["2001:db8:1:2:3:4:5:6", "", "none", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "", "none", "2001:db8:1:2::/64"],
    ["2001:db8::9", "", "none", "2001:db8:0:0::/64"],
    ["::ffff:1.2.3.4", "", "none", "1.2.3.4"],
    ["127.0.0.1", "[2001:db8:1:2::9]:443", "loopback", "2001:db8:1:2::/64"],
    ["127.0.0.1", "1.2.3.4:5678", "loopback", "1.2.3.4"],
  ] as const;
  for (const [peer, forwarded, trusted, expected] of cases) {
    assertEquals(address(peer, forwarded, trusted), expected, `${peer} ${forwarded} ${trusted}`);
  }
});
