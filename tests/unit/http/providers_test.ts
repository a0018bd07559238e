import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { inviteUser } from "../../../db/accounts.ts";
import { Browser, type Page } from "../../support/browser.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeGitHub } from "../../support/fake_github.ts";
import { freePort } from "../../support/free_port.ts";
import { createNativeApp } from "../../support/native_app.ts";
import { OidcServer } from "../../support/oidc_server.ts";
import { PASSWORD, signInPath, withSignIn } from "../../support/sign_in.ts";
import type { TestServer, TestServerOptions } from "../../support/server.ts";

const app = createNativeApp();
const CLIENT = { clientId: "parley", clientSecret: "client secret" };

interface World {
  readonly server: TestServer;
  readonly browser: Browser;
  readonly github: FakeGitHub;
  /** Goes to GitHub and comes back with what it is told. */
  visit(path: string, browser?: Browser, query?: Record<string, string>): Promise<Page>;
}

/** A second provider, which nobody reaches. */
const OTHER = [
  "--oidc-issuer=http://127.0.0.1:9",
  "--oidc-client-id=other",
  "--oidc-client-secret=other",
];

async function withGitHub(
  { flags = [], ...options }: TestServerOptions,
  body: (world: World) => Promise<void>,
): Promise<void> {
  await using github = new FakeGitHub();
  const all = [
    ...flags,
    ...["--github-url", github.url, "--github-api-url", `${github.url}/api/v3`],
    ...["--github-client-id", CLIENT.clientId, "--github-client-secret", CLIENT.clientSecret],
  ];
  await withSignIn({ ...options, flags: all }, async (server, browser) => {
    await body({
      server,
      browser,
      github,
      async visit(path, by = browser, query = {}) {
        const leave = await by.open(path);
        assertEquals(leave.status, 303, leave.text);
        const { searchParams } = new URL(leave.location!);
        const back = new URLSearchParams({
          code: "a code",
          state: searchParams.get("state")!,
          ...query,
        });
        return await by.open(`/sign_in/github/callback?${back}`);
      },
    });
  });
}

function alertOf({ text }: Page): string {
  return /role="alert">([^<]*)/.exec(text)?.[1] ?? "";
}

Deno.test("[issue 4 github] who is known signs in with GitHub; the editor needs a click", async () => {
  await withGitHub({}, async ({ server, browser, github, visit }) => {
    const ann = await server.addUser("ann");
    const { signIn } = server.server.store;
    await signIn.linkIdentity(github.url, "77", ann.id);
    const page = await browser.open(signInPath(app));
    const link = /href="([^"]*\/sign_in\/github[^"]*)"/.exec(page.text)![1]!
      .replaceAll("&amp;", "&");
    const leave = await browser.open(link);
    const target = new URL(leave.location!);
    assertEquals(target.origin + target.pathname, `${github.url}/login/oauth/authorize`);
    const { state, code_challenge, ...query } = Object.fromEntries(target.searchParams);
    assertEquals(query, {
      client_id: CLIENT.clientId,
      redirect_uri: `${server.url}/sign_in/github/callback`,
      scope: "",
      code_challenge_method: "S256",
    });
    assertMatch(
      leave.headers.get("set-cookie")!,
      /parley_provider=[\w.-]+; Path=\/sign_in; Max-Age=900; HttpOnly; SameSite=Lax/,
    );
    const back = await browser.open(`/sign_in/github/callback?code=a%20code&state=${state}`);
    assertEquals(back.status, 303);
    assertMatch(back.location!, /^\/native_app_signin\?native_app_port=54321&/);
    const [exchange] = github.exchanges;
    const { code_verifier, ...sent } = exchange!;
    assertEquals(sent, {
      client_id: CLIENT.clientId,
      client_secret: CLIENT.clientSecret,
      code: "a code",
      redirect_uri: `${server.url}/sign_in/github/callback`,
    });
    assertEquals(
      createHash("sha256").update(code_verifier!).digest("base64url"),
      code_challenge,
    );
    const confirm = await browser.open(back.location!);
    assertMatch(confirm.text, /<strong>ann<\/strong>/);
    const done = await browser.submit(confirm.forms[0]!);
    assertEquals(new URL(done.location!).searchParams.get("user_id"), String(ann.id));
    // The code is used up with its cookie.
    const again = await browser.open(`/sign_in/github/callback?code=a%20code&state=${state}`);
    assertEquals(again.status, 400);
    // Name and picture come along.
    github.user = {
      id: 77,
      login: "else",
      name: "New Name",
      avatar_url: "https://x.example/a.png",
    };
    assertEquals((await visit("/sign_in/github")).location, "/account");
    const { login, name, avatarUrl } = (await server.server.store.user(ann.id))!;
    assertEquals([login, name, avatarUrl], ["ann", "New Name", "https://x.example/a.png"]);
  });
});

