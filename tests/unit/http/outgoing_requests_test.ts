/** Whom the server asks is the operator's choice, never a client's. */
import { assertEquals } from "@std/assert";
import { routes } from "../../../http/route_table.ts";
import { statusOf, withHttp } from "../../support/http.ts";

/** A listener inside the network that should never hear of a request; what it hears. */
function insider(answer: () => Response = () => new Response("secret")) {
  const heard: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      heard.push(new URL(request.url).pathname);
      return answer();
    },
  );
  return {
    heard,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("[issue 4 ssrf] no part of any request makes the server ask an address that the request names", async () => {
  await using target = insider();
  const { host } = new URL(target.url);
  const token = "s".repeat(32);
  await withHttp(
    ["--api-token", token, "--requests-per-user", "0", "--requests-per-address", "0"],
    async ({ server, ask }) => {
      const root = await server.addUser("root", { admin: true });
      const fields = {
        url: target.url,
        avatar_url: target.url,
        redirect_uri: target.url,
        name: "x",
      };
      for (const route of routes) {
        const path = route.path.replaceAll(/:[a-z_]+|\*/g, encodeURIComponent(target.url));
        for (const method of route.methods) {
          for (const as of [undefined, root, `Bearer ${token}`, `token ${token}`] as const) {
            const hasBody = !["GET", "HEAD"].includes(method);
            const answer = await ask(`${path}?${new URLSearchParams(fields)}`, {
              method,
              ...(as !== undefined && { as }),
              headers: {
                "x-forwarded-host": host,
                origin: target.url,
                referer: target.url,
                "content-type": "application/json",
              },
              ...(hasBody && { body: { login: "x", ...fields } }),
            });
            await answer.body?.cancel();
          }
        }
      }
    },
  );
  assertEquals(target.heard, []);
});

Deno.test("[issue 4 ssrf] a configured address that sends the server elsewhere is not followed", async () => {
  await using target = insider();
  await using keys = insider(() =>
    new Response(null, { status: 302, headers: { location: `${target.url}/keys` } })
  );
  const flags = ["--auth=jwt", "--auth-issuer=i", "--auth-audience=a", "--auth-claim=login"];
  await withHttp([...flags, "--auth-jwks-url", `${keys.url}/jwks`], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const part = (value: unknown) =>
      btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
    const jwt = `${part({ alg: "ES256", kid: "k" })}.${part({ login: "ann" })}.${part("x")}`;
    assertEquals(await statusOf(ask("/client/users/me", { as: `${ann.id} ${jwt}` })), 503);
  });
  assertEquals([keys.heard.slice(0, 1), target.heard], [["/jwks"], []]);
});
