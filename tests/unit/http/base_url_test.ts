import { assertEquals } from "@std/assert";
import { baseUrl } from "../../../http/base_url.ts";

function seenFrom(headers: Record<string, string>, url = "http://127.0.0.1:8080/rpc"): string {
  return baseUrl(new Request(url, { headers }), undefined);
}

Deno.test("[transport 1.1.8] the configured address beats everything that a request says", () => {
  const request = new Request("http://127.0.0.1:8080/rpc", {
    headers: { host: "inner:1", "x-forwarded-host": "other", "x-forwarded-proto": "http" },
  });
  assertEquals(baseUrl(request, "https://collab.example"), "https://collab.example");
});

Deno.test("[transport 1.1.8] without one, the address is the one that the client asked", () => {
  assertEquals(seenFrom({}), "http://127.0.0.1:8080");
  assertEquals(seenFrom({ host: "team.lan:8080" }), "http://team.lan:8080");
  assertEquals(seenFrom({ host: "[::1]:8080" }), "http://[::1]:8080");
});

Deno.test("[transport 1.1.8] behind a proxy, the address is the one that the proxy was asked", () => {
  assertEquals(
    seenFrom({
      host: "inner:8080",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "zed.example",
    }),
    "https://zed.example",
  );
  assertEquals(
    seenFrom({ host: "zed.example", "x-forwarded-proto": "https" }),
    "https://zed.example",
  );
});

Deno.test("[transport 1.1.8] of several proxies the first one was asked by the client", () => {
  assertEquals(
    seenFrom({ "x-forwarded-proto": "https, http", "x-forwarded-host": "outer.example, inner" }),
    "https://outer.example",
  );
});

Deno.test("[transport 1.1.6] the scheme is http or https, whatever a proxy calls it", () => {
  for (const scheme of ["wss", "ws", "javascript", ""]) {
    assertEquals(seenFrom({ host: "a.example", "x-forwarded-proto": scheme }), "http://a.example");
  }
});

Deno.test("[transport 1.1.5] a host that makes no URL is passed over", () => {
  for (const host of ["", " ", "a b", "%", ":80"]) {
    assertEquals([host, seenFrom({ "x-forwarded-host": host, host: "a b" })], [
      host,
      "http://127.0.0.1:8080",
    ]);
  }
  assertEquals(seenFrom({ "x-forwarded-host": "evil.example/path?x" }), "http://evil.example");
});
