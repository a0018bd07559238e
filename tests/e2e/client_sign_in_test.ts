import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { CollabClient } from "../../client/collab_client.ts";
import { MemoryStore } from "../../client/credentials/memory_store.ts";
import { AuthenticationError } from "../../client/errors.ts";
import { fetchClient } from "../../client/http/fetch_client.ts";
import { browserSignIn } from "../../client/node/browser_sign_in.ts";
import { createNativeKey } from "../../client/sign_in/native_key.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { PASSWORD, withSignIn } from "../support/sign_in.ts";
import { SteppedClock } from "../support/stepped_clock.ts";

const SERVER = "https://server.example/p";
const spkiHead = Uint8Array.fromHex("30820122300d06092a864886f70d01010105000382010f00");

/** Encrypts as a server does, in the format of today or the one before. */
function encrypt(publicKey: string, text: string, isOld = false): string {
  const pkcs1 = Uint8Array.fromBase64(publicKey, { alphabet: "base64url" });
  const key = createPublicKey({
    key: Uint8Array.from([...spkiHead, ...pkcs1]) as never,
    format: "der",
    type: "spki",
  });
  const bytes = new TextEncoder().encode(text);
  const encrypted = isOld
    ? publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, bytes)
    : publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, bytes);
  return new Uint8Array(encrypted).toBase64({ alphabet: "base64url" });
}

/** Begins a sign-in whose browser is the test. */
function begin(clock = new SteppedClock()) {
  const shown = Promise.withResolvers<URL>();
  const ending = new AbortController();
  const method = browserSignIn({ open: (url) => shown.resolve(new URL(url)), clock });
  const result = method.signIn({
    serverUrl: SERVER,
    http: fetchClient(),
    signal: ending.signal,
  });
  result.catch(() => {});
  const visit = async (path: string) => {
    const port = (await shown.promise).searchParams.get("native_app_port");
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual" });
    await response.body?.cancel();
    return response;
  };
  return { shown: shown.promise, result, visit, clock, ending };
}

Deno.test("[transport 4.1.1] a sign-in opens a page with a key of its own and a port of the loopback address", async () => {
  const keys = new Set<string>();
  for (let round = 0; round < 2; round++) {
    const { shown, result, ending } = begin();
    const url = await shown;
    assertEquals(url.origin + url.pathname, `${SERVER}/native_app_signin`);
    const key = url.searchParams.get("native_app_public_key")!;
    assertMatch(key, /^MIIBCgKCAQEA[\w-]{344}AQAB$/);
    keys.add(key);
    const port = Number(url.searchParams.get("native_app_port"));
    assertEquals([...url.searchParams.keys()], ["native_app_port", "native_app_public_key"]);
    const probe = await Deno.connect({ hostname: "127.0.0.1", port });
    probe.close();
    ending.abort(new Error("Signed out"));
    await assertRejects(() => result, Error, "Signed out");
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  }
  assertEquals(keys.size, 2);
});

Deno.test("[transport 4.1.5] the first request decides and is sent on; a later one gets nothing", async () => {
  const { shown, result, visit } = begin();
  const key = (await shown).searchParams.get("native_app_public_key")!;
  const token = encodeURIComponent(encrypt(key, "the token"));
  const answer = await visit(`/any/path?x=1&user_id=12&access_token=${token}&y=2`);
  assertEquals(answer.status, 302);
  assertEquals(answer.headers.get("location"), `${SERVER}/native_app_signin_succeeded`);
  assertEquals(await result, { userId: 12n, token: "the token" });

  const other = begin();
  assertEquals((await other.visit("/favicon.ico")).status, 500);
  await assertRejects(() => other.result, AuthenticationError, "without user_id");
});

Deno.test("[transport 4.1.7] an id that is no number and a token for another key are errors", async () => {
  const one = begin();
  const key = (await one.shown).searchParams.get("native_app_public_key")!;
  await one.visit(`/?user_id=ann&access_token=${encrypt(key, "x")}`);
  await assertRejects(() => one.result, AuthenticationError, '"ann" is no number');

  const two = begin();
  await two.shown;
  await two.visit(`/?user_id=1&access_token=${encrypt(key, "x")}`);
  await assertRejects(() => two.result, AuthenticationError);

  const three = begin();
  const own = (await three.shown).searchParams.get("native_app_public_key")!;
  // Unpadded text is refused.
  await three.visit(`/?user_id=1&access_token=${encrypt(own, "x").replace(/=+$/, "")}`);
  await assertRejects(() => three.result, AuthenticationError, "padding");
});

Deno.test("[transport 4.1.8] without a request within 100 s the sign-in fails", async () => {
  const { shown, result, clock } = begin();
  await shown;
  clock.advance(99_999);
  clock.advance(1);
  await assertRejects(() => result, AuthenticationError, "didn't receive login redirect");
  assertEquals(clock.timers, 0);
});

Deno.test("[transport 4.2.5] both formats of the token are read", async () => {
  const { shown, result, visit } = begin();
  const key = (await shown).searchParams.get("native_app_public_key")!;
  await visit(`/?user_id=1&access_token=${encodeURIComponent(encrypt(key, "old format", true))}`);
  assertEquals((await result).token, "old format");
  const pure = await createNativeKey();
  assertEquals(await pure.decrypt(encrypt(pure.publicKey, "new format")), "new format");
});

Deno.test("[transport 3.4.1] a client signs in through the browser at a real server, and the next start needs none", async () => {
  await withSignIn({}, async (server, browser) => {
    const store = new MemoryStore();
    let opened = 0;
    const method = browserSignIn({
      open: async (address) => {
        opened++;
        const url = new URL(address);
        const page = await browser.open(url.pathname + url.search);
        const next = await browser.submit(page.forms[0]!, { login: "ann", password: PASSWORD });
        const answer = await fetch(next.location!, { redirect: "manual" });
        await answer.body?.cancel();
      },
    });
    const options = { serverUrl: server.url, store, signIn: method, transport: denoTransport };
    for (let start = 0; start < 2; start++) {
      await using client = await CollabClient.connect(options);
      const { users } = await client.request("GetUsers", { userIds: [client.userId] });
      assertEquals(users[0]?.githubLogin, "ann");
      assertEquals(opened, 1);
    }
    // Signed out: forgotten here and in the store; the server is not told.
    const client = await CollabClient.connect(options);
    const stored = await store.read(server.url);
    await client.connection.signOut();
    assertEquals(client.status.name, "SignedOut");
    assertEquals(await store.read(server.url), undefined);
    await client[Symbol.asyncDispose]();
    assert(stored !== undefined);
    await using still = await CollabClient.connect({
      ...{ serverUrl: server.url, transport: denoTransport, credentials: stored },
    });
    assertEquals(still.status.name, "Connected");
  });
});
