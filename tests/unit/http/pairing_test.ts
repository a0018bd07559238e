import { assert, assertEquals, assertMatch } from "@std/assert";
import { verifyToken } from "../../../db/access_tokens.ts";
import { loginOf } from "../../../http/signin/pairing.ts";
import { systemClock } from "../../../lib/clock.ts";
import { PairingCodes } from "../../../local/pairing_codes.ts";
import type { Pairing } from "../../../local/port.ts";
import { Browser } from "../../support/browser.ts";
import { askAt } from "../../support/http.ts";
import { createNativeApp } from "../../support/native_app.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { signInPath } from "../../support/sign_in.ts";

const app = createNativeApp();
const FINGERPRINT = "ab12".repeat(16);

/** A server in local mode, where this machine counts as another one unless `trusted`. */
async function withPairing(
  trusted: boolean,
  body: (server: TestServer, pairing: Pairing) => Promise<void>,
): Promise<void> {
  const codes = new PairingCodes(systemClock);
  const pairing: Pairing = Object.assign(codes, {
    fingerprint: FINGERPRINT,
    needsCode: () => !trusted,
  });
  try {
    await using server = await startServer({
      flags: ["--password-sign-in", "off"],
      parts: { pairing },
    });
    await body(server, pairing);
  } finally {
    codes.end();
  }
}

interface Paired {
  readonly user_id: number;
  readonly login: string;
  readonly name: string | null;
  readonly access_token: string;
  readonly fingerprint: string | null;
  readonly error?: string;
}

