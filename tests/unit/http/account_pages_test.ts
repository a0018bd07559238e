import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { inviteUser } from "../../../db/accounts.ts";
import { createToken } from "../../../db/access_tokens.ts";
import { Browser } from "../../support/browser.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { askAt, statusOf } from "../../support/http.ts";
import { createNativeApp } from "../../support/native_app.ts";
import { TestPeer } from "../../support/test_peer.ts";
import { PASSWORD, signInPath, withSignIn } from "../../support/sign_in.ts";

const app = createNativeApp();

async function signIn(browser: Browser, login: string): Promise<void> {
  const form = (await browser.open("/sign_in")).forms[0]!;
  assertEquals((await browser.submit(form, { login, password: PASSWORD })).status, 303);
}

Deno.test("[transport 5.1.4, 5.1.3] devices are listed, and signed out one by one", async () => {
  await withSignIn({}, async (server, browser) => {
    const ann = await server.addUser("ann");
    const form = (await browser.open(signInPath(app))).forms[0]!;
    await browser.submit(form, { login: "ann", password: PASSWORD }, {
      "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
    });
    const connection = await server.raw("ann");
    const other = await createToken(server.server.store, ann.id);
    const stays = await TestPeer.connect({ url: server.url, user: { ...ann, token: other } });
    await server.server.store.removeAccessToken(ann.id, JSON.parse(other).id);
    const page = await browser.open("/account");
    assertMatch(
      page.text,
      /Zed on macOS[^]*not used yet[^]*Token from the command line[^]*last used/,
    );
    const revoke = page.forms.filter(({ action }) => action.endsWith("/revoke"));
    assertEquals(revoke.length, 2);
    assertEquals((await browser.submit(revoke[1]!)).location, "/account");
    await connection.closed;
    assertEquals(stays.end, undefined, "another device");
    await stays.close();
    assertEquals(await statusOf(askAt(server.url, "/client/users/me", { as: ann })), 401);
    assertEquals((await browser.submit(revoke[1]!)).status, 404);
    assertEquals((await browser.open("/account")).forms.length, 4);
  });
});

Deno.test("[issue 4 sign-in] browsers are listed, and signed out one by one", async () => {
  await withSignIn({}, async (server, browser) => {
    const other = new Browser(server.url);
    await signIn(other, "ann");
    await signIn(browser, "ann");
    await signIn(new Browser(server.url), "root");
    const revoke = (await browser.open("/account")).forms
      .filter(({ action }) => action.startsWith("/account/sessions/"));
    assertEquals(revoke.length, 1, "this one has its own button");
    const stranger = new Browser(server.url);
    await signIn(stranger, "root");
    const { fields } = (await stranger.open("/account")).forms[0]!;
    assertEquals((await stranger.submit({ ...revoke[0]!, fields })).status, 404);
    assertEquals((await other.open("/account")).status, 200);
    assertEquals((await browser.submit(revoke[0]!)).location, "/account");
    assertEquals((await other.open("/account")).location, "/sign_in");
    assertEquals((await browser.open("/account")).status, 200);
  });
});

Deno.test("[issue 4 accounts] who knows the present password changes it; other browsers end, editors stay", async () => {
  await withSignIn({}, async (server, browser) => {
    const ann = await server.addUser("ann");
    const editor = await server.raw("ann");
    const other = new Browser(server.url);
    await signIn(other, "ann");
    await signIn(browser, "ann");
    const form = (await browser.open("/account")).forms
      .find(({ action }) => action === "/account/password")!;
    const next = "another horse battery";
    const refused: readonly [Record<string, string>, number][] = [
      [{ present: "wrong password", password: next, again: next }, 403],
      [{ present: PASSWORD, password: next, again: PASSWORD }, 400],
      [{ present: PASSWORD, password: "short", again: "short" }, 400],
    ];
    for (const [fields, status] of refused) {
      const page = await browser.submit(form, fields);
      assertEquals(page.status, status);
      assertNotMatch(page.text, /another horse|wrong password/);
    }
    assertEquals((await other.open("/account")).status, 200);
    assertEquals(
      (await other.submit(form, { present: PASSWORD, password: next, again: next })).status,
      403,
    );
    const changed = await browser.submit(form, { present: PASSWORD, password: next, again: next });
    assertEquals([changed.status, changed.location], [303, "/account"]);
    assertEquals((await browser.open("/account")).status, 200);
    assertEquals((await other.open("/account")).location, "/sign_in");
    assertEquals(editor.end, undefined);
    assertEquals(await statusOf(askAt(server.url, "/client/users/me", { as: ann })), 200);
    const late = new Browser(server.url);
    const entry = (await late.open("/sign_in")).forms[0]!;
    assertEquals((await late.submit(entry, { login: "ann", password: PASSWORD })).status, 401);
    assertEquals((await late.submit(entry, { login: "ann", password: next })).status, 303);
  });
});

