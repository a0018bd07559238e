import { assertEquals, assertRejects } from "@std/assert";
import { createToken } from "../../../db/access_tokens.ts";
import { openSqlite } from "../../../db/sqlite/open.ts";
import type { Store } from "../../../db/store.ts";
import { authenticate, parseAuthorization } from "../../../http/credentials.ts";

Deno.test("[transport 1.2.2] the header holds a user id and a token", () => {
  assertEquals(parseAuthorization('7 {"version":1}'), { userId: 7, token: '{"version":1}' });
  assertEquals(parseAuthorization("  2147483647   abc  "), { userId: 2_147_483_647, token: "abc" });
});

for (
  const [what, header] of [
    ["no header", null],
    ["an empty header", ""],
    ["no token", "7"],
    ["a token of a dev server", "dev-server-token 7:abc"],
    ["an id that is no number", "seven abc"],
    ["an id of 0", "0 abc"],
    ["a negative id", "-7 abc"],
    ["an id with zeros before it", "007 abc"],
    ["an id of more than 31 bits", "2147483648 abc"],
    ["an id far beyond", "99999999999999999999 abc"],
    ["another scheme", "Bearer abc"],
  ] as const
) {
  Deno.test(`[transport 5.4.1] malformed credentials are as good as none: ${what}`, () => {
    assertEquals(parseAuthorization(header), undefined);
  });
}

function headers(authorization: string | null): Headers {
  return new Headers(authorization === null ? {} : { authorization });
}

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const store = await openSqlite({ path: ":memory:" });
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

Deno.test("[transport 5.4] a token signs its own user in, and nobody else", async () => {
  await withStore(async (store) => {
    const ann = await store.createUser({ login: "ann", admin: false });
    const bob = await store.createUser({ login: "bob", admin: false });
    const token = await createToken(store, ann.id);
    const verdict = await authenticate(store, headers(`${ann.id} ${token}`));
    assertEquals(verdict.kind === "valid" && verdict.user.login, "ann");
    assertEquals((await authenticate(store, headers(`${bob.id} ${token}`))).kind, "invalid");
    assertEquals(
      (await authenticate(store, headers(`${ann.id} ${token.slice(0, -3)}"}`))).kind,
      "invalid",
    );
    assertEquals((await authenticate(store, headers(`${ann.id} nonsense`))).kind, "invalid");
    assertEquals((await authenticate(store, headers(null))).kind, "invalid");
  });
});

Deno.test("[transport 5.4.0] a database that does not answer is no verdict", async () => {
  await withStore(async (store) => {
    const ann = await store.createUser({ login: "ann", admin: false });
    const token = await createToken(store, ann.id);
    const away = new Proxy(store, {
      get: (target, name) =>
        name === "accessToken"
          ? () => Promise.reject(new Error("The database is away"))
          : Reflect.get(target, name, target),
    });
    await assertRejects(() => authenticate(away, headers(`${ann.id} ${token}`)), Error, "away");
    // What cannot be a token needs no database to be refused.
    assertEquals((await authenticate(away, headers("7"))).kind, "invalid");
  });
});