async function pairAt(
  { url }: TestServer,
  body: unknown,
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<[number, Paired]> {
  const answer = await askAt(url, "/local/pair", { method: "POST", body, headers });
  return [answer.status, await answer.json()];
}

Deno.test("[local 3b] a code becomes a credential of a new user, with the device's name", async () => {
  await withPairing(false, async (server, pairing) => {
    const code = pairing.current.text;
    const [status, paired] = await pairAt(server, { code, name: "Ada L.", device: "Ada's phone" });
    assertEquals(status, 200, paired.error);
    assertEquals([paired.login, paired.name, paired.fingerprint], ["ada-l", "Ada L.", FINGERPRINT]);
    const { store } = server.server;
    assertEquals((await verifyToken(store, paired.user_id, paired.access_token)).kind, "valid");
    const [token] = await store.accessTokensOf(paired.user_id);
    assertEquals(token?.label, "Ada's phone");
    assertEquals((await store.user(paired.user_id))?.admin, false);
    // The code was used up.
    assertEquals((await pairAt(server, { code, name: "Bob", device: "x" }))[0], 401);
  });
});

Deno.test("[local 3b] a code for an account pairs one more device of it, whatever name is given", async () => {
  await withPairing(false, async (server, pairing) => {
    const ada = await server.addUser("ada");
    const code = pairing.forLogin("ada").text;
    const [status, paired] = await pairAt(server, { code, name: "", device: "laptop" });
    assertEquals([status, paired.user_id], [200, ada.id]);
    await server.server.store.updateUser(ada.id, { disabledAt: 1 });
    const [refused] = await pairAt(server, { code: pairing.forLogin("ada").text, device: "b" });
    assertEquals(refused, 403);
    const gone = pairing.forLogin("nobody").text;
    assertEquals((await pairAt(server, { code: gone, device: "b" }))[0], 401);
  });
});

Deno.test("[local 3] a name that somebody has is refused, and leaves the code good", async () => {
  await withPairing(false, async (server, pairing) => {
    await server.addUser("ada");
    const code = pairing.current.text;
    const [status, { error }] = await pairAt(server, { code, name: "ADA", device: "x" });
    assertEquals(status, 409);
    assertMatch(error!, /parley pair ada/);
    assertEquals((await pairAt(server, { code, name: "…", device: "x" }))[0], 400);
    assertEquals((await pairAt(server, { code, name: "Bob", device: "x" }))[0], 200);
  });
});

Deno.test("[local 3a] guessing is slowed down, then locked", async () => {
  await withPairing(false, async (server, pairing) => {
    const guess = { code: "AAAA-AAAA", name: "Eve", device: "x" };
    for (let i = 0; i < 5; i++) assertEquals((await pairAt(server, guess))[0], 401);
    assertEquals((await pairAt(server, { ...guess, code: pairing.current.text }))[0], 429);
    assertEquals(await server.server.store.userByLogin("eve"), undefined);
  });
});

Deno.test("[local 3d] from a trusted address a name is enough; with a wrong code it is not", async () => {
  await withPairing(true, async (server) => {
    const [status, first] = await pairAt(server, { name: "Ada", device: "x" });
    assertEquals(status, 200, first.error);
    const [, again] = await pairAt(server, { name: "Ada", device: "y" });
    assertEquals(again.user_id, first.user_id);
    assertEquals((await pairAt(server, { name: "Ada", device: "y", code: "AAAA-AAAA" }))[0], 401);
    assertEquals((await pairAt(server, { name: " - ", device: "y" }))[0], 400);
  });
});

Deno.test("[local 3] what is no such request is refused, as is a page of another site", async () => {
  await withPairing(true, async (server) => {
    const json = { "content-type": "application/json" };
    for (const body of ["", "{", "[]", "null", { name: "Ada" }, { name: 1, device: "x" }]) {
      assertEquals((await pairAt(server, body, json))[0], 400, JSON.stringify(body));
    }
    const long = { name: "a".repeat(81), device: "x" };
    assertEquals((await pairAt(server, long))[0], 400);
    // What browsers send for other sites without asking.
    const plain = { "content-type": "text/plain" };
    assertEquals((await pairAt(server, { name: "Ada", device: "x" }, plain))[0], 400);
    assertEquals(await server.server.store.userByLogin("ada"), undefined);
  });
});

Deno.test("[local 3e] an editor's sign-in page asks for code and name, and sends the editor its token", async () => {
  await withPairing(false, async (server, pairing) => {
    const browser = new Browser(server.url);
    const page = await browser.open(signInPath(app));
    assertEquals(page.status, 200);
    const [form] = page.forms;
    assertEquals(Object.keys(form!.fields).filter((name) => ["code", "name"].includes(name)), [
      "code",
      "name",
    ]);
    const wrong = await browser.submit(form!, { code: "AAAA-AAAA", name: "<Ada>" });
    assertEquals(wrong.status, 401);
    assertEquals(wrong.forms[0]?.fields.name, "<Ada>");
    const back = await browser.submit(wrong.forms[0]!, { code: pairing.current.text, name: "Ada" });
    assertEquals(back.status, 303);
    const { origin, searchParams } = new URL(back.location!);
    assertEquals(origin, "http://127.0.0.1:54321");
    const token = app.decrypt(searchParams.get("access_token")!);
    const verdict = await verifyToken(
      server.server.store,
      Number(searchParams.get("user_id")),
      token,
    );
    assert(verdict.kind === "valid" && verdict.user.login === "ada");
  });
});

Deno.test("[local 3d] on the machine itself the page asks for a name alone", async () => {
  await withPairing(true, async (server) => {
    const browser = new Browser(server.url);
    const page = await browser.open(signInPath(app));
    const [form] = page.forms;
    assertEquals(form!.fields.code, undefined);
    assertEquals((await browser.submit(form!, { name: "Ada" })).status, 303);
  });
});

Deno.test("[local 3] a scanned address opens the page with its code", async () => {
  await withPairing(false, async (server, pairing) => {
    const browser = new Browser(server.url);
    const page = await browser.open(`/pair?code=${pairing.current.text}`);
    assertEquals(page.forms[0]?.fields.code, pairing.current.text);
    const next = await browser.submit(page.forms[0]!, { name: "Ada" });
    assertEquals([next.status, next.location], [303, "/account"]);
  });
});

Deno.test("[local 3] outside local mode nothing is paired", async () => {
  await using server = await startServer({});
  const browser = new Browser(server.url);
  assertEquals((await browser.open("/pair")).status, 404);
  assertEquals((await pairAt(server, { name: "Ada", device: "x" }))[0], 404);
});

Deno.test("[local 3b] display names become logins", () => {
  const logins = {
    "Ada Lovelace": "ada-lovelace",
    "  Zoë  Šimek ": "zoe-simek",
    "李": "",
    "...": "",
    "-_a.b_-": "a.b",
    ["x".repeat(80)]: "x".repeat(39),
  };
  for (const [name, login] of Object.entries(logins)) assertEquals(loginOf(name), login, name);
});
