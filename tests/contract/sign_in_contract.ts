/** The part of the store's contract about signing in with a browser. */
import { assertEquals, assertRejects } from "@std/assert";
import { type OpenStore, withUsers } from "./store_rows.ts";

const LATER = Date.UTC(2100, 0, 1);

/** Registers the tests for one driver; see `store_contract.ts`. */
export function signInContract(driver: string, open: OpenStore): void {
  Deno.test(
    `[issue 4 accounts] a password is kept until the next one, and goes with its account (${driver})`,
    withUsers(open, async (store) => {
      const { signIn } = store;
      assertEquals(await signIn.passwordHash(1), undefined);
      await signIn.setPasswordHash(1, "a");
      await signIn.setPasswordHash(2, "b");
      await signIn.setPasswordHash(1, "c");
      assertEquals([await signIn.passwordHash(1), await signIn.passwordHash(2)], ["c", "b"]);
      await store.removeUser(1);
      assertEquals(await signIn.passwordHash(1), undefined);
      await assertRejects(() => signIn.setPasswordHash(1, "d"));
    }),
  );

  Deno.test(
    `[issue 4 accounts] sessions are kept until they are ended or have expired (${driver})`,
    withUsers(open, async ({ signIn }) => {
      const session = (hash: string, userId: number, expiresAt = LATER) =>
        signIn.createSession({ hash, userId, expiresAt });
      const there = async () => {
        const found = [];
        for (const hash of ["a", "b", "c", "old"]) {
          const session = await signIn.session(hash);
          if (session !== undefined) found.push([session.hash, session.userId, session.expiresAt]);
        }
        return found;
      };
      await session("old", 1, 5);
      await session("a", 1);
      assertEquals(await there(), [["a", 1, LATER]]);
      await session("b", 1);
      await session("c", 2);
      await assertRejects(() => session("b", 2));
      await signIn.removeSession("a");
      assertEquals(await there(), [["b", 1, LATER], ["c", 2, LATER]]);
      await signIn.removeSessions(1);
      assertEquals(await there(), [["c", 2, LATER]]);
    }),
  );

  Deno.test(
    `[issue 4 accounts] an invitation is good once, and only the newest of an account (${driver})`,
    withUsers(open, async ({ signIn }) => {
      const invite = (hash: string, userId: number, expiresAt = LATER) =>
        signIn.createInvitation({ hash, userId, expiresAt });
      await invite("expired", 2, 5);
      await invite("first", 1);
      assertEquals(await signIn.invitation("expired"), undefined);
      await invite("second", 1);
      await invite("other", 2);
      assertEquals(await signIn.invitation("first"), undefined);
      assertEquals((await signIn.invitation("second"))?.userId, 1);
      assertEquals((await signIn.takeInvitation("second"))?.userId, 1);
      assertEquals(await signIn.takeInvitation("second"), undefined);
      assertEquals((await signIn.invitation("other"))?.expiresAt, LATER);
    }),
  );

  Deno.test(
    `[issue 4 accounts] an identity belongs to one account, the first (${driver})`,
    withUsers(open, async (store) => {
      const { signIn } = store;
      assertEquals(await signIn.identity("github", "7"), undefined);
      assertEquals(await signIn.linkIdentity("github", "7", 1), 1);
      assertEquals(await signIn.linkIdentity("github", "7", 2), 1);
      assertEquals(await signIn.linkIdentity("https://id.example", "7", 2), 2);
      assertEquals(await signIn.identity("github", "7"), 1);
      assertEquals(await signIn.subject("github", 1), "7");
      assertEquals(await signIn.subject("github", 2), undefined);
      await store.removeUser(1);
      assertEquals(await signIn.identity("github", "7"), undefined);
      assertEquals(await signIn.subject("github", 1), undefined);
    }),
  );

  Deno.test(
    `[issue 4 accounts] the server's own keys are made once (${driver})`,
    withUsers(open, async ({ signIn }) => {
      const key = new Uint8Array([0, 255, 1]);
      assertEquals(await signIn.secret("a", key), key);
      assertEquals(await signIn.secret("a", new Uint8Array([2])), key);
      assertEquals(await signIn.secret("b", new Uint8Array([2])), new Uint8Array([2]));
    }),
  );

  Deno.test(
    `[transport 5.1.4, 5.1.2] tokens are listed with label and last use, and revoked one by one (${driver})`,
    withUsers(open, async (store) => {
      const make = (userId: number, label: string | null) =>
        store.createAccessToken({ userId, impersonatorId: null, hash: "h", label }, 8);
      const first = await make(1, "Zed on Linux");
      const second = await make(1, null);
      const other = await make(2, null);
      store.noteTokenUse(second.id);
      const [newest, oldest] = await store.accessTokensOf(1);
      assertEquals(oldest, first);
      assertEquals([oldest!.label, oldest!.lastUsedAt, newest!.label], [
        "Zed on Linux",
        null,
        null,
      ]);
      assertEquals(typeof newest!.lastUsedAt, "number");
      assertEquals(await store.removeAccessToken(2, first.id), false);
      assertEquals(await store.removeAccessToken(1, first.id), true);
      assertEquals(await store.removeAccessToken(1, first.id), false);
      assertEquals((await store.accessTokensOf(1)).map(({ id }) => id), [second.id]);
      assertEquals(await store.accessTokensOf(2), [other]);
    }),
  );

  Deno.test(
    `[channels 2.1] of an account changes what is named, and nothing else (${driver})`,
    withUsers(open, async (store) => {
      const before = (await store.user(1))!;
      assertEquals(await store.updateUser(1, {}), before);
      const named = { ...before, name: "Ann", avatarUrl: "https://x.example/a.png" };
      assertEquals(
        await store.updateUser(1, { name: "Ann", avatarUrl: named.avatarUrl }),
        named,
      );
      assertEquals(await store.updateUser(1, { name: null, admin: !before.admin }), {
        ...named,
        name: null,
        admin: !before.admin,
      });
      assertEquals(await store.updateUser(99, { admin: true }), undefined);
      assertEquals((await store.user(2))?.admin, false);
    }),
  );
}
