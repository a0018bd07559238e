/** Whatever is asked, and however it is written: an answer, never trouble of ours, nobody else notices. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "../../support/packages/fast_check.ts";
import { routes } from "../../../http/route_table.ts";
import { RawClient } from "../../support/raw_client.ts";
import { statusOf, withHttp } from "../../support/http.ts";

/** Pinned: a failure is the same for everybody. */
const SEED = 20_261_121;
const flags = ["--api-token", "s".repeat(32), "--requests-per-user", "0"];

const piece = fc.oneof(
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
  fc.constantFrom(
    "..",
    "%2e%2e",
    "%2F",
    "%00",
    "%ff",
    ".",
    "0",
    "-1",
    "9".repeat(40),
    "a/b",
    "%0d%0a",
  ),
);
const path = fc.tuple(fc.constantFrom(...routes), fc.array(piece, { minLength: 4, maxLength: 4 }))
  .map(([route, pieces]) => {
    let next = 0;
    return route.path.replaceAll(/:[a-z_]+|\*/g, () => pieces[next++ % pieces.length]!);
  });
const query = fc.dictionary(
  fc.constantFrom(
    "native_app_port",
    "native_app_public_key",
    "token",
    "code",
    "state",
    "filter",
    "ids",
    "github_login",
    "max_schema_version",
    "limit",
  ),
  fc.string({ maxLength: 60 }),
).map((fields) => `${new URLSearchParams(fields)}`);
const body = fc.oneof(
  fc.constant(undefined),
  fc.json({ maxDepth: 3 }),
  fc.string({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.constant('{"github_login":{"toString":1},"__proto__":{"admin":true}}'),
  fc.constant("login=%ff&password=%&csrf=x&login=y"),
);

Deno.test("[issue 4 fuzz] every route answers every input, none with trouble of the server's", async () => {
  await withHttp({ flags }, async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const root = await server.addUser("root", { admin: true });
    const as = fc.constantFrom(
      undefined,
      ann,
      root,
      `token ${"s".repeat(32)}`,
      `Bearer ${"s".repeat(32)}`,
      "1 {",
      "Bearer ",
      "token",
    );
    const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    const headers = fc.dictionary(
      fc.constantFrom(
        "x-forwarded-host",
        "x-forwarded-proto",
        "content-type",
        "cookie",
        "origin",
        "x-zed-checksum",
        "if-none-match",
        "range",
      ),
      fc.constantFrom(
        "x",
        "a b;c=d",
        "https",
        "null",
        "application/json",
        "bytes=0-",
        "parley_session=x.y",
        "https://evil.example",
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        path,
        query,
        method,
        body,
        as,
        headers,
        async (path, query, method, body, as, headers) => {
          const sends = body !== undefined && method !== "GET" && method !== "HEAD";
          const answer = await ask(`${path}?${query}`, {
            method,
            headers,
            ...(as !== undefined && { as }),
            ...(sends && { body }),
          });
          await answer.body?.cancel();
          // 501 and 503 are what some routes answer on purpose, in words.
          assert(
            answer.status < 500 || answer.status === 501,
            `${answer.status} ${method} ${path}?${query}`,
          );
          assert(answer.headers.has("x-request-id"));
        },
      ),
      { seed: SEED, numRuns: 1_000, endOnFailure: true },
    );
    const bob = await server.addUser("bob");
    assertEquals(await statusOf(ask("/client/users/me", { as: bob })), 200);
    assertEquals(await statusOf(ask("/healthz")), 200);
  });
});

Deno.test("[issue 4 smuggling] a request whose end is told twice, or not at all, is refused and nothing hides behind it", async () => {
  await withHttp({ flags }, async ({ url }) => {
    const hidden = "GET /livez?hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    for (
      const head of [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 5, 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length : 5\r\n",
        "X: a\r\n b: folded\r\n",
        "\r: x\r\n",
      ]
    ) {
      using client = await RawClient.connect(url);
      await client.write(`POST /telemetry/events HTTP/1.1\r\nHost: x\r\n${head}\r\n${hidden}`);
      const { status } = await client.response();
      assert(status >= 400 && status < 500, `${status} for ${JSON.stringify(head)}`);
    }
    // Both at once: the length is not believed, and what follows is no request of its own.
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    await tcp.write(new TextEncoder().encode(
      "POST /telemetry/events HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" +
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
        `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    ));
    const answers = await new Response(tcp.readable).text();
    assertEquals([...answers.matchAll(/HTTP\/1\.1 \d\d\d/g)].length, 1);
    assertMatch(answers, /^HTTP\/1\.1 (?:200|400)/);
  });
});
