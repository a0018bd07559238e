import { assert, assertEquals, assertMatch } from "@std/assert";
import { routePath } from "../../../http/base_path.ts";
import { type Route, Router } from "../../../http/route.ts";
import { routes } from "../../../http/route_table.ts";
import { run } from "../../../scripts/gen_endpoint_docs.ts";
import { redirectOf, statusOf, withHttp } from "../../support/http.ts";

function row(path: string, methods: Route["methods"] = ["GET"]): Route {
  return {
    path,
    methods,
    auth: "none",
    caller: "",
    years: "-",
    answer: "",
    handler: () => new Response(null),
  };
}

Deno.test("[transport 0.4] paths find their rows: exact ones first, then patterns in order", () => {
  const router = new Router([
    row("/a/:id.png"),
    row("/a/:id"),
    row("/a/:id", ["POST"]),
    row("/a/exact"),
    row("/b/*"),
  ]);
  const find = (path: string) =>
    router.find(path).map(({ route, params }) => [route.path, route.methods[0], { ...params }]);
  assertEquals(find("/a/exact"), [["/a/exact", "GET", {}]]);
  assertEquals(find("/a/7.png"), [["/a/:id.png", "GET", { id: "7" }]]);
  assertEquals(find("/a/x%20y"), [
    ["/a/:id", "GET", { id: "x y" }],
    ["/a/:id", "POST", { id: "x y" }],
  ]);
  assertEquals(find("/a/%ff"), []);
  assertEquals(find("/a/"), []);
  assertEquals(find("/a/x/y"), []);
  assertEquals(find("/b"), [["/b/*", "GET", { "*": "" }]]);
  assertEquals(find("/b/c/d"), [["/b/*", "GET", { "*": "c/d" }]]);
  assertEquals(find("/bc"), []);
});

Deno.test("[transport 0.4] the table names no path and method twice", () => {
  const seen = new Set<string>();
  for (const { path, methods } of routes) {
    for (const method of methods) {
      assert(!seen.has(`${method} ${path}`), `${method} ${path}`);
      seen.add(`${method} ${path}`);
    }
  }
});

Deno.test("[transport 8.1.1, 8.1.4, 11.1] odd requests are understood", async () => {
  await withHttp([], async ({ server, url, ask }) => {
    const ann = await server.addUser("ann");
    for (const path of ["//client/users/me", "/client/users/me?", "//client//users/me?x=1&x"]) {
      assertEquals(await statusOf(ask(path, { as: ann })), 200, path);
    }
    assertEquals(await statusOf(ask("//telemetry/events?", { method: "POST" })), 200);
    assertEquals(await redirectOf(ask("//rpc?preview=1&unknown")), [302, `${url}/rpc`]);

    // GET with a body, which fetch does not send.
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const body = '{"telemetry":true}';
    await connection.write(new TextEncoder().encode(
      `GET /api/releases/latest?asset=zed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    ));
    const answer = await new Response(connection.readable).text();
    assertMatch(answer, /^HTTP\/1\.1 200 /);
    assertMatch(answer, /"version":"0\.0\.0"/);
  });
});

Deno.test("[transport 11.1] pages answer HEAD as GET without a body, other methods are told", async () => {
  await withHttp([], async ({ ask }) => {
    for (const path of ["/", "/native_app_signin_succeeded", "/healthz", "/channel/a-1"]) {
      const head = await ask(path, { method: "HEAD" });
      const get = await ask(path);
      assertEquals([head.status, await head.text()], [get.status, ""], path);
      assertEquals(head.headers.get("content-type"), get.headers.get("content-type"));
      const { length } = await get.bytes();
      assert(length > 0);
      assertEquals(head.headers.get("content-length"), `${length}`);
    }
    const wrong = await ask("/models", { method: "DELETE" });
    assertEquals([wrong.status, wrong.headers.get("allow")], [405, "HEAD, GET"]);
    await wrong.body?.cancel();
    assertEquals(await statusOf(ask("/nothing")), 404);
  });
});

Deno.test("[transport 8.1.2] all routes live under the path of the public URL, stripped by the proxy or not", async () => {
  await withHttp(["--public-url", "https://x.example/zed"], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    for (const prefix of ["", "/zed", "/zed/", "//zed/"]) {
      const me = await ask(`${prefix}/client/users/me`, { as: ann });
      assertEquals(me.status, 200, prefix);
      const { user } = await me.json();
      assertEquals(user.avatar_url, `https://x.example/zed/avatars/${ann.id}.png`);
      assertEquals(await redirectOf(ask(`${prefix}/rpc`)), [302, "https://x.example/zed/rpc"]);
    }
    assertEquals(await statusOf(ask("/zedx/healthz")), 404);
    assertMatch(await (await ask("/zed")).text(), /^parley:/);
    assertMatch(
      await (await ask("/zed/native_app_signin_succeeded")).text(),
      /href="\/zed\/assets\/style\.css"/,
    );
  });
  assertEquals(routePath("/zed/a", "/zed"), "/a");
  assertEquals(routePath("/zed", "/zed"), "/");
  assertEquals(routePath("/zeda", "/zed"), "/zeda");
  assertEquals(routePath("///a//b", ""), "/a/b");
});

Deno.test("[transport 11a] a body that is too large is refused, and nobody else notices", async () => {
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const body = "x".repeat(100_000);
    const answer = ask("/client/llm_tokens", { method: "POST", as: ann, body });
    assertEquals(await statusOf(answer), 413);
    assertEquals(await statusOf(ask("/client/users/me", { as: ann })), 200);
  });
});

Deno.test("[transport 7.8] the document of endpoints is that of the table", async () => {
  assertEquals(await run(true), [], "stale: deno task gen");
});
