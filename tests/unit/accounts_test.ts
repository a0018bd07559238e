import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { verifyToken } from "../../db/access_tokens.ts";
import { addToken, addUsers, listUsers, NoSuchUserError, removeUser } from "../../db/accounts.ts";
import { checkLogin, InvalidLoginError } from "../../db/login.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { LoginTakenError, type Store } from "../../db/store.ts";

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const store = await openSqlite({ path: ":memory:" });
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

Deno.test("[issue 3 run] a login is 1 to 39 letters, digits, marks, not of marks alone", () => {
  for (const login of ["a", "A-b_c.9", "x".repeat(39), "-a", "9"]) checkLogin(login);
  for (const login of ["", " ", "a b", "x".repeat(40), "ä", "a/b", ".", "..", "-_", "a\n", "a\0"]) {
    const error = assertThrows(() => checkLogin(login), InvalidLoginError);
    assertMatch(error.message, /1 to 39 characters/);
  }
});

Deno.test("[issue 3 run] added users get an id and a token that signs them in", async () => {
  await withStore(async (store) => {
    const added = await addUsers(store, ["alice", "bob"], { admin: true });
    assertEquals(added.map(({ id, login }) => [id, login]), [[1, "alice"], [2, "bob"]]);
    for (const { id, token } of added) {
      assertEquals((await verifyToken(store, id, token)).kind, "valid");
    }
    const list = await listUsers(store);
    assertEquals(list.map(({ id, login, admin }) => [id, login, admin]), [
      [1, "alice", true],
      [2, "bob", true],
    ]);
  });
});

Deno.test("[issue 3 run] one login that cannot be had, and none is added", async () => {
  await withStore(async (store) => {
    await addUsers(store, ["alice"], { admin: false });
    const taken = await assertRejects(
      () => addUsers(store, ["bob", "ALICE"], { admin: false }),
      LoginTakenError,
    );
    assertMatch(taken.message, /"ALICE"/);
    await assertRejects(() => addUsers(store, ["bob", "Bob"], { admin: false }), LoginTakenError);
    await assertRejects(() => addUsers(store, ["bob", "x y"], { admin: false }), InvalidLoginError);
    assertEquals((await listUsers(store)).map((user) => user.login), ["alice"]);
  });
});

Deno.test("[issue 3 run] a further token works beside the first one", async () => {
  await withStore(async (store) => {
    const [alice] = await addUsers(store, ["Alice"], { admin: false });
    const more = await addToken(store, "alice");
    assertEquals([more.id, more.login], [1, "Alice"]);
    for (const token of [alice!.token, more.token]) {
      assertEquals((await verifyToken(store, 1, token)).kind, "valid");
    }
    const error = await assertRejects(() => addToken(store, "bob"), NoSuchUserError);
    assertMatch(error.message, /"bob".*user list/);
  });
});

Deno.test("[issue 3 run] a removed user is gone, an unknown one is an error", async () => {
  await withStore(async (store) => {
    await addUsers(store, ["alice", "bob"], { admin: false });
    assertEquals((await removeUser(store, "ALICE")).id, 1);
    assertEquals((await listUsers(store)).map((user) => user.login), ["bob"]);
    await assertRejects(() => removeUser(store, "alice"), NoSuchUserError);
  });
});
