/** What every {@link Store} does alike; `<driver>_test.ts` runs it on one. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  LoginTakenError,
  type Put,
  type Store,
  StoreUnavailableError,
  type Write,
} from "../../db/store.ts";
import {
  type ColumnType,
  type RowOf,
  type Table,
  type TableName,
  tables,
} from "../../db/tables.ts";

const edges = [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
const tableNames = Object.keys(tables) as TableName[];
/** Tables whose rows refer to accounts. */
const userColumns = ["user_id_a", "user_id_b", "recipient_id"];

type AnyRow = Record<string, unknown>;

function put(table: TableName, row: AnyRow): Put {
  return { op: "put", table, row } as unknown as Put;
}

function remove(table: TableName, key: AnyRow): Write {
  return { op: "remove", table, key } as unknown as Write;
}

function sample(type: ColumnType, seed: number): unknown {
  switch (type) {
    case "int":
    case "int?":
      return Number.MAX_SAFE_INTEGER - seed;
    case "u64":
    case "u64?":
      return 2n ** 64n - 1n - BigInt(seed);
    case "bool":
    case "bool?":
      return seed % 2 === 0;
    case "text":
    case "text?":
      return `ütf ✓ 'quoted" ${seed}`;
    default:
      return new Uint8Array([seed, 0, 255]);
  }
}

/** A row with a value in every column; users 1 and 2 have to exist. */
function sampleRow(table: TableName, seed = 1): AnyRow {
  const { columns } = tables[table] as Table;
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => [
      name,
      userColumns.includes(name) ? (name === "user_id_b" ? 2 : 1) : sample(type, seed),
    ]),
  );
}

function keyOf(table: TableName, row: AnyRow, length: number = tables[table].key.length): AnyRow {
  return Object.fromEntries(tables[table].key.slice(0, length).map((name) => [name, row[name]]));
}

async function load(store: Store, table: TableName, key?: AnyRow): Promise<AnyRow[]> {
  return await store.load(table, key as Partial<RowOf<typeof table>>) as AnyRow[];
}

async function commit(store: Store, ...writes: Write[]): Promise<void> {
  const refused = await store.commit([{ actor: "/test/1", writes }]);
  if (refused.length > 0) throw refused[0]!.error;
}

function contact(a: number, b: number): RowOf<"contacts"> {
  return { user_id_a: a, user_id_b: b, a_to_b: true, should_notify: true, accepted: false };
}

function notification(
  id: number,
  recipient: number,
  more: Partial<RowOf<"notifications">> = {},
): RowOf<"notifications"> {
  return {
    id,
    recipient_id: recipient,
    created_at: 1_000 + id,
    kind: "ContactRequest",
    entity_id: 9,
    content: "{}",
    is_read: false,
    response: null,
    ...more,
  };
}

/**
 * Registers the suite for one driver.
 *
 * @param driver its name, for the tests' names.
 * @param open makes an empty, migrated store; the suite closes it.
 */
export function storeContract(driver: string, open: () => Promise<Store>): void {
  const withStore = (body: (store: Store) => Promise<void>) => async () => {
    const store = await open();
    try {
      await body(store);
    } finally {
      await store.close();
    }
  };
  const withUsers = (body: (store: Store) => Promise<void>) =>
    withStore(async (store) => {
      await store.createUser({ login: "alice", admin: false });
      await store.createUser({ login: "bob", admin: false });
      await body(store);
    });

  Deno.test(
    `[design 1.3] every column of every table comes back as it was put (${driver})`,
    withUsers(async (store) => {
      for (const table of tableNames) {
        const row = sampleRow(table);
        await commit(store, put(table, row));
        assertEquals(await load(store, table), [row], table);
      }
    }),
  );

  Deno.test(
    `[design 1.3] texts come back whatever their characters (${driver})`,
    withStore(async (store) => {
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
    withStore(async (store) => {
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
    withUsers(async (store) => {
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
    withUsers(async (store) => {
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
    withUsers(async (store) => {
      for (const table of tableNames) {
        if (table === "contacts") continue;
        const { key } = tables[table];
        for (let length = 1; length <= key.length; length++) {
          const row = sampleRow(table, 1);
          // Same key up to the column that the removal names last.
          const last = key[length - 1]!;
          const other = { ...row, [last]: sampleRow(table, 2)[last] };
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
    withStore(async (store) => {
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
    withStore(async (store) => {
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
    withStore(async (store) => {
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
    withStore(async (store) => {
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
    withStore(async (store) => {
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
    withUsers(async (store) => {
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
    `[design 1.3a] the groups of a transaction are carried out in their order (${driver})`,
    withStore(async (store) => {
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
    withStore(async (store) => {
      assertEquals([await store.startEpoch(), await store.startEpoch()], [1, 2]);
    }),
  );

  Deno.test(
    `[channels 2.1] accounts are found by id and by login in any case (${driver})`,
    withStore(async (store) => {
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
      assertEquals(await store.allUsers(), [alice, bob]);
      await store.setConnectedOnce(2);
      assertEquals((await store.user(2))?.connectedOnce, true);
      assertEquals((await store.user(1))?.connectedOnce, false);
    }),
  );

  Deno.test(
    `[channels 2.1] a login belongs to one account, whatever its case (${driver})`,
    withStore(async (store) => {
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
    withUsers(async (store) => {
      assertEquals(await store.removeUser(2), true);
      assertEquals(await store.removeUser(2), false);
      assertEquals((await store.createUser({ login: "carl", admin: false })).id, 3);
    }),
  );

  Deno.test(
    `[issue 3 run] an account goes with its tokens, contacts and notifications (${driver})`,
    withUsers(async (store) => {
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
    withUsers(async (store) => {
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
    withStore(async (store) => {
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
    withUsers(async (store) => {
      await store.createUser({ login: "carl", admin: false });
      await commit(store, put("contacts", contact(1, 2)), put("contacts", contact(2, 3)));
      assertEquals(await store.contactsOf(1), [contact(1, 2)]);
      assertEquals(await store.contactsOf(2), [contact(2, 3), contact(1, 2)]);
      assertEquals(await store.contactsOf(3), [contact(2, 3)]);
    }),
  );

  Deno.test(
    `[channels 4.5] notifications come in pages, newest last (${driver})`,
    withUsers(async (store) => {
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
    `[channels 4.4] the newest unread notification of a kind and entity is found (${driver})`,
    withUsers(async (store) => {
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

  Deno.test(
    `[design 1.3e] a store that is closed says that it is unavailable (${driver})`,
    withUsers(async (store) => {
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
