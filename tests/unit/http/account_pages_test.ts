import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { inviteUser } from "../../../db/accounts.ts";
import { Browser } from "../../support/browser.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { askAt, statusOf } from "../../support/http.ts";
import { createNativeApp } from "../../support/native_app.ts";
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
    const page = await browser.open("/account");
    assertMatch(
      page.text,
      /Zed on macOS[^]*not used yet[^]*Token from the command line[^]*last used/,
    );
    const revoke = page.forms.filter(({ action }) => action.endsWith("/revoke"));
    assertEquals(revoke.length, 2);
    assertEquals((await browser.submit(revoke[1]!)).location, "/account");
    await connection.closed;
    assertEquals(await statusOf(askAt(server.url, "/client/users/me", { as: ann })), 401);
    assertEquals((await browser.submit(revoke[1]!)).status, 404);
    assertEquals((await browser.open("/account")).forms.length, 3);
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
