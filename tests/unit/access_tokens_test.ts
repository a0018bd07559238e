import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { createToken, hashSecret, maxTokensPerUser, verifyToken } from "../../db/access_tokens.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { type Store, StoreUnavailableError } from "../../db/store.ts";

async function withUsers(body: (store: Store) => Promise<void>): Promise<void> {
  const store = await openSqlite({ path: ":memory:" });
  try {
    await store.createUser({ login: "alice", admin: true });
    await store.createUser({ login: "bob", admin: false });
    await body(store);
  } finally {
    await store.close();
  }
}

Deno.test("[transport 5.1.1] a token is compact JSON with version, row id and 48 random bytes", async () => {
  await withUsers(async (store) => {
    const token = await createToken(store, 1);
    assertMatch(token, /^\{"version":1,"id":1,"token":"[A-Za-z0-9_-]{64}"\}$/);
    const other = JSON.parse(await createToken(store, 1));
    assertEquals(other.id, 2);
    assertNotEquals(other.token, JSON.parse(token).token);
  });
});

Deno.test("[transport 5.1.2] only the hash of the secret's text is stored", async () => {
  // printf %s parley | openssl dgst -sha256 -binary | basenc --base64url
  assertEquals(hashSecret("parley"), "$sha256$1onfzaJOWZEUjRZ-00ys8Ng-LASABmi9fw969f5Y5LQ=");
  await withUsers(async (store) => {
    const { id, token } = JSON.parse(await createToken(store, 1));
    assertEquals((await store.accessToken(id))?.hash, hashSecret(token));
  });
});

Deno.test("[transport 5.1.3] a further token than the limit signs the oldest out", async () => {
  await withUsers(async (store) => {
    const tokens: string[] = [];
    for (let i = 0; i <= maxTokensPerUser; i++) tokens.push(await createToken(store, 1));
    const kinds = [];
    for (const token of tokens) kinds.push((await verifyToken(store, 1, token)).kind);
    assertEquals(kinds, ["invalid", ...Array(maxTokensPerUser).fill("valid")]);
  });
});

Deno.test("[transport 5.2.1] a token is valid for its own user", async () => {
  await withUsers(async (store) => {
    const verdict = await verifyToken(store, 1, await createToken(store, 1));
    assert(verdict.kind === "valid");
    assertEquals(verdict.user.login, "alice");
    assertEquals(verdict.impersonatorId, null);
  });
});

Deno.test("[transport 5.3] a token that an admin made for a user signs in as that user", async () => {
  await withUsers(async (store) => {
    const token = await createToken(store, 2, 1);
    const verdict = await verifyToken(store, 2, token);
    assert(verdict.kind === "valid");
    assertEquals([verdict.user.login, verdict.impersonatorId], ["bob", 1]);
    assertEquals(await verifyToken(store, 1, token), { kind: "invalid" });
  });
});

Deno.test("[transport 5.2.1] anything else is invalid, whatever it is", async () => {
  await withUsers(async (store) => {
    const text = await createToken(store, 1);
    const { id, token } = JSON.parse(text);
    const other = JSON.parse(await createToken(store, 1));
    const changed = (token.startsWith("A") ? "B" : "A") + token.slice(1);
    const wrong = [
      "",
      "null",
      "{",
      token,
      `"${token}"`,
      `[1,${id},"${token}"]`,
      JSON.stringify({ version: 1, id, token: changed }),
      JSON.stringify({ version: 1, id, token: token.slice(1) }),
      JSON.stringify({ version: 1, id, token: "" }),
      JSON.stringify({ version: 1, id, token: hashSecret(token) }),
      JSON.stringify({ version: 1, id, token: [token] }),
      JSON.stringify({ version: 1, id: other.id, token }),
      JSON.stringify({ version: 1, id: 99, token }),
      JSON.stringify({ version: 1, id: -1, token }),
      JSON.stringify({ version: 1, id: 1.5, token }),
      `{"version":1,"id":18446744073709551617,"token":"${token}"}`,
      JSON.stringify({ version: 1, id: String(id), token }),
      JSON.stringify({ version: 2, id, token }),
      JSON.stringify({ id, token }),
      text + " ".repeat(10_000),
      `{"__proto__":{"version":1,"id":${id},"token":"${token}"}}`,
    ];
    for (const given of wrong) {
      assertEquals(await verifyToken(store, 1, given), { kind: "invalid" }, given.slice(0, 200));
    }
    for (const userId of [0, 2, 3, -1]) {
      assertEquals(await verifyToken(store, userId, text), { kind: "invalid" }, String(userId));
    }
    assertEquals((await verifyToken(store, 1, text)).kind, "valid");
  });
});

Deno.test("[transport 5.1.4] a removed account's token is invalid", async () => {
  await withUsers(async (store) => {
    const token = await createToken(store, 2);
    await store.removeUser(2);
    assertEquals(await verifyToken(store, 2, token), { kind: "invalid" });
  });
});

Deno.test("[transport 5.4.0] trouble of the database is thrown, never taken for a bad token", async () => {
  await withUsers(async (store) => {
    const token = await createToken(store, 1);
    await store.close();
    await assertRejects(() => verifyToken(store, 1, token), StoreUnavailableError);
  });
});

Deno.test("[transport 5.4.0] trouble between token and account is thrown as well", async () => {
  await withUsers(async (store) => {
    const token = await createToken(store, 1);
    const failing = new Proxy(store, {
      get(target, name) {
        if (name === "user") return () => Promise.reject(new StoreUnavailableError("gone"));
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await assertRejects(() => verifyToken(failing, 1, token), StoreUnavailableError, "gone");
  });
});

Deno.test("[transport 5.2.4] a check costs one hash and two look-ups by key, a malformed token none", async () => {
  await withUsers(async (store) => {
    const id = 1;
    const token = await createToken(store, id);
    const asked: string[] = [];
    const counted = new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          asked.push(String(name));
          return value.apply(target, args);
        };
      },
    });
    assertEquals((await verifyToken(counted, id, token)).kind, "valid");
    // The note of the use is gathered, and written once a minute.
    assertEquals(asked.splice(0), ["accessToken", "user", "noteTokenUse"]);
    assertEquals((await verifyToken(counted, id, "x".repeat(100_000))).kind, "invalid");
    assertEquals((await verifyToken(counted, id, "{}")).kind, "invalid");
    assertEquals(asked.splice(0), []);
    const wrong = JSON.stringify({ ...JSON.parse(token), token: "x" });
    assertEquals((await verifyToken(counted, id, wrong)).kind, "invalid");
    assertEquals(asked, ["accessToken"]);
    assertMatch(
      (await store.accessToken(1))!.hash,
      /^\$sha256\$/,
      "no slow hash: it is no password",
    );
  });
});
