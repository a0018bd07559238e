import { assertEquals } from "@std/assert";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { statusOf, withHttp } from "../../support/http.ts";
import { TestPeer } from "../../support/test_peer.ts";

const SECRET = "a secret of some length";
const KEY = new TextEncoder().encode(SECRET);

interface Claims {
  readonly login?: unknown;
  readonly issuer?: string;
  readonly audience?: string;
  readonly expires?: string;
}

function jwt({ login, issuer = "i", audience = "a", expires = "1h" }: Claims): SignJWT {
  return new SignJWT({ login }).setIssuer(issuer).setAudience(audience).setExpirationTime(expires);
}

Deno.test("[issue 4 strategies] a JWT signs in whose login it names, and nobody else", async () => {
  const flags = ["--auth=jwt", "--auth-issuer=i", "--auth-audience=a", "--auth-claim=login"];
  await withHttp([...flags, "--auth-secret", SECRET], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const bob = await server.addUser("bob");
    const sign = (claims: Claims, key = KEY) =>
      jwt(claims).setProtectedHeader({ alg: "HS256" }).sign(key);
    const status = (id: number, token: string) =>
      statusOf(ask("/client/users/me", { as: `${id} ${token}` }));
    const good = await sign({ login: "Ann" });
    assertEquals(await status(ann.id, good), 200);
    assertEquals(await status(bob.id, good), 401);
    assertEquals(await status(99, good), 401);
    const bad = [
      await sign({ login: "nobody" }),
      await sign({}),
      await sign({ login: ann.id }),
      await sign({ login: "ann", issuer: "else" }),
      await sign({ login: "ann", audience: "else" }),
      await sign({ login: "ann", expires: "-2m" }),
      await sign({ login: "ann" }, new TextEncoder().encode(`${SECRET}x`)),
      await new SignJWT({ login: "ann", iss: "i", aud: "a" })
        .setProtectedHeader({ alg: "HS256" }).sign(KEY),
      good.replace(/^[^.]+/, btoa('{"alg":"none"}').replaceAll("=", "")),
    ];
    for (const token of bad) assertEquals(await status(ann.id, token), 401, token);
    // Tokens of our own are good as ever, and the WebSocket says the same. [transport 3.4.5]
    assertEquals(await status(ann.id, ann.token), 200);
    const user = { ...ann, token: good };
    await using peer = await TestPeer.connect({ url: server.url, user });
    assertEquals(peer.userId, BigInt(ann.id));
  });
});

Deno.test("[issue 4 strategies] public keys come from their address; while that is away nobody is unknown", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...await exportJWK(publicKey), kid: "k", alg: "ES256" };
  let away = true;
  await using keys = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => away ? new Response("away", { status: 503 }) : Response.json({ keys: [jwk] }),
  );
  const url = `http://127.0.0.1:${keys.addr.port}/keys`;
  const flags = ["--auth=jwt", "--auth-issuer=i", "--auth-audience=a", "--auth-claim=login"];
  await withHttp([...flags, "--auth-jwks-url", url], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const token = await jwt({ login: "ann" }).setProtectedHeader({ alg: "ES256", kid: "k" })
      .sign(privateKey);
    const status = (text: string) => statusOf(ask("/client/users/me", { as: `${ann.id} ${text}` }));
    assertEquals(await status(token), 503);
    assertEquals(await status(ann.token), 200);
    away = false;
    assertEquals(await status(token), 200);
    const forged = await jwt({ login: "ann" }).setProtectedHeader({ alg: "HS256", kid: "k" })
      .sign(new TextEncoder().encode(JSON.stringify(jwk)));
    assertEquals(await status(forged), 401);
    const { privateKey: other } = await generateKeyPair("ES256");
    const wrong = await jwt({ login: "ann" }).setProtectedHeader({ alg: "ES256", kid: "k" })
      .sign(other);
    assertEquals(await status(wrong), 401);
  });
});

Deno.test("[issue 4 strategies] a shared secret signs anybody in who is there", async () => {
  await withHttp(["--auth=shared-secret", "--auth-secret", "s".repeat(20)], async (http) => {
    const ann = await http.server.addUser("ann");
    const status = (id: number, token: string) =>
      statusOf(http.ask("/client/users/me", { as: `${id} ${token}` }));
    assertEquals(await status(ann.id, "s".repeat(20)), 200);
    assertEquals(await status(99, "s".repeat(20)), 401);
    for (const length of [1, 19, 21]) assertEquals(await status(ann.id, "s".repeat(length)), 401);
  });
});

Deno.test("[issue 4 strategies] without authentication anybody is let in, but not through a proxy", async () => {
  await withHttp(["--auth=none"], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const status = (headers: Record<string, string> = {}) =>
      statusOf(ask("/client/users/me", { as: `${ann.id} anything`, headers }));
    assertEquals(await status(), 200);
    for (const name of ["x-forwarded-for", "forwarded", "via"]) {
      assertEquals(await status({ [name]: "1.2.3.4" }), 401, name);
    }
  });
});

Deno.test("[transport 5.2.2] the API token opens as a development token what impersonation opens", async () => {
  await withHttp(["--api-token", "hunter2"], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const status = (token: string) =>
      statusOf(ask("/client/users/me", { as: `${ann.id} ${token}` }));
    assertEquals(await status("ADMIN_TOKEN:hunter2"), 200);
    for (const token of ["ADMIN_TOKEN:hunter", "ADMIN_TOKEN:", "hunter2", "admin_token:hunter2"]) {
      assertEquals(await status(token), 401, token);
    }
  });
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    assertEquals(await statusOf(ask("/client/users/me", { as: `${ann.id} ADMIN_TOKEN:` })), 401);
  });
});
