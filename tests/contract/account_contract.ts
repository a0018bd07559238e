/** The part of the store's contract about accounts and what belongs to them. */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { LoginTakenError } from "../../db/store.ts";
import {
  commit,
  contact,
  notification,
  type OpenStore,
  put,
  withStore,
  withUsers,
} from "./store_rows.ts";

/** Registers the tests for one driver; see `store_contract.ts`. */
export function accountContract(driver: string, open: OpenStore): void {
  Deno.test(
    `[channels 2.1] accounts are found by id and by login in any case (${driver})`,
    withStore(open, async (store) => {
      const alice = await store.createUser({ login: "Alice", admin: true, name: "Alice A." });
      const bob = await store.createUser({ login: "bob", admin: false });
      assertEquals([alice.id, alice.login, alice.admin, alice.name], [
        1,
        "Alice",
        true,
        "Alice A.",
      ]);
      assertEquals([bob.name, bob.admin, bob.connectedOnce, bob.avatarUrl], [
        null,
        false,
        false,
        null,
      ]);
      assertNotEquals(alice.metricsId, bob.metricsId);
      assertEquals(await store.user(1), alice);
      assertEquals(await store.user(3), undefined);
      assertEquals(await store.userByLogin("aLICE"), alice);
      assertEquals(await store.userByLogin("alic"), undefined);
      assertEquals(await store.users([2, 7, 1, 2]), [alice, bob]);
      assertEquals(await store.users([]), []);
      assertEquals(await store.users([1, 2 ** 53, 2 ** 64, -1]), [alice]);
      assertEquals(await store.user(2 ** 63), undefined);
      assertEquals(await store.allUsers(), [alice, bob]);
      await store.setConnectedOnce(2);
      assertEquals((await store.user(2))?.connectedOnce, true);
      assertEquals((await store.user(1))?.connectedOnce, false);
    }),
  );

  Deno.test(
    `[channels 2.1] a login belongs to one account, whatever its case (${driver})`,
    withStore(open, async (store) => {
      await store.createUser({ login: "alice", admin: false });
      const error = await assertRejects(
        () => store.createUser({ login: "ALICE", admin: false }),
        LoginTakenError,
      );
      assertEquals(error.login, "ALICE");
      assertEquals((await store.allUsers()).length, 1);
    }),
  );

  Deno.test(
    `[channels 2.1] the id of a removed account is never given out again (${driver})`,
    withUsers(open, async (store) => {
      assertEquals(await store.removeUser(2), true);
      assertEquals(await store.removeUser(2), false);
      assertEquals((await store.createUser({ login: "carl", admin: false })).id, 3);
    }),
  );

  Deno.test(
    `[issue 3 run] an account goes with its tokens, contacts and notifications (${driver})`,
    withUsers(open, async (store) => {
      await store.createUser({ login: "carl", admin: false });
      const token = (userId: number, impersonatorId: number | null) =>
        store.createAccessToken({ userId, impersonatorId, hash: "h" }, 8);
      const own = await token(2, null);
      const asBob = await token(2, 1);
      const byBob = await token(1, 2);
      const other = await token(1, null);
      await commit(
        store,
        put("contacts", contact(1, 2)),
        put("contacts", contact(2, 3)),
        put("contacts", contact(1, 3)),
        put("notifications", notification(1, 2)),
        // About bob, whom nobody could look up any more.
        put("notifications", notification(2, 1, { entity_id: 2 })),
        // Channel 2 is not user 2.
        put("notifications", notification(3, 1, { kind: "ChannelInvitation", entity_id: 2 })),
      );
      await store.removeUser(2);
      for (const { id } of [own, asBob, byBob]) {
        assertEquals(await store.accessToken(id), undefined);
      }
      assertEquals(await store.accessToken(other.id), other);
      assertEquals(await store.load("contacts"), [contact(1, 3)]);
      assertEquals((await store.load("notifications")).map((row) => row.id), [3]);
    }),
  );

  Deno.test(
    `[transport 5.1.3] only the newest tokens of a user are kept, an admin's apart (${driver})`,
    withUsers(open, async (store) => {
      const token = (userId: number, impersonatorId: number | null = null) =>
        store.createAccessToken({ userId, impersonatorId, hash: `h${userId}` }, 2);
      const bobs = await token(2);
      const first = await token(1);
      assertEquals([first.userId, first.impersonatorId, first.hash], [1, null, "h1"]);
      assertEquals(await store.accessToken(first.id), first);
      const later = [await token(1), await token(1, 2), await token(1, 2), await token(1, 2)];
      assertEquals(await store.accessToken(first.id), first);
      later.push(await token(1));
      assertEquals(await store.accessToken(first.id), undefined);
      const kept = [];
      for (const { id } of later) if (await store.accessToken(id)) kept.push(id);
      assertEquals(kept, [later[0]!.id, later[2]!.id, later[3]!.id, later[4]!.id]);
      assertEquals(await store.accessToken(bobs.id), bobs);
      await store.removeAccessTokens(1);
      assertEquals(await store.accessToken(later[4]!.id), undefined);
      assertEquals(await store.accessToken(bobs.id), bobs);
    }),
  );

  Deno.test(
    `[channels 2.4] users are searched by exact login below 3 bytes, fuzzily from 3 (${driver})`,
    withStore(open, async (store) => {
      const logins = [
        ...["California", "colorado", "oregon", "washington", "florida", "delaware"],
        ...["rhode-island", "ab", "Ab1"],
      ];
      for (const login of logins) await store.createUser({ login, admin: false });
      const search = async (query: string, limit = 10) =>
        (await store.searchUsers(query, limit)).map((user) => user.login);
      assertEquals(await search(""), []);
      assertEquals(await search("ab"), ["ab"]);
      assertEquals(await search("aB"), []);
      assertEquals(await search("é"), []);
      assertEquals(await search("clr"), ["colorado", "California"]);
      assertEquals(await search("clr", 1), ["colorado"]);
      assertEquals(await search("RHODE ISLAND"), ["rhode-island"]);
      assertEquals(await search("e%_"), await search("-e-"));
      assertEquals((await search("---", 100)).length, logins.length);
      assertEquals(await search("%%%", 4).then((found) => found.length), 4);
      assertEquals(await search("a".repeat(100_000)), []);
    }),
  );

  Deno.test(
    `[channels 3.1] the contacts of a user are found from both sides (${driver})`,
    withUsers(open, async (store) => {
      await store.createUser({ login: "carl", admin: false });
      await commit(store, put("contacts", contact(1, 2)), put("contacts", contact(2, 3)));
      assertEquals(await store.contactsOf(1), [contact(1, 2)]);
      assertEquals(await store.contactsOf(2), [contact(2, 3), contact(1, 2)]);
      assertEquals(await store.contactsOf(3), [contact(2, 3)]);
    }),
  );

  Deno.test(
    `[channels 4.5] notifications come in pages, newest last (${driver})`,
    withUsers(open, async (store) => {
      await commit(
        store,
        ...[1, 2, 3, 4].map((id) => put("notifications", notification(id, 1))),
        put("notifications", notification(5, 2)),
      );
      const ids = async (before: number | null, limit: number) =>
        (await store.notificationsOf(1, before, limit)).map((row) => row.id);
      assertEquals(await ids(null, 3), [2, 3, 4]);
      assertEquals(await ids(2, 3), [1]);
      assertEquals(await ids(1, 3), []);
      assertEquals(await store.notificationsOf(2, null, 1), [notification(5, 2)]);
    }),
  );

  Deno.test(
    `[design 1.3] an account's write that fails leaves nothing behind (${driver})`,
    withUsers(open, async (store) => {
      await assertRejects(() =>
        store.createAccessToken({ userId: 99, impersonatorId: null, hash: "h" }, 8)
      );
      await commit(store, put("rooms", { id: 1, live_kit_room: "x", channel_id: null }));
      assertEquals((await store.load("rooms")).length, 1);
      const { id } = await store.createAccessToken(
        { userId: 1, impersonatorId: null, hash: "h" },
        8,
      );
      assertEquals(await store.accessToken(id + 1), undefined);
    }),
  );

  Deno.test(
    `[channels 4.4] the newest unread notification of a kind and entity is found (${driver})`,
    withUsers(open, async (store) => {
      await commit(
        store,
        put("notifications", notification(1, 1)),
        put("notifications", notification(2, 1)),
        put("notifications", notification(3, 1, { is_read: true, response: true })),
        put("notifications", notification(4, 1, { kind: "ContactRequestAccepted" })),
        put("notifications", notification(5, 1, { entity_id: 8 })),
        put("notifications", notification(6, 2)),
      );
      assertEquals(
        await store.unreadNotification(1, "ContactRequest", 9),
        notification(2, 1),
      );
      assertEquals(await store.unreadNotification(2, "ContactRequest", 8), undefined);
    }),
  );
}
