/** What every answer has, whichever route makes it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { routes } from "../../../http/route_table.ts";
import type { Log, LogProperties } from "../../../lib/log.ts";
import { withHttp } from "../../support/http.ts";

/** One path for each row, with something at its open places. */
const samples = routes.flatMap(({ path, methods }) =>
  methods.map((method) => ({
    method,
    path: path.replace(/\/\*$/, "/some").replaceAll(/:[a-z_]+/g, "1"),
  }))
);

Deno.test("[issue 4 headers] every answer of every route says what browsers may do with it", async () => {
  await withHttp(["--public-url", "https://x.example"], async ({ ask }) => {
    const unknown = ["GET", "POST", "DELETE"].map((method) => ({ method, path: "/nowhere" }));
    const wrong = samples.map(({ path }) => ({ method: "PUT", path }));
    for (const { method, path } of [...samples, ...unknown, ...wrong]) {
      const { headers, status, body } = await ask(path, { method });
      await body?.cancel();
      const what = `${method} ${path} ${status}`;
      assertEquals(headers.get("x-content-type-options"), "nosniff", what);
      assertEquals(headers.get("x-frame-options"), "DENY", what);
      assertMatch(headers.get("referrer-policy") ?? "", /^(no-referrer|same-origin)$/, what);
      assertMatch(headers.get("content-security-policy") ?? "", /^default-src 'none';/, what);
      assertMatch(headers.get("content-security-policy")!, /frame-ancestors 'none'/, what);
      assertMatch(headers.get("cross-origin-resource-policy") ?? "", /^(same|cross)-origin$/, what);
      assertEquals(headers.get("strict-transport-security"), "max-age=31536000", what);
      assert(headers.get("x-request-id"), what);
      assertEquals(headers.get("access-control-allow-origin"), null, what);
    }
  });
});

Deno.test("[issue 4 request ids] a request keeps the id that it brings, any other gets one of its own", async () => {
  await withHttp([], async ({ ask }) => {
    const idOf = async (given?: string) => {
      const headers = given === undefined ? {} : { "x-request-id": given };
      const answer = await ask("/livez", { headers });
      await answer.body?.cancel();
      return answer.headers.get("x-request-id")!;
    };
    assertEquals(await idOf("7f3-a.b:c/d=="), "7f3-a.b:c/d==");
    assertNotEquals(await idOf(), await idOf());
    for (const bad of ["", "two words", "x".repeat(65), 'a"b', "a\tb", "a{b}"]) {
      assertMatch(await idOf(bad), /^[0-9a-f-]{36}$/, bad);
    }
  });
});

Deno.test("[issue 4 request ids] the log names a request by its id and its route, never by what it carries", async () => {
  const lines: LogProperties[] = [];
  const keep = (message: string, properties: LogProperties = {}) =>
    void lines.push({ message, ...properties });
  const log: Log = {
    tellsDebug: true,
    debug: keep,
    info: keep,
    warn: keep,
    error: keep,
    with: () => log,
  };
  await withHttp({ parts: { log } }, async ({ ask }) => {
    for (const path of ["/invitation?secret=hidden-1", "/channel/hidden-2", "/hidden-3"]) {
      const answer = await ask(path, { headers: { "x-request-id": `id-of${path.slice(0, 5)}` } });
      await answer.body?.cancel();
    }
  });
  const told = lines.filter(({ requestId }) => requestId !== undefined)
    .map(({ requestId, route, status }) => [requestId, route, status]);
  assertEquals(told, [
    ["id-of/invi", "/invitation", 404],
    ["id-of/chan", "/channel/:channel", 200],
    ["id-of/hidd", undefined, 404],
  ]);
  assert(!JSON.stringify(lines).includes("hidden-"));
});

Deno.test("[issue 4 probes] alive is told without the database, ready is not", async () => {
  await withHttp([], async ({ ask, server }) => {
    for (const path of ["/livez", "/readyz", "/healthz"]) {
      assertEquals(await (await ask(path)).text(), "ok", path);
    }
    const { store } = server.server;
    store.ping = () => Promise.reject(new Error("Gone"));
    const answers = await Promise.all(["/livez", "/readyz", "/healthz"].map((path) => ask(path)));
    for (const { body } of answers) await body?.cancel();
    assertEquals(answers.map(({ status }) => status), [200, 503, 503]);
  });
});
