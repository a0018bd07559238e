import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { sql } from "kysely";
import { type DialectMigration, migrations } from "../../db/migrations/mod.ts";
import { openPostgres } from "../../db/postgres/open.ts";
import {
  type Store,
  StoreAwayError,
  StoreTooNewError,
  StoreUnavailableError,
} from "../../db/store.ts";
import { accountTables, type Table, tables } from "../../db/tables.ts";
import { createClient } from "../../db/postgres/session.ts";
import { TestPostgres } from "../support/postgres.ts";
import { waitUntil } from "../support/wait_until.ts";
import { manyAccounts, searchesMany } from "./search_contract.ts";
import { storeContract } from "./store_contract.ts";
import { contact, put } from "./store_rows.ts";

const postgres = await TestPostgres.start();

if (typeof postgres === "string") {
  Deno.test({
    name: `[issue 4 postgres] the contract of the store on PostgreSQL (skipped: ${postgres})`,
    ignore: true,
    fn: () => {},
  });
} else {
  suite(postgres);
}

function suite(postgres: TestPostgres): void {
  Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());

  storeContract("postgres", async () => await dropping(await postgres.create()));

  /** A store that takes its database along when it is closed. */
  async function dropping(database: string): Promise<Store> {
    const store = await postgres.open(database);
    const close = store.close.bind(store);
    let closed = false;
    store.close = async () => {
      await close();
      if (!closed) await postgres.drop(database);
      closed = true;
    };
    return store;
  }

  const withDatabase = (body: (database: string) => Promise<void>, empty = false) => async () => {
    const database = await postgres.create({ empty });
    try {
      await body(database);
    } finally {
      await postgres.drop(database);
    }
  };

  const room = (id: number, text = "x") =>
    put("rooms", { id, live_kit_room: text, channel_id: null });

  Deno.test(
    "[channels 2.4a] a search among 100,000 accounts stops nothing else (postgres)",
    withDatabase(async (database) => {
      await postgres.query(manyAccounts, database);
      const store = await postgres.open(database);
      await searchesMany(store);
      await store.close();
    }),
  );

  Deno.test(
    "[design 2] the migrated schema is that of tables.ts (postgres)",
    withDatabase(async (database) => {
      await (await postgres.open(database)).close();
      const sqlTypes: Record<string, readonly string[]> = {
        int: ["bigint", "integer"],
        u64: ["bigint"],
        bool: ["boolean"],
        text: ["text"],
        bytes: ["bytea"],
      };
      const expected: Record<string, Table> = { ...tables, ...accountTables };
      const columns = await postgres.query(
        "select table_name, column_name, data_type, is_nullable from information_schema.columns " +
          "where table_schema = 'public' order by table_name, ordinal_position",
        database,
      );
      for (const [name, table] of Object.entries(expected)) {
        const found = columns.filter((column) => column.table_name === name);
        assertEquals(found.map((column) => column.column_name), Object.keys(table.columns), name);
        for (const column of found) {
          const type = table.columns[String(column.column_name)]!;
          const where = `${name}.${column.column_name}`;
          assert(sqlTypes[type.replace("?", "")]!.includes(String(column.data_type)), where);
          assertEquals(column.is_nullable === "YES", type.endsWith("?"), where);
        }
        const key = await postgres.query(
          "select a.attname from pg_index i cross join lateral unnest(i.indkey) with ordinality " +
            "as k (attnum, place) join pg_attribute a on a.attrelid = i.indrelid and " +
            `a.attnum = k.attnum where i.indisprimary and i.indrelid = '${name}'::regclass ` +
            "order by k.place",
          database,
        );
        assertEquals(key.map((column) => String(column.attname)), table.key, name);
      }
      assertEquals(
        [...new Set(columns.map((column) => String(column.table_name)))].sort(),
        [...Object.keys(expected), "migrations", "migration_lock"].sort(),
      );
    }, true),
  );

  Deno.test(
    "[issue 4 postgres] one Parley per database, and the next one when it has ended",
    withDatabase(async (database) => {
      const first = await postgres.open(database);
      const notices: string[] = [];
      const error = await assertRejects(
        () => postgres.open(database, { patience: 0, notice: (text) => void notices.push(text) }),
        StoreUnavailableError,
      );
      assertMatch(error.message, /another Parley is running on it; stop that one/);
      // Who only looks after accounts does not mind.
      const accounts = await postgres.open(database, { exclusive: false });
      await accounts.createUser({ login: "alice", admin: false });
      await accounts.close();
      assertEquals((await first.allUsers()).length, 1);
      await first.close();
      await (await postgres.open(database, { patience: 0 })).close();
    }),
  );

  Deno.test("[issue 4 postgres] whoever makes the tables without serving on them leaves the database to who does", async () => {
    const database = await postgres.create({ empty: true });
    try {
      const [url, name] = [postgres.urlOf(database), "there"];
      const api = await openPostgres({ url, name });
      const collab = await openPostgres({ url, name, exclusive: true });
      await collab.commit([{ actor: "/rooms/1", writes: [room(1)] }]);
      assertEquals((await api.load("rooms")).length, 1);
      // What it writes as actors do is not written under another one's lock.
      await assertRejects(
        async () => void await api.commit([{ actor: "/rooms/2", writes: [room(2)] }]),
        StoreAwayError,
        "another Parley is running",
      );
      await collab.close();
      await api.close();
    } finally {
      await postgres.drop(database);
    }
  });

  Deno.test(
    "[issue 4 postgres] who lost the lock to a later start does not write any more",
    withDatabase(async (database) => {
      const first = await postgres.open(database);
      await first.startEpoch();
      await first.commit([{ actor: "/rooms/1", writes: [room(1)] }]);
      const cut = () =>
        postgres.query(
          "select pg_terminate_backend(pid) from pg_stat_activity " +
            `where datname = '${database}' and application_name = 'parley'`,
        );
      const commit = async (id: number) =>
        void await first.commit([{ actor: `/rooms/${id}`, writes: [room(id)] }]);
      /** As the journal does: the end of a connection may show with the next transaction only. */
      const outcome = async (id: number, expected: RegExp) => {
        let error: unknown;
        await waitUntil(async () => {
          error = await commit(id).catch((error) => error);
          return expected.test(error instanceof Error ? error.message : "stored");
        });
        return error;
      };
      await cut();
      await outcome(2, /^stored$/);
      await cut();
      const second = await postgres.open(database);
      assertInstanceOf(await outcome(3, /another Parley is running/), StoreAwayError);
      await second.startEpoch();
      await second.close();
      const gone = await outcome(3, /another Parley was started.*start 2, this is 1/);
      assertInstanceOf(gone, StoreUnavailableError);
      assert(!(gone instanceof StoreAwayError), "there is no point in trying again");
      await outcome(3, /another Parley was started/);
      assertEquals((await first.load("rooms")).map((row) => row.id), [1, 2]);
      await first.close();
    }),
  );

  Deno.test(
    "[design 1.3] 256 rows of a commit are few statements, whatever order they come in",
    withDatabase(async (database) => {
      const store = await postgres.open(database);
      const writes = Array.from({ length: 64 }, (_, i) => [
        room(i, "old"),
        room(i, 'it\'s \\ "new" {,} null'),
        put("worktree_entries", {
          ...{ project_id: i, worktree_id: 1n, id: 2n ** 64n - 1n, scan_id: 1n },
          entry: i % 2 === 0 ? null : new Uint8Array([0, 39, 92, 255]),
        }),
        put("counters", { name: "room", value: i }),
      ]).flat();
      const statements = async () => {
        const [row] = await postgres.query(
          "select xact_commit::int as commits from pg_stat_database " +
            `where datname = '${database}'`,
        );
        return Number(row!.commits);
      };
      const before = await statements();
      assertEquals(await store.commit([{ actor: "/rooms/1", writes }]), []);
      assert(await statements() - before < 20, "one transaction");
      const rooms = await store.load("rooms");
      assertEquals(rooms.length, 64);
      assert(rooms.every((row) => row.live_kit_room === 'it\'s \\ "new" {,} null'));
      const entries = await store.load("worktree_entries");
      assertEquals(entries[0]!.entry, null);
      assertEquals(entries[1]!.entry, new Uint8Array([0, 39, 92, 255]));
      assertEquals(entries[1]!.id, 2n ** 64n - 1n);
      assertEquals(await store.load("counters"), [{ name: "room", value: 63 }]);
      await store.close();
    }),
  );

  Deno.test(
    "[design 1.3a] quotes of actors and texts stay texts where groups have savepoints",
    withDatabase(async (database) => {
      const store = await postgres.open(database);
      const text = "'); drop table rooms; -- $$ $parley$ \\' ''";
      const refused = await store.commit([
        { actor: `/it's ${text}`, writes: [room(1, text)] },
        { actor: `/bad ${text}`, writes: [put("contacts", { ...contact(7, 8) })] },
        { actor: `/bad ${text}`, writes: [room(2, text)] },
      ]);
      assertEquals(refused.map(({ index }) => index), [1, 2]);
      assertMatch(refused[0]!.error.message, /foreign key/);
      const rooms = await store.load("rooms");
      assertEquals(rooms.map((row) => [row.id, row.live_kit_room]), [[1, text]]);
      await store.close();
    }),
  );

  Deno.test(
    "[issue 3 run] a database of a newer program is refused (postgres)",
    withDatabase(async (database) => {
      const later: Readonly<Record<string, DialectMigration>> = {
        ...migrations,
        "9999_next": () => ({
          async up(db) {
            await db.schema.alterTable("rooms").addColumn("later", "text").execute();
          },
        }),
      };
      const notices: string[] = [];
      const notice = (text: string) => void notices.push(text);
      await (await postgres.open(database, { migrations: later, notice })).close();
      assertMatch(notices.join(), /Changing the database.*9999_next/);
      const error = await assertRejects(() => postgres.open(database), StoreTooNewError);
      assertMatch(error.message, /newer Parley.*9999_next/);
    }),
  );

  Deno.test(
    "[issue 3 run] a migration that fails leaves the database as it was (postgres)",
    withDatabase(async (database) => {
      const failing: Readonly<Record<string, DialectMigration>> = {
        ...migrations,
        "9998_first": () => ({
          async up(db) {
            await db.schema.alterTable("rooms").addColumn("later", "text").execute();
          },
        }),
        "9999_second": () => ({
          async up(db) {
            await sql`insert into nowhere values (1)`.execute(db);
          },
        }),
      };
      const error = await assertRejects(() => postgres.open(database, { migrations: failing }));
      assertMatch((error as Error).message, /9999_second.*nowhere/);
      await (await postgres.open(database)).close();
    }),
  );

  Deno.test(
    "[issue 4 postgres] a user who may not make tables, or not write them, is told to whom to give what",
    withDatabase(async (database) => {
      const advice = /permission denied for .*; make the user of DATABASE_URL the owner/;
      await postgres.query("create role weak login password 'weak'");
      try {
        const url = new URL(postgres.urlOf(database));
        [url.username, url.password] = ["weak", "weak"];
        const weak = { url: url.href, name: "there", patience: 60_000 };
        const noTables = await assertRejects(() => openPostgres(weak), StoreUnavailableError);
        assertMatch(noTables.message, advice);
        assert(!(noTables instanceof StoreAwayError), "nothing changes by itself");
        await postgres.query("grant select on all tables in schema public to weak", database);
        const store = await openPostgres(weak);
        const noWrites = await assertRejects(
          async () => void await store.commit([{ actor: "/rooms/1", writes: [room(1)] }]),
          StoreUnavailableError,
        );
        assertMatch(noWrites.message, advice);
        await store.close();
        await postgres.query("drop owned by weak", database);
      } finally {
        await postgres.query("drop role weak");
      }
    }),
  );

  Deno.test(
    "[design 1.3f] PostgreSQL asks every quarter of a minute whether who holds the lock is still there",
    withDatabase(async (database) => {
      const client = createClient({ url: postgres.urlOf(database), name: "there", connections: 1 });
      try {
        const [row] = await client.unsafe(
          "select array_to_string(array[" +
            ["keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout"]
              .map((name) => `current_setting('tcp_${name}')`).join(", ") +
            "], ' ') as taken",
        );
        // As its system has taken them.
        assertEquals(row!.taken, "10 5 3 25000");
      } finally {
        await client.end();
      }
    }),
  );

  Deno.test(
    "[design 1.3d] what a trigger of the operator's refuses is one actor's write",
    withDatabase(async (database) => {
      const store = await postgres.open(database);
      await postgres.query(
        `create function refuse() returns trigger language plpgsql as
          $$ begin raise exception 'not this one'; end $$`,
        database,
      );
      await postgres.query(
        "create trigger refuse before insert on rooms for each row when (new.id = 2) " +
          "execute function refuse()",
        database,
      );
      const refused = await store.commit([1, 2, 3].map((id) => ({
        actor: `/rooms/${id}`,
        writes: [room(id)],
      })));
      assertEquals(refused.map(({ index }) => index), [1]);
      assertMatch(refused[0]!.error.message, /not this one/);
      assertEquals((await store.load("rooms")).map(({ id }) => id), [1, 3]);
      await store.close();
    }),
  );

  Deno.test("[issue 4 postgres] what is wrong with an address is said, without its password", async () => {
    const port = new URL(postgres.urlOf("x")).port;
    const bad: [string, RegExp][] = [
      [`postgres://parley:s3cret@127.0.0.1:1/x`, /away|127\.0\.0\.1:1|refused/i],
      [`postgres://parley:s3cret@127.0.0.1:${port}/none_such`, /does not exist; create it/],
      [`postgres://parley:s3cret@127.0.0.1:${port}/x?sslmode=require`, /; turn TLS on in Postgre/],
    ];
    for (const [url, expected] of bad) {
      const error = await assertRejects(
        () => openPostgres({ url, name: "there" }),
        StoreUnavailableError,
      );
      assertMatch(error.message, expected);
      assert(!error.message.includes("s3cret"), error.message);
    }
  });
}
