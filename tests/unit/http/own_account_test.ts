import { assertEquals } from "@std/assert";
import { createToken } from "../../../db/access_tokens.ts";
import { Browser } from "../../support/browser.ts";
import { askAt, statusOf, withHttp } from "../../support/http.ts";
import { PASSWORD, withSignIn } from "../../support/sign_in.ts";
import { TestPeer } from "../../support/test_peer.ts";

const flags = ["--api-token", "hunter2"];

Deno.test("[issue 4 accounts] GET /user tells who asks, POST /user changes his profile and nothing else", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const found = await (await ask("/user", { as: ann })).json();
    assertEquals([found.user.id, found.user.github_login, found.csrf_token], [
      ann.id,
      "ann",
      undefined,
    ]);
    assertEquals(await statusOf(ask("/user")), 401);
    assertEquals(await statusOf(ask("/user", { as: `${ann.id} x` })), 401);
    const post = async (body: unknown, as: typeof ann | string = ann) => {
      const answer = await ask("/user", { method: "POST", as, body });
      return [answer.status, await answer.json()] as const;
    };
    const [status, { user }] = await post({ name: "Ann", email: "ann@x.example" });
    assertEquals([status, user.name, user.email_address], [200, "Ann", "ann@x.example"]);
    for (const body of [{ admin: true }, { login: "root" }, { email: "x" }, "no json"]) {
      assertEquals((await post(body))[0], 400);
    }
    assertEquals((await server.server.store.user(ann.id))!.admin, false);

    const as = "token hunter2";
    const [made, bob] = await post({ login: "bob", admin: true }, as);
    assertEquals([made, bob.user.admin], [201, true]);
    const [changed, again] = await post({ login: "BOB", name: "Bob" }, as);
    assertEquals([changed, again.user.id, again.user.admin, again.user.name], [
      200,
      bob.user.id,
      true,
      "Bob",
    ]);
    assertEquals((await post({ login: "not a login" }, as))[0], 400);
    assertEquals(await statusOf(ask("/user", { method: "POST", as: "token x", body: {} })), 401);
    const entries = await server.server.store.admin.auditEntries({ before: null, limit: 9 });
    assertEquals(entries.map(({ actor, action }) => [actor.login ?? actor.kind, action]), [
      ["api token", "user.update"],
      ["api token", "user.create"],
      ["ann", "user.update"],
    ]);
  });
});

Deno.test("[issue 4 accounts] POST /signout ends the token that asks, and its connections only", async () => {
  await withSignIn({ flags }, async (server, browser) => {
    const ann = await server.addUser("ann");
    const laptop = await createToken(server.server.store, ann.id);
    const there = await TestPeer.connect({ url: server.url, user: { ...ann, token: laptop } });
    const stays = await server.raw("ann");
    const signOut = (options: Parameters<typeof askAt>[2]) =>
      statusOf(askAt(server.url, "/signout", { method: "POST", ...options }));
    assertEquals(await signOut({}), 401);
    assertEquals(await signOut({ as: `${ann.id} ${laptop}` }), 204);
    await there.closed;
    assertEquals(stays.end, undefined);
    assertEquals(await signOut({ as: `${ann.id} ${laptop}` }), 401);

    const form = (await browser.open("/sign_in")).forms[0]!;
    await browser.submit(form, { login: "ann", password: PASSWORD });
    const other = new Browser(server.url);
    await other.submit((await other.open("/sign_in")).forms[0]!, {
      login: "ann",
      password: PASSWORD,
    });
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const own = await (await askAt(server.url, "/user", { headers: { cookie } })).json();
    assertEquals(await signOut({ headers: { cookie } }), 403);
    assertEquals(await signOut({ headers: { cookie, "x-csrf-token": own.csrf_token } }), 204);
    assertEquals((await browser.open("/account")).location, "/sign_in");
    assertEquals((await other.open("/account")).status, 200);
  });
});
