import { assertEquals, assertMatch } from "@std/assert";
import { isLoopback } from "../../../http/client_address.ts";
import { BodyTooSlowError, readBody } from "../../../http/body.ts";
import { assertRejects } from "@std/assert";
import { HANDSHAKE, RawClient } from "../../support/raw_client.ts";
import { statusOf, withHttp } from "../../support/http.ts";
import { signInHeaders } from "../../support/bystanders.ts";
import { SteppedClock } from "../../support/stepped_clock.ts";

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });

Deno.test("[issue 4 limits] an address has its number of requests a minute, its neighbours theirs", async () => {
  const clock = new SteppedClock();
  const flags = ["--requests-per-address", "3"];
  await withHttp({ flags, parts: { clock } }, async ({ ask, server }) => {
    const one = () => statusOf(ask("/livez", from("203.0.113.7")));
    assertEquals([await one(), await one(), await one(), await one()], [200, 200, 200, 429]);
    assertEquals(await statusOf(ask("/nowhere", from("203.0.113.7"))), 429);
    assertEquals(await statusOf(ask("/livez", from("203.0.113.8"))), 200);
    // One machine has a whole network of IPv6 addresses.
    for (const part of ["1", "2", "3"]) await statusOf(ask("/livez", from(`2001:db8::${part}`)));
    const fourth = await ask("/livez", from("2001:db8::4"));
    assertEquals([fourth.status, fourth.headers.get("retry-after")], [429, "60"]);
    assertMatch(await fourth.text(), /too many requests from this address/);
    // The machine's own commands and a proxy that tells no address are not counted.
    for (let i = 0; i < 9; i++) assertEquals(await statusOf(ask("/livez")), 200);
    clock.advance(20_000);
    assertEquals([await one(), await one()], [200, 429]);
    assertEquals(server.server.metrics.limitedRequests.value("address"), 4);
  });
});

Deno.test("[issue 4 limits] a user has his number of requests and handshakes, from all addresses together", async () => {
  const clock = new SteppedClock();
  const flags = ["--requests-per-user", "2"];
  await withHttp({ flags, parts: { clock } }, async ({ ask, server, url }) => {
    const ann = await server.addUser("ann");
    const bob = await server.addUser("bob");
    const me = (address: string, as = ann) =>
      statusOf(ask("/client/users/me", { as, ...from(address) }));
    assertEquals([await me("203.0.113.1"), await me("203.0.113.2")], [200, 200]);
    assertEquals(await me("203.0.113.3"), 429);
    assertEquals(await me("203.0.113.3", bob), 200);
    using client = await RawClient.connect(url);
    const headers = { ...HANDSHAKE, ...signInHeaders(ann.id, ann.token) };
    await client.request("/rpc", { ...headers, "x-forwarded-for": "203.0.113.4" });
    assertEquals((await client.response()).status, 429);
    assertEquals(server.server.metrics.limitedRequests.value("user"), 2);
    clock.advance(30_000);
    assertEquals(await me("203.0.113.5"), 200);
  });
});

Deno.test("[issue 4 limits] none is a limit of none", async () => {
  await withHttp(["--requests-per-address", "0"], async ({ ask }) => {
    for (let i = 0; i < 20; i++) assertEquals(await statusOf(ask("/livez", from("9.9.9.9"))), 200);
  });
});

Deno.test("[issue 4 limits] the machine itself has many addresses", () => {
  for (const own of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0:0:0:0::/64"]) {
    assertEquals(isLoopback(own), true, own);
  }
  for (const other of ["10.0.0.1", "128.0.0.1", "127.0.0.1.example", "::2", "", "1::1"]) {
    assertEquals(isLoopback(other), false, other);
  }
});

Deno.test("[issue 4 slow] a body that does not arrive is given up", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
  });
  const request = new Request("http://x/", { method: "POST", body });
  await assertRejects(() => readBody(request, 10, 1), BodyTooSlowError);
});