Deno.test("[issue 4 github] a stranger gets no account, not even one with his GitHub name, unless all may", async () => {
  await withGitHub({}, async ({ server, github, visit }) => {
    await server.addUser("octo");
    const page = await visit("/sign_in/github");
    assertEquals(page.status, 403);
    assertMatch(alertOf(page), /No account on this server is yours, octo/);
    assertEquals(await server.server.store.signIn.identity(github.url, "77"), undefined);
  });
  await withGitHub({ flags: ["--sign-up", "open"] }, async ({ server, github, visit }) => {
    const { store } = server.server;
    assertEquals((await visit("/sign_in/github")).location, "/account");
    const user = (await store.userByLogin("octo"))!;
    assertEquals([user.name, user.admin], ["Octo Cat", false]);
    assertEquals(await store.signIn.identity(github.url, "77"), user.id);
    github.user = { ...github.user, login: "renamed" };
    assertEquals((await visit("/sign_in/github")).location, "/account");
    assertEquals(await store.userByLogin("renamed"), undefined);
    for (const login of ["ann", "ANN", "x".repeat(40), ""]) {
      github.user = { id: 78, login };
      assertEquals((await visit("/sign_in/github")).status, 409, login);
    }
    assertEquals(await store.signIn.identity(github.url, "78"), undefined);
  });
});

Deno.test("[issue 4 github] an invitation is taken with GitHub, once and while it is fresh", async () => {
  const clock = new FakeClock();
  await withGitHub({ parts: { clock } }, async ({ server, browser, github, visit }) => {
    const { store } = server.server;
    const invite = () => inviteUser(store, "new", { admin: false, now: clock.now() });
    const { id, path } = await invite();
    const page = await browser.open(path);
    const link = /href="(\/sign_in\/github[^"]*)"/.exec(page.text)![1]!;
    assertEquals((await visit(link)).location, "/account");
    assertEquals(await store.signIn.identity(github.url, "77"), id);
    github.user = { id: 78, login: "late" };
    assertEquals((await visit(link, new Browser(server.url))).status, 403);
    const old = await invite();
    clock.advance(7 * 24 * 3_600_000);
    const query = old.path.replace("/invitation?token=", "/sign_in/github?invitation=");
    assertEquals((await visit(query, new Browser(server.url))).status, 403);
  });
});

Deno.test("[issue 4 github] what comes back must have been begun by this browser, just now", async () => {
  const clock = new FakeClock();
  await withGitHub(
    { parts: { clock }, flags: OTHER },
    async ({ server, browser, github, visit }) => {
      await server.server.store.signIn.linkIdentity(github.url, "77", 1);
      const leave = await browser.open("/sign_in/github");
      const state = new URL(leave.location!).searchParams.get("state")!;
      const back = `/sign_in/github/callback?code=c&state=${state}`;
      const victim = new Browser(server.url);
      assertEquals((await victim.open(back)).status, 400, "begun elsewhere");
      assertEquals((await browser.open(`${back}x`)).status, 502, "another state");
      assertEquals(
        (await browser.open(back.replace("github", "oidc"))).status,
        400,
        "with another",
      );
      assertEquals(github.exchanges, []);
      const cookie = browser.cookies.get("parley_provider")!;
      browser.setCookie("parley_provider", cookie.replace(/^./, (c) => c === "e" ? "f" : "e"));
      assertEquals((await browser.open(back)).status, 400, "forged");
      browser.setCookie("parley_provider", cookie);
      clock.advance(15 * 60_000);
      assertEquals((await browser.open(back)).status, 400, "too late");
      assertEquals((await victim.open("/account")).location, "/sign_in");

      const refused = await visit("/sign_in/github", victim, {
        error: "access_denied",
        error_description: "<b>no</b>",
      });
      assertEquals(refused.status, 502);
      assertMatch(alertOf(refused), /refused there: &lt;b&gt;no/);
      for (const path of ["/sign_in/x", "/sign_in/x/callback"]) {
        assertEquals((await browser.open(path)).status, 404, path);
      }
    },
  );
});

Deno.test("[issue 4 github] answers of GitHub that make no sense sign nobody in", async () => {
  await withGitHub({}, async ({ server, github, visit }) => {
    await server.server.store.signIn.linkIdentity(github.url, "77", 1);
    const refusals = [
      () => Response.json({ error: "bad_verification_code" }),
      () => new Response("<html>", { status: 200 }),
      () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
      () => Response.json({ access_token: "another" }),
      () => new Response("down", { status: 503 }),
    ];
    for (const refusal of refusals) {
      github.refusal = refusal();
      const page = await visit("/sign_in/github", new Browser(server.url));
      assertEquals(page.status, 502);
      assertMatch(alertOf(page), /GitHub did not work/);
    }
    github.refusal = undefined;
    assertEquals((await visit("/sign_in/github", new Browser(server.url))).status, 303);
  });
});