Deno.test("[issue 4 admin] a disabled account opens nothing, by whatever way", async () => {
  await withSignIn({ flags: ["--api-token", "hunter2"] }, async (server, browser) => {
    const { store } = server.server;
    const ann = await server.addUser("ann");
    await signIn(browser, "ann");
    await store.updateUser(ann.id, { disabledAt: 1 });
    assertEquals((await browser.open("/account")).location, "/sign_in");
    const me = (as: string) => statusOf(askAt(server.url, "/client/users/me", { as }));
    assertEquals(await me(`${ann.id} ${ann.token}`), 401);
    assertEquals(await me(`${ann.id} ADMIN_TOKEN:hunter2`), 401);
    const fresh = new Browser(server.url);
    const form = (await fresh.open("/sign_in")).forms[0]!;
    assertEquals((await fresh.submit(form, { login: "ann", password: PASSWORD })).status, 403);
    assertEquals(
      (await fresh.submit(form, { login: "ann", password: "wrong password" })).status,
      401,
    );
    const { path } = await inviteUser(store, "ann", { admin: false, now: Date.now() });
    assertEquals((await fresh.open(path)).status, 404);
    const impersonation = askAt(server.url, "/internal/users/impersonate", {
      method: "POST",
      as: "Bearer hunter2",
      body: { github_login: "ann" },
    });
    assertEquals(await statusOf(impersonation), 403);
    await store.updateUser(ann.id, { disabledAt: null });
    assertEquals(await me(`${ann.id} ${ann.token}`), 200);
  });
});

Deno.test("[issue 4 sign-in] nobody signs out another's device", async () => {
  await withSignIn({}, async (server, browser) => {
    const ann = await server.addUser("ann");
    await signIn(browser, "root");
    const [token] = await server.server.store.accessTokensOf(ann.id);
    const { forms } = await browser.open("/account");
    const mine = forms.find(({ action }) => action.endsWith("/revoke"))!;
    for (const id of [String(token!.id), "x", "0", "99999999999999999999"]) {
      const answer = await browser.submit({ ...mine, action: `/account/tokens/${id}/revoke` });
      assertEquals(answer.status, 404, id);
    }
    assertEquals(await statusOf(askAt(server.url, "/client/users/me", { as: ann })), 200);
  });
});

Deno.test("[transport 5.1.4] signing out everywhere ends tokens, browsers and connections", async () => {
  await withSignIn({}, async (server, browser) => {
    const ann = await server.addUser("ann");
    const root = await server.addUser("root");
    const other = new Browser(server.url);
    await signIn(other, "ann");
    await signIn(browser, "ann");
    const connection = await server.raw("ann");
    const stays = await server.raw("root");
    const { forms } = await browser.open("/account");
    const everywhere = forms.find(({ action }) => action.endsWith("/sign_out_everywhere"))!;
    assertEquals((await browser.submit(everywhere)).location, "/sign_in");
    await connection.closed;
    for (const one of [browser, other]) {
      assertEquals((await one.open("/account")).location, "/sign_in");
    }
    assertEquals(await statusOf(askAt(server.url, "/client/users/me", { as: ann })), 401);
    assertEquals(await statusOf(askAt(server.url, "/client/users/me", { as: root })), 200);
    assertEquals(stays.end, undefined);
  });
});

Deno.test("[issue 4 accounts] an invitation lets choose a password once, and signs in", async () => {
  await withSignIn({}, async (server, browser) => {
    const { store } = server.server;
    const { path } = await inviteUser(store, "new", { admin: false, now: Date.now() });
    const page = await browser.open(path);
    assertEquals(page.status, 200);
    assertMatch(page.text, /<strong>new<\/strong>/);
    const [form] = page.forms;
    const refused = [
      { password: "short", again: "short" },
      { password: "a good password", again: "another one" },
    ];
    for (const fields of refused) {
      const again = await browser.submit(form!, fields);
      assertEquals([again.status, again.forms.length], [400, 1]);
      assertNotMatch(again.text, /a good password|another one/);
    }
    const taken = await browser.submit(form!, { password: PASSWORD, again: PASSWORD });
    assertEquals([taken.status, taken.location], [303, "/account"]);
    assertMatch((await browser.open("/account")).text, /<strong>new<\/strong>/);
    assertEquals((await browser.submit({ ...form!, fields: { ...form!.fields } })).status, 403);
    const late = new Browser(server.url);
    assertEquals((await late.open(path)).status, 404);
    await signIn(late, "new");
  });
});

Deno.test("[issue 4 accounts] a new link replaces the old one, ends in a week, and ends the old sessions", async () => {
  const clock = new FakeClock();
  await withSignIn({ parts: { clock } }, async (server, browser) => {
    const { store } = server.server;
    const invite = async () =>
      (await inviteUser(store, "ann", { admin: false, now: clock.now() })).path;
    await signIn(browser, "ann");
    const first = await invite();
    const second = await invite();
    const holder = new Browser(server.url);
    assertEquals((await holder.open(first)).status, 404);
    for (const path of ["/invitation", "/invitation?token=x", `${second}x`]) {
      assertEquals((await holder.open(path)).status, 404, path);
    }
    assertEquals((await browser.open("/account")).status, 200, "until the link is used");
    const form = (await holder.open(second)).forms[0]!;
    const password = "another horse battery";
    assertEquals((await holder.submit(form, { password, again: password })).status, 303);
    assertEquals((await browser.open("/account")).location, "/sign_in");

    const third = await invite();
    clock.advance(7 * 24 * 3_600_000 - 1);
    assertEquals((await holder.open(third)).status, 200);
    clock.advance(1);
    assertEquals((await holder.open(third)).status, 404);
  });
});
