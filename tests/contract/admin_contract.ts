/** The part of the store's contract about administration. */
import { assertEquals } from "@std/assert";
import type { NewAuditEntry } from "../../db/admin_store.ts";
import { type OpenStore, withStore, withUsers } from "./store_rows.ts";

/** Registers the tests for one driver; see `store_contract.ts`. */
export function adminContract(driver: string, open: OpenStore): void {
  Deno.test(
    `[issue 4 admin] accounts come page by page, found by any part of login, name and e-mail (${driver})`,
    withStore(open, async (store) => {
      await store.createUser({ login: "Ann", admin: false, name: "Zoe Q." });
      await store.createUser({ login: "bob_1", admin: false, email: "Bob@ann.example" });
      await store.createUser({ login: "bobx1", admin: true });
      const find = async (query: string, after = 0, limit = 10) =>
        (await store.admin.usersPage({ query, after, limit })).map(({ id }) => id);
      assertEquals(await find(""), [1, 2, 3]);
      assertEquals([await find("", 0, 2), await find("", 2, 2), await find("", 3)], [[1, 2], [
        3,
      ], []]);
      assertEquals(await find("aNN"), [1, 2]);
      assertEquals([await find("zoe q"), await find("b_1"), await find("%"), await find("\\")], [
        [1],
        [2],
        [],
        [],
      ]);
      assertEquals(await find("bob", 2), [3]);
    }),
  );

  Deno.test(
    `[issue 4 admin] e-mail, staff and being disabled are kept, and taken back (${driver})`,
    withUsers(open, async (store) => {
      const facts = async () => {
        const user = await store.user(1);
        return [user?.email, user?.staff, user?.disabledAt];
      };
      assertEquals(await facts(), [null, null, null]);
      await store.updateUser(1, { email: "a@b.example", staff: false, disabledAt: 7 });
      assertEquals(await facts(), ["a@b.example", false, 7]);
      await store.updateUser(1, { name: "A" });
      assertEquals(await facts(), ["a@b.example", false, 7]);
      await store.updateUser(1, { email: null, staff: null, disabledAt: null });
      assertEquals(await facts(), [null, null, null]);
    }),
  );

  Deno.test(
    `[issue 4 admin] the audit log is read from its end, and outlives accounts (${driver})`,
    withUsers(open, async (store) => {
      const { admin } = store;
      const entry: NewAuditEntry = {
        actor: { kind: "user", id: 1, login: "user-1" },
        action: "user.update",
        target: "/users/2",
        targetName: "user-2",
        clientAddress: "127.0.0.1",
        details: { admin: true, name: "Ü" },
      };
      await admin.addAuditEntry(entry);
      await admin.addAuditEntry({ ...entry, action: "user.remove", target: "/users/3" });
      await admin.addAuditEntry({
        actor: { kind: "api token", id: null, login: null },
        action: "user.remove",
        target: null,
        targetName: null,
        clientAddress: null,
        details: {},
      });
      await store.removeUser(1);
      const [last, , first] = await admin.auditEntries({ before: null, limit: 10 });
      const { id, createdAt, ...rest } = first!;
      assertEquals([id, createdAt > 0, rest], [1, true, entry]);
      assertEquals([last!.actor.kind, last!.details], ["api token", {}]);
      const ids = async (
        page: { before?: number; limit?: number; target?: string; action?: string },
      ) => (await admin.auditEntries({ before: null, limit: 10, ...page })).map(({ id }) => id);
      assertEquals(await ids({ limit: 2 }), [3, 2]);
      assertEquals(await ids({ before: 2 }), [1]);
      assertEquals(await ids({ target: "/users/2" }), [1]);
      assertEquals(await ids({ action: "user.remove" }), [3, 2]);
    }),
  );

  Deno.test(
    `[channels 2.6] [transport 6.2e] a signature is kept once, with its first time (${driver})`,
    withUsers(open, async ({ admin }) => {
      assertEquals([await admin.contributorSince(2), await admin.contributors()], [undefined, []]);
      await admin.addContributor(2);
      const since = await admin.contributorSince(2);
      await admin.addContributor(2);
      assertEquals(await admin.contributorSince(2), since);
      assertEquals((await admin.contributors()).length, 1);
    }),
  );

  Deno.test(
    `[issue 4 billing] a customer stays who he was, and an old word changes no subscription (${driver})`,
    withUsers(open, async ({ admin }) => {
      assertEquals(await admin.addCustomer(1, "cus_1"), "cus_1");
      assertEquals(await admin.addCustomer(1, "cus_2"), "cus_1");
      assertEquals(
        [await admin.userOfCustomer("cus_1"), await admin.userOfCustomer("cus_2")],
        [1, undefined],
      );
      const told = {
        id: "sub_1",
        userId: 1,
        status: "active",
        plan: "pro",
        startedAt: 1,
        endsAt: 2,
        cancels: false,
        toldAt: 10,
      };
      assertEquals(await admin.putSubscription(told), true);
      assertEquals(
        await admin.putSubscription({ ...told, status: "incomplete", toldAt: 9 }),
        false,
      );
      assertEquals(await admin.subscriptionsOf(1), [told]);
      const later = { ...told, status: "canceled", plan: null, endsAt: null, toldAt: 11 };
      assertEquals(await admin.putSubscription(later), true);
      assertEquals(await admin.subscriptionsOf(1), [later]);
    }),
  );

  Deno.test(
    `[issue 4 accounts] a user's sessions are listed, and ended one by one or all but one (${driver})`,
    withUsers(open, async ({ signIn }) => {
      const expiresAt = Date.UTC(2100, 0, 1);
      await signIn.createSession({ hash: "a", userId: 1, expiresAt, label: "Firefox" });
      await signIn.createSession({ hash: "b", userId: 1, expiresAt });
      await signIn.createSession({ hash: "c", userId: 1, expiresAt });
      await signIn.createSession({ hash: "d", userId: 2, expiresAt });
      const open = async () => (await signIn.sessionsOf(1)).map(({ hash }) => hash).sort();
      assertEquals((await signIn.session("a"))?.label, "Firefox");
      assertEquals(await open(), ["a", "b", "c"]);
      assertEquals([await signIn.removeSessionOf(2, "a"), await signIn.removeSessionOf(1, "a")], [
        false,
        true,
      ]);
      await signIn.removeOtherSessions(1, "b");
      assertEquals(await open(), ["b"]);
      assertEquals((await signIn.sessionsOf(2)).length, 1);
    }),
  );
}
