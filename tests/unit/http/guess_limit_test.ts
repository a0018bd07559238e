/** Guessing secrets over HTTP. */
import { assertEquals } from "@std/assert";
import { RateLimit } from "../../../http/signin/rate_limit.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type Ask, statusOf, withHttp } from "../../support/http.ts";
import { SteppedClock } from "../../support/stepped_clock.ts";
import { RawClient } from "../../support/raw_client.ts";

const MOST = 20;
const API = "an-api-token";
const SHARED = "a-secret-of-some-length";
const flags = [
  "--api-token",
  API,
  "--llm-api-secret",
  SHARED,
  "--auth=shared-secret",
  "--auth-secret",
  SHARED,
];

/** Guesses come back with time, of which none passes. */
const standing = (given = flags) => ({ flags: given, parts: { clock: new SteppedClock() } });

/** Every place where a secret is checked, with a right and a wrong proof. */
const doors: readonly {
  readonly what: string;
  readonly path: string;
  readonly options?: Ask;
  readonly wrong: string;
  readonly right?: string;
}[] = [
  {
    what: "the API token",
    path: "/users/look_up?identifier=ann",
    wrong: "token wrong",
    right: `token ${API}`,
  },
  {
    what: "impersonation",
    path: "/internal/users/impersonate",
    options: { method: "POST", body: { github_login: "ann" } },
    wrong: "Bearer wrong",
    right: `Bearer ${API}`,
  },
  {
    what: "the shared secret",
    path: "/client/users/me",
    wrong: "1 wrong",
    right: `1 ${SHARED}`,
  },
  {
    what: "the developers' token",
    path: "/client/users/me",
    wrong: "1 ADMIN_TOKEN:wrong",
    right: `1 ADMIN_TOKEN:${API}`,
  },
  {
    what: "model tokens",
    path: "/completions",
    options: { method: "POST", body: {} },
    wrong: "Bearer a.b.c",
  },
];

for (const { what, path, options = {}, wrong, right } of doors) {
  Deno.test(`[issue 4 limits] whoever guesses waits, at every door: ${what}`, async () => {
    const clock = new SteppedClock();
    await withHttp({ flags, parts: { clock } }, async ({ server, ask }) => {
      const ann = await server.addUser("ann");
      assertEquals(ann.id, 1);
      const from = (address: string, as: string) =>
        statusOf(ask(path, { ...options, as, headers: { "x-forwarded-for": address } }));
      for (let i = 0; i < MOST; i++) assertEquals(await from("1.1.1.1", wrong), 401);
      assertEquals(await from("1.1.1.1", wrong), 429);
      if (right !== undefined) {
        assertEquals(await from("1.1.1.1", right), 429);
        assertEquals(await from("2.2.2.2", right), 200);
      }
      assertEquals(await from("2.2.2.2", wrong), 401);
      clock.advance(6_000);
      if (right !== undefined) assertEquals(await from("1.1.1.1", right), 200);
      assertEquals(await from("1.1.1.1", wrong), 401);
      assertEquals(await from("1.1.1.1", wrong), 429);
    });
  });
}

Deno.test("[issue 4 limits] a guesser's neighbours with tokens of this server go on, the WebSocket too", async () => {
  await withHttp(standing(), async ({ server, ask, url }) => {
    const ann = await server.addUser("ann");
    for (let i = 0; i < MOST; i++) {
      assertEquals(await statusOf(ask("/client/users/me", { as: "1 x" })), 401);
    }
    const handshake = async (authorization: string) => {
      using client = await RawClient.connect(url);
      const headers = {
        authorization,
        "x-zed-protocol-version": "68",
        "x-zed-app-version": "1.10.0",
      };
      return (await client.upgrade(headers)).status;
    };
    assertEquals(await handshake("1 x"), 429);
    assertEquals(await handshake(`${ann.id} ${ann.token}`), 101);
    assertEquals(await statusOf(ask("/client/users/me", { as: ann })), 200);
  });
});

Deno.test("[issue 4 limits] who sends nothing or nothing whole guesses nothing, nor does a right secret count", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const right: Ask = { as: `token ${API}` };
    for (let i = 0; i <= MOST; i++) {
      assertEquals(await statusOf(ask("/client/users/me")), 401);
      assertEquals(await statusOf(ask("/client/users/me", { as: "nonsense" })), 401);
      assertEquals(await statusOf(ask("/users/look_up?identifier=ann")), 400);
      assertEquals(await statusOf(ask("/users/look_up?identifier=ann", right)), 200);
      assertEquals(await statusOf(ask("/client/users/me", { as: `${ann.id} ${SHARED}` })), 200);
    }
  });
});

Deno.test("[issue 4 limits] [transport 3.4.2, 5.5] revoked tokens of this server are always told so, and count as no guesses", async () => {
  await withHttp(standing(), async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    await server.server.store.removeAccessTokens(ann.id);
    const status = (as: NonNullable<Ask["as"]>) => statusOf(ask("/client/users/me", { as }));
    for (let i = 0; i <= MOST; i++) assertEquals(await status(ann), 401);
    assertEquals(await status(`${ann.id} ${SHARED}`), 200);
    for (let i = 0; i < MOST; i++) assertEquals(await status("1 x"), 401);
    assertEquals(await status("1 x"), 429);
    assertEquals(await status(ann), 401);
  });
});

Deno.test("[issue 4 limits] the command line of the machine is never kept out", async () => {
  await withHttp(standing([]), async ({ server, ask }) => {
    const path = "/internal/admin/users";
    for (let i = 0; i < MOST; i++) assertEquals(await statusOf(ask(path, { as: "Bearer x" })), 401);
    assertEquals(await statusOf(ask(path, { as: "Bearer x" })), 429);
    const { adminSecret } = JSON.parse(await Deno.readTextFile(`${server.dataDir}/server.json`));
    assertEquals(await statusOf(ask(path, { as: `Bearer ${adminSecret}` })), 200);
  });
});

Deno.test("[issue 4 limits] guesses side by side are paid for later", () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, { most: 2, interval: 1_000 });
  for (let i = 0; i < 10; i++) limit.charge("a");
  clock.advance(8_999);
  assertEquals(limit.isOpen("a"), false);
  clock.advance(1);
  assertEquals([limit.take("a"), limit.isOpen("a"), limit.isOpen("b")], [true, false, true]);
});
