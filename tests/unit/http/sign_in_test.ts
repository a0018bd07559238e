import { assert, assertEquals, assertMatch, assertNotEquals, assertNotMatch } from "@std/assert";
import { verifyToken } from "../../../db/access_tokens.ts";
import { Browser, type Page } from "../../support/browser.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { createNativeApp } from "../../support/native_app.ts";
import type { TestServer } from "../../support/server.ts";
import { PASSWORD, signInPath, withSignIn } from "../../support/sign_in.ts";

const app = createNativeApp();

/** What the editor makes of a redirect to it. */
async function received(server: TestServer, { status, location }: Page) {
  assertEquals(status, 303);
  const url = new URL(location!);
  assertEquals([url.origin, url.pathname], ["http://127.0.0.1:54321", "/"]);
  assertEquals([...url.searchParams.keys()], ["user_id", "access_token"]);
  const userId = Number(url.searchParams.get("user_id"));
  const token = app.decrypt(url.searchParams.get("access_token")!);
  return { userId, verdict: await verifyToken(server.server.store, userId, token) };
}

Deno.test("[transport 4.1.4, 4.1.10, 4.2.1] login and password send the browser to the editor with its token", async () => {
  await withSignIn({}, async (server, browser) => {
    const ann = await server.addUser("ann");
    const page = await browser.open(signInPath(app));
    assertEquals(page.status, 200);
    const [form] = page.forms;
    const back = await browser.submit(form!, { login: "ANN", password: PASSWORD }, {
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    });
    assertEquals(back.headers.get("cache-control"), "no-store");
    const { userId, verdict } = await received(server, back);
    assertEquals([userId, verdict.kind], [ann.id, "valid"]);
    assertEquals(verdict.kind === "valid" && verdict.impersonatorId, null);
    const [newest] = await server.server.store.accessTokensOf(ann.id);
    assertEquals(newest!.label, "Zed on Linux");
  });
});

Deno.test("[transport 4.1.9] who is signed in already has to confirm, and may be somebody else", async () => {
  await withSignIn({}, async (server, browser) => {
    const ann = await server.addUser("ann");
    const first = await browser.open(signInPath(app));
    await browser.submit(first.forms[0]!, { login: "ann", password: PASSWORD });

    const tokens = (await server.server.store.accessTokensOf(ann.id)).length;
    const again = await browser.open(signInPath(app));
    assertEquals([again.status, again.location], [200, null]);
    assertEquals((await server.server.store.accessTokensOf(ann.id)).length, tokens);
    assertMatch(again.text, /as <strong>ann<\/strong>/);
    const [confirm, other] = again.forms;
    assertEquals((await received(server, await browser.submit(confirm!))).userId, ann.id);

    const out = await browser.submit(other!);
    assertEquals(out.status, 303);
    assert(out.location!.startsWith("/native_app_signin?"), "to the same request of the editor");
    const form = (await browser.open(out.location!)).forms[0]!;
    const root = await browser.submit(form, { login: "root", password: PASSWORD });
    assertEquals((await received(server, root)).userId, (await server.addUser("root")).id);
  });
});

Deno.test("[transport 4.1.9] bad ports and keys are told on a page, and lead nowhere", async () => {
  await withSignIn({}, async (_server, browser) => {
    const key = `native_app_public_key=${app.publicKey}`;
    const port = "native_app_port=54321";
    const short = createNativeApp(1024).publicKey;
    const wrong = [
      "",
      key,
      port,
      `${port}&native_app_public_key=AAAA`,
      `${port}&native_app_public_key=${short}`,
      ...["0", "65536", "-1", "80.5", "0x50", "080", "1e3", "80@evil.example", "", "999999"].map(
        (text) => `native_app_port=${text}&${key}`,
      ),
    ];
    for (const query of wrong) {
      const page = await browser.open(`/native_app_signin?${query}`);
      assertEquals([page.status, page.forms.length, page.location], [400, 0, null], query);
      assertMatch(page.text, /role="alert">The editor/);
    }
    // Nor by the form.
    const [form] = (await browser.open(signInPath(app))).forms;
    const sent = await browser.submit(form!, {
      login: "ann",
      password: PASSWORD,
      native_app_port: "1@evil.example",
    });
    assertEquals([sent.status, sent.location], [400, null]);
  });
});

Deno.test("[transport 4.1.2] unknown parameters do no harm, and nothing of them gets into the page", async () => {
  await withSignIn({}, async (_server, browser) => {
    const more = `&system_id=a%20b&new=%22%3E%3Cscript%3E&return_to=https://evil.example`;
    const page = await browser.open(signInPath(app, 1, more));
    assertEquals(page.status, 200);
    assertNotMatch(page.text, /script|evil|a b/);
    assertMatch(
      page.headers.get("content-security-policy")!,
      /form-action 'self' http:\/\/127\.0\.0\.1:1;/,
    );
  });
});

