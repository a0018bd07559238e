/** Whom a local server answers at all. */
import { assertEquals } from "@std/assert";
import { localGuard } from "../../../http/local_guard.ts";
import { NetworkList } from "../../../local/networks.ts";

const HOSTS: ReadonlySet<string> = new Set(["ship.local", "192.168.1.7", "fd00::7"]);

/** What a request from there gets; undefined when it is let through. */
function statusFor(url: string, peer: string): number | undefined {
  const allowed = new NetworkList(["192.168.1.0/24", "fd00::/64"]);
  return localGuard(() => ({ allowed, hosts: HOSTS }))(new Request(url), peer)?.status;
}

Deno.test("[local 5] machines of other networks are refused, whatever they ask for", () => {
  const url = "https://ship.local:45454/rpc";
  for (const peer of ["192.168.1.9", "::ffff:192.168.1.9", "fd00::9", "127.0.0.1", "::1"]) {
    assertEquals(statusFor(url, peer), undefined, peer);
  }
  for (const peer of ["192.168.2.9", "8.8.8.8", "fd01::9", "::ffff:10.0.0.1", ""]) {
    assertEquals(statusFor(url, peer), 403, peer);
  }
});

Deno.test("[local 5] a name of the web that was pointed at this machine is no name of the server", () => {
  for (
    const host of ["127.0.0.1", "localhost", "[::1]", "ship.local", "SHIP.local", "[fd00::7]"]
  ) assertEquals(statusFor(`http://${host}:45454/pair`, "127.0.0.1"), undefined, host);
  for (const host of ["evil.example", "ship.local.evil.example", "localhost.evil", "192.168.1.8"]) {
    assertEquals(statusFor(`http://${host}:45454/pair`, "127.0.0.1"), 421, host);
  }
});

Deno.test("[local 5] the guard knows the addresses of the moment", () => {
  const allowed = new NetworkList(["192.168.1.0/24"]);
  let hosts = HOSTS;
  const guard = localGuard(() => ({ allowed, hosts }));
  const status = () => guard(new Request("https://192.168.1.8/"), "192.168.1.9")?.status;
  assertEquals(status(), 421);
  hosts = new Set(["192.168.1.8"]);
  assertEquals(status(), undefined);
});