Deno.test("[issue 4 oidc] a real provider: discovery, PKCE, nonce, profile; refusals are told", async () => {
  // The provider must know our address, and we the provider's: ours is taken first.
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  await using oidc = await OidcServer.start(() => ({
    ...CLIENT,
    callback: `${url}/sign_in/oidc/callback`,
  }));
  const flags = [
    ...["--public-url", url, "--oidc-name", "Example & Co", "--sign-up", "open"],
    ...["--oidc-issuer", oidc.issuer],
    ...["--oidc-client-id", CLIENT.clientId, "--oidc-client-secret", CLIENT.clientSecret],
  ];
  await withSignIn({ flags }, async (server, browser) => {
    const { store } = server.server;
    // The public address is a name only: requests go where the server listens.
    const visit = async (by: Browser): Promise<Page> => {
      const leave = await by.open("/sign_in/oidc");
      assertEquals(leave.status, 303, leave.text);
      const elsewhere = new Browser(oidc.issuer);
      let location = leave.location!;
      while (location.startsWith(oidc.issuer) || location.startsWith("/")) {
        const page = await elsewhere.open(location);
        assert(page.location !== null, page.text);
        location = page.location;
      }
      const { pathname, search, origin } = new URL(location);
      assertEquals(origin, url);
      return await by.open(pathname + search);
    };
    oidc.person = {
      sub: "person-1",
      preferred_username: "olga",
      name: "Olga O.",
      picture: "https://x.example/o.png",
    };
    assertMatch((await browser.open("/sign_in")).text, /Sign in with Example &amp; Co/);
    assertEquals((await visit(browser)).location, "/account");
    const olga = (await store.userByLogin("olga"))!;
    assertEquals([olga.name, olga.avatarUrl], ["Olga O.", "https://x.example/o.png"]);
    assertEquals(await store.signIn.identity(oidc.issuer, "person-1"), olga.id);
    assertMatch((await browser.open("/account")).text, /<strong>olga<\/strong>/);

    oidc.person = { sub: "person-1", preferred_username: "renamed", picture: "javascript:x" };
    assertEquals((await visit(new Browser(server.url))).location, "/account");
    assertEquals(await store.user(olga.id), olga);

    oidc.person = { sub: "person-2", preferred_username: "ann" };
    assertEquals((await visit(new Browser(server.url))).status, 409);
    oidc.person = { sub: "person-3" };
    assertEquals((await visit(new Browser(server.url))).status, 409);

    oidc.refuses = true;
    const refused = await visit(new Browser(server.url));
    assertEquals(refused.status, 502);
    assertMatch(alertOf(refused), /refused there: the user said no/);
    oidc.refuses = false;

    // A code that was made for another browser's request does not fit this one's.
    const mine = new Browser(server.url);
    const leave = await mine.open("/sign_in/oidc");
    const state = new URL(leave.location!).searchParams.get("state")!;
    const forged = await mine.open(`/sign_in/oidc/callback?code=x&state=${state}`);
    assertEquals(forged.status, 502);
  });
});

Deno.test("[issue 4 oidc] a provider that is away is asked again later", async () => {
  const port = freePort();
  const flags = [
    ...["--oidc-issuer", `http://127.0.0.1:${port}`],
    ...["--oidc-client-id", CLIENT.clientId, "--oidc-client-secret", CLIENT.clientSecret],
  ];
  await withSignIn({ flags }, async (_server, browser) => {
    assertEquals((await browser.open("/sign_in/oidc")).status, 502);
    const issuer = `http://127.0.0.1:${port}`;
    const answer = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    };
    await using _provider = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      () => Response.json(answer),
    );
    const leave = await browser.open("/sign_in/oidc");
    assertEquals(leave.status, 303, leave.text);
    assert(leave.location!.startsWith(`${issuer}/auth?`));
  });
});

Deno.test("[issue 4 sign-in] without passwords there are the providers only", async () => {
  await withGitHub(
    { flags: ["--password-sign-in", "off"] },
    async ({ server, browser, github, visit }) => {
      const page = await browser.open(signInPath(app));
      assertEquals(page.forms.length, 0);
      assertMatch(page.text, /Sign in with GitHub/);
      const { path } = await inviteUser(server.server.store, "new", {
        admin: false,
        now: Date.now(),
      });
      const invitation = await browser.open(path);
      assertEquals([invitation.status, invitation.forms.length], [200, 0]);
      assertMatch(invitation.text, /Sign in with GitHub/);
      await server.server.store.signIn.linkIdentity(github.url, "77", 1);
      await visit("/sign_in/github");
      const { csrf } = (await browser.open("/account")).forms[0]!.fields;
      for (const action of ["/sign_in", "/invitation"]) {
        const fields = { csrf: csrf!, login: "ann", password: PASSWORD };
        assertEquals((await browser.submit({ action, fields })).status, 404);
      }
    },
  );
});