Deno.test("[transport 5.3, 10.7] an admin may be somebody else and is written down, others may not", async () => {
  await withSignIn({}, async (server) => {
    const ann = await server.addUser("ann");
    const root = await server.addUser("root");
    const path = signInPath(app, 54321, "&impersonate=ann");

    const admin = new Browser(server.url);
    const [form] = (await admin.open(path)).forms;
    const signedIn = await admin.submit(form!, { login: "root", password: PASSWORD });
    assertEquals(signedIn.status, 303);
    const confirm = await admin.open(signedIn.location!);
    assertMatch(confirm.text, /<strong>root<\/strong>, an administrator[^]*<strong>ann<\/strong>/);
    const { userId, verdict } = await received(server, await admin.submit(confirm.forms[0]!));
    assertEquals(userId, ann.id);
    assertEquals(verdict.kind === "valid" && verdict.impersonatorId, root.id);
    assertEquals((await admin.open(signInPath(app, 1, "&impersonate=nobody"))).status, 404);

    const other = new Browser(server.url);
    const mine = (await other.open(signInPath(app))).forms[0]!;
    await other.submit(mine, { login: "ann", password: PASSWORD });
    const refused = await other.open(signInPath(app, 54321, "&impersonate=root"));
    assertEquals([refused.status, refused.forms.length], [403, 0]);
    const self = await other.open(signInPath(app, 54321, "&impersonate=Ann"));
    assertEquals(self.forms.length, 2);
    const forged = await other.submit(self.forms[0]!, { impersonate: "root" });
    assertEquals([forged.status, forged.location], [403, null]);
  });
});

Deno.test("[issue 4 sign-in] a form that another site sends signs nobody in or out", async () => {
  await withSignIn({}, async (server, victim) => {
    const form = (await victim.open(signInPath(app))).forms[0]!;
    await victim.submit(form, { login: "ann", password: PASSWORD });
    const confirm = (await victim.open(signInPath(app))).forms[0]!;

    // The attacker has a form of his own browser.
    const attacker = new Browser(server.url);
    const foreign = (await attacker.open(signInPath(app))).forms[0]!;
    for (const csrf of [foreign.fields.csrf!, "", "x".repeat(43)]) {
      for (
        const one of [confirm, { ...form, action: "/sign_out" }, { ...form, action: "/sign_in" }]
      ) {
        const page = await victim.submit(one, { csrf, login: "root", password: PASSWORD });
        assertEquals([page.status, page.location], [403, null], one.action);
      }
    }
    assertEquals((await victim.submit(confirm)).status, 303);
  });
});

