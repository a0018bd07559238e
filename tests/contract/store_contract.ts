/** What every {@link Store} does alike; `<driver>_test.ts` runs it on one. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreUnavailableError } from "../../db/store.ts";
import { type RowOf, type TableName, tables } from "../../db/tables.ts";
import { accountContract } from "./account_contract.ts";
import { adminContract } from "./admin_contract.ts";
import { agentContract } from "./agent_contract.ts";
import { messageContract } from "./message_contract.ts";
import { extensionContract } from "./extension_contract.ts";
import { signInContract } from "./sign_in_contract.ts";
import {
  type AnyRow,
  commit,
  contact,
  edges,
  keyOf,
  load,
  notification,
  type OpenStore,
  put,
  remove,
  sampleRow,
  tableNames,
  withStore,
  withUsers,
} from "./store_rows.ts";

/**
 * Registers the suite for one driver.
 *
 * @param driver its name, for the tests' names.
 * @param open makes an empty, migrated store; the suite closes it.
 */
export function storeContract(driver: string, open: OpenStore): void {
  accountContract(driver, open);
  signInContract(driver, open);
  messageContract(driver, open);
  adminContract(driver, open);
  extensionContract(driver, open);
  agentContract(driver, open);

  Deno.test(
    `[design 1.3] every column of every table comes back as it was put (${driver})`,
    withUsers(open, async (store) => {
      for (const table of tableNames) {
        const row = sampleRow(table);
        await commit(store, put(table, row));
        assertEquals(await load(store, table), [row], table);
      }
    }),
  );

  Deno.test(
    `[design 1.3] texts come back whatever their characters (${driver})`,
    withStore(open, async (store) => {
      const texts = [
        "",
        "\0",
        "a\0b",
        "\x01",
        "\x010",
        "\x01\0\x011",
        "1\x01\x01",
        "\u{10ffff}%_'\"\n",
      ];
      for (const [i, live_kit_room] of texts.entries()) {
        const row = { id: i + 1, live_kit_room, channel_id: null };
        await commit(store, put("rooms", row));
        assertEquals(await store.loadWhere("rooms", { live_kit_room }), [row]);
      }
      const name = "A\0\x01";
      await store.createUser({ login: "alice", admin: false, name });
      assertEquals((await store.userByLogin("alice"))?.name, name);
    }),
  );

  Deno.test(
    `[design 1.3] bytes come back, none and many (${driver})`,
    withStore(open, async (store) => {
      const key = { project_id: 1, worktree_id: 1n, id: 1n };
      for (const length of [0, 1, 65_536]) {
        const row = { ...key, scan_id: 1n, entry: crypto.getRandomValues(new Uint8Array(length)) };
        await commit(store, put("worktree_entries", row));
        assertEquals(await store.load("worktree_entries", key), [row]);
      }
    }),
  );

  Deno.test(
    `[design 1.3] null comes back from every column that allows it (${driver})`,
    withUsers(open, async (store) => {
      for (const table of tableNames) {
        const row = sampleRow(table);
        for (const [name, type] of Object.entries(tables[table].columns)) {
          if (type.endsWith("?")) row[name] = null;
        }
        await commit(store, put(table, row));
        assertEquals(await load(store, table), [row], table);
      }
    }),
  );

  Deno.test(
    `[design 1.3] a put replaces the row with its key, and no other (${driver})`,
    withUsers(open, async (store) => {
      for (const table of tableNames) {
        if (table === "contacts") continue;
        const [first, second] = [sampleRow(table, 1), sampleRow(table, 2)];
        const changed = { ...sampleRow(table, 3), ...keyOf(table, first) };
        await commit(store, put(table, first), put(table, second), put(table, changed));
        const rows = await load(store, table);
        assertEquals(rows.length, 2, table);
        assertEquals(await load(store, table, keyOf(table, first)), [changed], table);
        assertEquals(await load(store, table, keyOf(table, second)), [second], table);
      }
    }),
  );

  Deno.test(
    `[design 1.3] a removal takes what has the leading part of its key, and nothing else (${driver})`,
    withUsers(open, async (store) => {
      for (const table of tableNames) {
        if (table === "contacts") continue;
        const { key } = tables[table];
        for (let length = 1; length <= key.length; length++) {
          const row = sampleRow(table, 1);
          // Same key up to the column that the removal names last.
          const other = { ...sampleRow(table, 2), ...keyOf(table, row, length - 1) };
          await commit(store, put(table, row), put(table, other));
          await commit(store, remove(table, keyOf(table, row, length)));
          assertEquals(await load(store, table), [other], `${table} by ${length}`);
          await commit(store, remove(table, keyOf(table, other)));
          assertEquals(await load(store, table), [], table);
        }
      }
    }),
  );

  Deno.test(
    `[design 3a] 64 bits pass every u64 column, exact and in order (${driver})`,
    withUsers(open, async (store) => {
      for (const table of tableNames) {
        for (const [column, type] of Object.entries(tables[table].columns)) {
          if (type !== "u64") continue;
          const inKey = tables[table].key.includes(column as never);
          // Unordered on purpose, so that only the store can have ordered them.
          const shuffled = [5, 0, 4, 2, 1, 3].map((i) => edges[i]!);
          for (const value of shuffled) {
            const row = { ...sampleRow(table), [column]: value };
            await commit(store, put(table, row));
            assertEquals(
              await load(store, table, keyOf(table, row)),
              [row],
              `${table}.${column} = ${value}`,
            );
          }
          if (inKey) {
            const found = (await load(store, table)).map((row) => row[column]);
            assertEquals(found, edges, `${table}.${column}`);
            for (const value of edges) {
              const key = keyOf(table, { ...sampleRow(table), [column]: value });
              await commit(store, remove(table, key));
            }
          } else {
            const last = { [column]: shuffled.at(-1) };
            const found = await store.loadWhere(table, last as Partial<RowOf<typeof table>>);
            assertEquals(found.length, 1, `${table}.${column}`);
            await commit(store, remove(table, keyOf(table, sampleRow(table))));
          }
          assertEquals(await load(store, table), [], `${table}.${column}`);
        }
      }
    }),
  );

  Deno.test(
    `[design 3a] numbers that do not fit are refused instead of changed (${driver})`,
    withStore(open, async (store) => {
      const bad: [TableName, string, unknown][] = [
        ["worktree_entries", "id", -1n],
        ["worktree_entries", "id", 2n ** 64n],
        ["worktree_entries", "id", 1],
        ["worktree_entries", "project_id", 2 ** 53],
        ["worktree_entries", "project_id", 1.5],
        ["worktree_entries", "project_id", 1n],
        ["rooms", "live_kit_room", null],
        ["rooms", "live_kit_room", undefined],
        ["projects", "windows_paths", 1],
        ["worktree_entries", "entry", "text"],
      ];
      for (const [table, column, value] of bad) {
        const row = { ...sampleRow(table), [column]: value };
        const refused = await store.commit([{ actor: "/a", writes: [put(table, row)] }]);
        assertEquals(refused.length, 1, `${table}.${column} = ${value}`);
      }
    }),
  );

  Deno.test(
    `[design 1.3] rows come in the order of their key, by any leading part (${driver})`,
    withStore(open, async (store) => {
      const row = (project_id: number, worktree_id: bigint, path: string) => ({
        ...sampleRow("worktree_settings"),
        project_id,
        worktree_id,
        path,
      });
      const rows = [row(2, 1n, "a"), row(1, 2n, "b"), row(1, 10n, "a"), row(1, 2n, "a")];
      await commit(store, ...rows.map((r) => put("worktree_settings", r)));
      const paths = (found: AnyRow[]) =>
        found.map((r) => `${r.project_id} ${r.worktree_id} ${r.path}`);
      assertEquals(paths(await load(store, "worktree_settings")), [
        "1 2 a",
        "1 2 b",
        "1 10 a",
        "2 1 a",
      ]);
      assertEquals(paths(await load(store, "worktree_settings", { project_id: 1 })).length, 3);
      assertEquals(
        paths(await load(store, "worktree_settings", { project_id: 1, worktree_id: 2n })),
        ["1 2 a", "1 2 b"],
      );
    }),
  );

  Deno.test(
    `[design 1.3] rows are found by any columns, null among them (${driver})`,
    withStore(open, async (store) => {
      const room = (id: number, channel_id: number | null) => ({
        id,
        live_kit_room: `r${id}`,
        channel_id,
      });
      await commit(
        store,
        ...[room(1, null), room(2, 7), room(3, null)].map((r) => put("rooms", r)),
      );
      assertEquals(await store.loadWhere("rooms", { channel_id: 7 }), [room(2, 7)]);
      assertEquals(await store.loadWhere("rooms", { channel_id: null }), [
        room(1, null),
        room(3, null),
      ]);
      assertEquals(await store.loadWhere("rooms", { channel_id: null, live_kit_room: "r3" }), [
        room(3, null),
      ]);
      assertEquals(await store.loadWhere("rooms", { live_kit_room: "none" }), []);
    }),
  );

  Deno.test(
    `[design 1.3] a key that is no leading part, and one that would empty a table, are refused (${driver})`,
    withStore(open, async (store) => {
      await assertRejects(() => store.load("worktrees", { id: 1n }), TypeError, "leading part");
      for (const key of [{ id: 1n }, {}, { nonsense: 1 }]) {
        const refused = await store.commit([
          { actor: "/a", writes: [remove("worktrees", key)] },
        ]);
        assertEquals(refused.length, 1);
      }
      await assertRejects(
        () => store.loadWhere("rooms", { nonsense: 1 } as Partial<RowOf<"rooms">>),
        TypeError,
        "nonsense",
      );
    }),
  );

  Deno.test(
    `[design 1.3a] a group that fails is rolled back whole, the others of its transaction stay (${driver})`,
    withUsers(open, async (store) => {
      const good = (id: number) => put("rooms", { id, live_kit_room: "x", channel_id: null });
      const refused = await store.commit([
        { actor: "/rooms/1", writes: [good(1)] },
        { actor: "/users/1", writes: [good(2), put("contacts", { ...contact(1, 99) })] },
        { actor: "/rooms/3", writes: [good(3)] },
        { actor: "/rooms/4", writes: [good(4), put("rooms", { id: 5 })] },
      ]);
      assertEquals(refused.map((group) => group.index), [1, 3]);
      assert(refused[0]!.error.message.includes("/users/1"), refused[0]!.error.message);
      assertEquals((await store.load("rooms")).map((room) => room.id), [1, 3]);
      assertEquals(await store.load("contacts"), []);
    }),
  );

  Deno.test(
    `[design 1.3d] what an actor wrote behind a group that fails is rolled back with it (${driver})`,
    withStore(open, async (store) => {
      const room = (id: number) => put("rooms", { id, live_kit_room: "x", channel_id: null });
      const refused = await store.commit([
        { actor: "/rooms/1", writes: [room(1)] },
        { actor: "/rooms/2", writes: [room(2), put("rooms", { id: 20 })] },
        { actor: "/rooms/1", writes: [room(10)] },
        { actor: "/rooms/2", writes: [room(21)] },
      ]);
      assertEquals(refused.map((group) => group.index), [1, 3]);
      assertEquals((await store.load("rooms")).map(({ id }) => id), [1, 10]);
    }),
  );

  Deno.test(
    `[design 1.3d] what builds on a group that fails is rolled back with it, and what builds on that (${driver})`,
    withStore(open, async (store) => {
      const room = (id: number) => put("rooms", { id, live_kit_room: "x", channel_id: null });
      // One that is seen to be bad by looking at it, and one that only the database finds so.
      const bad = [put("rooms", { id: 20 }), put("contacts", { ...contact(98, 99) })];
      for (const wrong of bad) {
        const refused = await store.commit([
          { actor: "/rooms/1", writes: [room(1)] },
          { actor: "/rooms/2", writes: [room(2), wrong] },
          { actor: "/rooms/3", writes: [room(3)], buildsOn: [0] },
          { actor: "/rooms/4", writes: [room(4)], buildsOn: [0, 1] },
          { actor: "/rooms/5", writes: [room(5)] },
          { actor: "/rooms/6", writes: [room(6)], buildsOn: [3] },
          { actor: "/rooms/4", writes: [room(40)] },
        ]);
        assertEquals(refused.map(({ index }) => index), [1, 3, 5, 6]);
        assert(refused.every(({ error }) => error.message.includes("/rooms/2")), "not the cause");
        assertEquals((await store.load("rooms")).map(({ id }) => id), [1, 3, 5]);
      }
    }),
  );

  Deno.test(
    `[design 1.3a] the groups of a transaction are carried out in their order (${driver})`,
    withStore(open, async (store) => {
      const counter = (value: number) => put("counters", { name: "room", value });
      await store.commit([
        { actor: "/a", writes: [counter(1)] },
        { actor: "/b", writes: [remove("counters", { name: "room" }), counter(2)] },
        { actor: "/c", writes: [counter(3)] },
      ]);
      assertEquals(await store.load("counters"), [{ name: "room", value: 3 }]);
      assertEquals(await store.commit([]), []);
    }),
  );

  Deno.test(
    `[rooms 1.1] every start gets a greater epoch, from 1 (${driver})`,
    withStore(open, async (store) => {
      assertEquals([await store.startEpoch(), await store.startEpoch()], [1, 2]);
    }),
  );

  Deno.test(
    `[design 1.3] the order of the key holds, whichever index finds the rows (${driver})`,
    withUsers(open, async (store) => {
      const entities = [9, 7, 8];
      const rows = entities.map((entity_id, i) => notification(i + 1, 1, { entity_id }));
      await commit(store, ...rows.map((row) => put("notifications", row)));
      assertEquals(await store.loadWhere("notifications", { kind: "ContactRequest" }), rows);
    }),
  );

  Deno.test(
    `[channels 5.1, 5.2] names and depths of channels have no limit, siblings not the same name (${driver})`,
    withStore(open, async (store) => {
      // Of what cannot be made shorter: indexes hold no more than a few kilobytes of it.
      const noise = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex();
      const channel = (id: number, name: string, parent_path: string) =>
        put("channels", {
          id,
          root_id: 1,
          name,
          visibility: "members",
          parent_path,
          requires_zed_cla: false,
          channel_order: 1,
          created_at: 0,
        });
      const name = noise(10_000);
      const path = Array.from({ length: 2_000 }, () => `${parseInt(noise(4), 16)}/`).join("");
      await commit(store, channel(2, name, "1/"), channel(3, name, path));
      const refused = await store.commit([
        { actor: "/a", writes: [channel(4, name, "1/")] },
        { actor: "/b", writes: [channel(5, name, path)] },
      ]);
      assertEquals(refused.map(({ index }) => index), [0, 1]);
    }),
  );

  Deno.test(
    `[design 1.3e] a store that is closed says that it is unavailable (${driver})`,
    withUsers(open, async (store) => {
      await store.ping();
      await store.close();
      await store.close();
      await assertRejects(async () => {
        await store.commit([{ actor: "/a", writes: [] }]);
      }, StoreUnavailableError);
      for (
        const ask of [
          () => store.ping(),
          () => store.accessToken(1),
          () => store.user(1),
          () => store.userByLogin("alice"),
          () => store.load("rooms"),
          () => store.createUser({ login: "x", admin: false }),
          () => store.createAccessToken({ userId: 1, impersonatorId: null, hash: "" }, 1),
          () => store.startEpoch(),
        ]
      ) {
        await assertRejects(ask, StoreUnavailableError);
      }
    }),
  );
}