Deno.test("[issue 4 sign-in] the cookie is signed, out of reach of scripts, and new after signing in", async () => {
  await withSignIn({}, async (_server, browser) => {
    const page = await browser.open(signInPath(app));
    const attributes = page.headers.get("set-cookie")!;
    assertMatch(
      attributes,
      /^parley_session=[\w-]{43}\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    );
    const before = browser.cookies.get("parley_session")!;
    await browser.submit(page.forms[0]!, { login: "ann", password: PASSWORD });
    const after = browser.cookies.get("parley_session")!;
    assertNotEquals(after, before);
    assertEquals((await browser.open("/account")).status, 200);
    const forged = [
      before,
      after.replace(/^./, (c) => c === "A" ? "B" : "A"),
      after.split(".")[0]!,
    ];
    for (const cookie of [...forged, `${after.split(".")[0]}.${before.split(".")[1]}`]) {
      browser.setCookie("parley_session", cookie);
      assertEquals((await browser.open("/account")).location, "/sign_in", cookie);
    }
    browser.setCookie("parley_session", after);
    assertEquals((await browser.open("/account")).status, 200);
    // Who signs in again leaves no earlier session behind.
    const again = (await browser.open(signInPath(app))).forms[0]!.fields.csrf!;
    const form = { action: "/sign_in", fields: { csrf: again } };
    await browser.submit(form, { login: "root", password: PASSWORD });
    assertMatch((await browser.open("/account")).text, /<strong>root<\/strong>/);
    browser.setCookie("parley_session", after);
    assertEquals((await browser.open("/account")).location, "/sign_in");
  });
  await withSignIn(
    { flags: ["--public-url", "https://x.example/zed"] },
    async (_server, browser) => {
      const page = await browser.open(`/zed${signInPath(app)}`);
      assertMatch(page.headers.get("set-cookie")!, /; Path=\/zed; .*; Secure$/);
      assertEquals(page.forms[0]!.action, "/zed/sign_in");
      const back = await browser.submit(page.forms[0]!, { login: "ann", password: PASSWORD });
      assertMatch(back.location!, /^http:\/\/127\.0\.0\.1:54321\//);
      const account = await browser.open("/zed/account");
      assertEquals(account.forms[0]!.action, "/zed/sign_out");
      assertEquals((await browser.submit(account.forms[0]!)).location, "/zed/sign_in");
    },
  );
});

Deno.test("[issue 4 sign-in] a session ends with its time, its account and a restart of nothing", async () => {
  const clock = new FakeClock();
  await withSignIn({ parts: { clock } }, async (server, browser) => {
    const form = (await browser.open("/sign_in")).forms[0]!;
    const signedIn = await browser.submit(form, { login: "ann", password: PASSWORD });
    assertEquals(signedIn.location, "/account");
    assertEquals((await browser.open("/account")).status, 200);
    await server.restart();
    assertEquals((await browser.open("/account")).status, 200);
    clock.advance(30 * 24 * 3_600_000);
    assertEquals((await browser.open("/account")).location, "/sign_in");
    const again = (await browser.open("/sign_in")).forms[0]!;
    await browser.submit(again, { login: "ann", password: PASSWORD });
    assertEquals((await browser.open("/account")).status, 200);
    await server.server.store.removeUser((await server.addUser("ann")).id);
    assertEquals((await browser.open("/account")).location, "/sign_in");
  });
});

Deno.test("[issue 4 sign-in] a wrong login and a wrong password read alike", async () => {
  await withSignIn({}, async (server, browser) => {
    await server.addUser("without");
    const form = (await browser.open("/sign_in")).forms[0]!;
    const texts = [];
    for (const login of ["ann", "nobody", "without", "x".repeat(1000), "", "a b"]) {
      const page = await browser.submit(form, { login, password: "wrong password" });
      assertEquals(page.status, 401, login);
      texts.push(/role="alert">([^<]*)/.exec(page.text)![1]);
    }
    assertEquals(new Set(texts).size, 1);
    const kept = await browser.submit(form, { login: '"><b>', password: "x" });
    assertEquals(kept.forms[0]!.fields.login, '"><b>');
    assertEquals(kept.forms[0]!.fields.password, "", "a password is never sent back");
  });
});

Deno.test("[issue 4 sign-in] wrong passwords are limited by account and by address", async () => {
  const clock = new FakeClock();
  const flags = ["--trusted-proxies", "loopback"];
  await withSignIn({ flags, parts: { clock } }, async (server) => {
    let address = 0;
    const attempt = async (login: string, password: string, from = `10.0.0.${++address}`) => {
      const browser = new Browser(server.url);
      const form = (await browser.open("/sign_in")).forms[0]!;
      return (await browser.submit(form, { login, password }, { "x-forwarded-for": from })).status;
    };
    // By account, from many addresses: the right password has to wait, too.
    for (let i = 0; i < 10; i++) assertEquals(await attempt("ann", "wrong password"), 401);
    assertEquals(await attempt("Ann", PASSWORD), 429);
    assertEquals(await attempt("root", PASSWORD), 303, "nobody else");
    for (let i = 0; i < 10; i++) assertEquals(await attempt("nobody", "wrong password"), 401);
    assertEquals(await attempt("nobody", "wrong password"), 429, "unknown logins look the same");
    clock.advance(60_000);
    assertEquals(await attempt("ann", PASSWORD), 303);
    for (let i = 0; i < 10; i++) assertEquals(await attempt("ann", "wrong password"), 401);

    // By address, for many accounts; what a client wrote before the proxy does not count.
    for (let i = 0; i < 20; i++) {
      assertEquals(await attempt(`user${i}`, "wrong password", `1.2.3.${i}, 9.9.9.9`), 401);
    }
    assertEquals(await attempt("root", PASSWORD, "8.8.8.8, 9.9.9.9"), 429);
    assertEquals(await attempt("root", PASSWORD, "9.9.9.9, 8.8.8.8"), 303);
    clock.advance(6_000);
    assertEquals(await attempt("root", PASSWORD, "9.9.9.9"), 303);
  });
});

Deno.test("[transport 5.5] while the database is away nobody is told that he is not known", async () => {
  await withSignIn({}, async (server, browser) => {
    const page = await browser.open(signInPath(app));
    await server.server.store.close();
    const answer = await browser.submit(page.forms[0]!, { login: "ann", password: PASSWORD });
    assertEquals(answer.status, 503);
    assertEquals((await browser.open(signInPath(app))).status, 503);
  });
});
