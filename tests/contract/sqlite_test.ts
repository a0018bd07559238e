import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { type DialectMigration, migrations } from "../../db/migrations/mod.ts";
import { openDatabase } from "../../db/sqlite/database.ts";
import { openSqlite, sqliteMigrationState } from "../../db/sqlite/open.ts";
import { SqliteStore } from "../../db/sqlite/store.ts";
import { StoreTooNewError, StoreUnavailableError, type WriteGroup } from "../../db/store.ts";
import { accountTables, type Table, tables } from "../../db/tables.ts";
import { systemClock } from "../../lib/clock.ts";
import { manyAccounts, searchesMany } from "./search_contract.ts";
import { storeContract } from "./store_contract.ts";
import { withFolder } from "../support/folder.ts";

storeContract("sqlite", () => openSqlite({ path: ":memory:" }));

/** Windows knows no such mode; there the folder is its owner's. */
async function assertPrivate(path: string): Promise<void> {
  const { mode } = await Deno.stat(path);
  if (Deno.build.os !== "windows") assertEquals(mode! & 0o777, 0o600, path);
}

function room(id: number, text = "x"): WriteGroup {
  return {
    actor: `/rooms/${id}`,
    writes: [{ op: "put", table: "rooms", row: { id, live_kit_room: text, channel_id: null } }],
  };
}

/** The program one migration later. */
const nextMigrations: Readonly<Record<string, DialectMigration>> = {
  ...migrations,
  "9999_next": () => ({
    async up(db) {
      await db.schema.alterTable("rooms").addColumn("later", "text").execute();
    },
  }),
};

Deno.test("[design 2] the migrated schema is that of tables.ts", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    await (await openSqlite({ path })).close();
    const db = new DatabaseSync(path);
    const sqlTypes: Record<string, readonly string[]> = {
      int: ["bigint", "integer"],
      u64: ["bigint"],
      bool: ["boolean"],
      text: ["text"],
      bytes: ["blob"],
    };
    const expected: Record<string, Table> = { ...tables, ...accountTables };
    for (const [name, table] of Object.entries(expected)) {
      const found = db.prepare(`pragma table_info(${name})`).all() as {
        name: string;
        type: string;
        notnull: number;
        pk: number;
      }[];
      assertEquals(found.map((column) => column.name), Object.keys(table.columns), name);
      for (const column of found) {
        const type = table.columns[column.name]!;
        const optional = type.endsWith("?");
        const allowed = sqlTypes[type.replace("?", "")]!;
        assert(
          allowed.includes(column.type.toLowerCase()),
          `${name}.${column.name} ${column.type}`,
        );
        if (column.name !== "id" || name in tables) {
          assertEquals(column.notnull === 0, optional, `${name}.${column.name}`);
        }
      }
      const key = found.filter((column) => column.pk > 0).sort((a, b) => a.pk - b.pk);
      assertEquals(key.map((column) => column.name), table.key, name);
    }
    const all = db.prepare("select name from sqlite_master where type = 'table'").all()
      .map((row) => String(row.name)).filter((name) => !name.startsWith("sqlite_"));
    assertEquals(
      all.sort(),
      [...Object.keys(expected), "migrations", "migration_lock"].sort(),
    );
    db.close();
  });
});

Deno.test("[design 4] the database is in WAL, synchronous FULL, with foreign keys and a timeout", async () => {
  await withFolder((folder) => {
    const db = openDatabase(`${folder}/p.sqlite`);
    const pragma = (name: string) => Object.values(db.prepare(`pragma ${name}`).get()!)[0];
    assertEquals(
      ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"].map(pragma),
      ["wal", 2, 1, 5000],
    );
    db.close();
    return Promise.resolve();
  });
});

Deno.test("[issue 3 run] the database file is its owner's alone", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const store = await openSqlite({ path });
    await store.commit([room(1)]);
    for await (const entry of Deno.readDir(folder)) {
      await assertPrivate(`${folder}/${entry.name}`);
    }
    await store.close();
  });
});

Deno.test("[design 6a] what was committed is there after the next start", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const first = await openSqlite({ path });
    await first.commit([room(1)]);
    await first.createUser({ login: "alice", admin: false });
    assertEquals(await first.startEpoch(), 1);
    await first.close();
    const second = await openSqlite({ path });
    assertEquals((await second.load("rooms")).length, 1);
    assertEquals((await second.allUsers()).length, 1);
    assertEquals(await second.startEpoch(), 2);
    await second.close();
  });
});

Deno.test("[design 1.3e] a full disk stores nothing of the transaction and is no fault of a group", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    await (await openSqlite({ path })).close();
    const db = openDatabase(path);
    const store = new SqliteStore(db, path, systemClock);
    await store.commit([room(1)]);
    const pages = Number(db.prepare("pragma page_count").get()!.page_count);
    db.exec(`pragma max_page_count = ${pages}`);
    const error = assertThrows(
      () => store.commit([room(2), room(3, "x".repeat(1_000_000)), room(4)]),
      StoreUnavailableError,
    );
    assertMatch(error.message, /full.*free some space/);
    assertEquals((await store.load("rooms")).map((row) => row.id), [1]);
    db.exec("pragma max_page_count = 100000");
    assertEquals(store.commit([room(5)]), []);
    assertEquals((await store.load("rooms")).map((row) => row.id), [1, 5]);
    await store.close();
  });
});

Deno.test("[design 1.3e] a database that cannot be written or is locked is unavailable", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    await (await openSqlite({ path })).close();

    const readOnly = new SqliteStore(
      new DatabaseSync(path, { readOnly: true }),
      path,
      systemClock,
    );
    assertThrows(() => readOnly.commit([room(1)]), StoreUnavailableError, "readonly");
    await assertRejects(
      () => readOnly.createUser({ login: "alice", admin: false }),
      StoreUnavailableError,
    );
    await readOnly.close();

    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    const impatient = new SqliteStore(new DatabaseSync(path), path, systemClock);
    assertThrows(() => impatient.commit([room(1)]), StoreUnavailableError, "locked");
    other.exec("rollback");
    other.close();
    assertEquals(impatient.commit([room(1)]), []);
    await impatient.close();
  });
});

Deno.test("[design 4] a second program waits for the first one's lock", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const store = await openSqlite({ path });
    const code = `
      import { DatabaseSync } from "node:sqlite";
      const db = new DatabaseSync(${JSON.stringify(path)});
      db.exec("begin immediate");
      console.log("locked");
      setTimeout(() => db.exec("commit"), 300);
    `;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assertEquals(await store.commit([room(1)]), []);
    assertEquals((await child.status).code, 0);
    await reader.cancel();
    await store.close();
  });
});

Deno.test("[issue 3 run] a file that is no database is left alone, with a clear message", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const text = "Dear diary, ".repeat(1000);
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(() => openSqlite({ path }), StoreUnavailableError);
    assertStringIncludes(error.message, path);
    assertStringIncludes(error.message, "not a database");
    assertEquals(await Deno.readTextFile(path), text);
  });
});

Deno.test("[issue 4 run] another program's database is refused and left as it is; an empty file is taken", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/places.sqlite`;
    for (
      const schema of [
        "create table places (id integer primary key, url text)",
        "create table migrations (id integer, migration text); insert into migrations values (1, 'x')",
        "create table migrations (name text, at text); insert into migrations values ('0001_init', '')",
      ]
    ) {
      const db = new DatabaseSync(path);
      db.exec(`drop table if exists migrations; ${schema}`);
      db.close();
      const before = await Deno.readFile(path);
      for (const open of [() => openSqlite({ path }), () => sqliteMigrationState(path)]) {
        const error = await assertRejects(open, StoreUnavailableError, 'it has the table "places"');
        assertStringIncludes(error.message, path);
      }
      assertEquals(await Deno.readFile(path), before);
    }
    await Deno.writeFile(`${folder}/empty.sqlite`, new Uint8Array());
    await (await openSqlite({ path: `${folder}/empty.sqlite` })).close();
    await (await openSqlite({ path: `${folder}/empty.sqlite` })).close();
  });
});

Deno.test("[issue 4 run] a database file that is moved or replaced under the server is noticed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const store = await openSqlite({ path });
    await store.ping();
    await Deno.rename(path, `${folder}/elsewhere`);
    await assertRejects(
      () => store.ping(),
      StoreUnavailableError,
      `Cannot find the database ${path}`,
    );
    await Deno.writeFile(path, new Uint8Array());
    await assertRejects(() => store.ping(), StoreUnavailableError, "move it back");
    await Deno.rename(`${folder}/elsewhere`, path);
    await store.ping();
    await store.close();
    const forgotten = await openSqlite({ path: ":memory:" });
    await forgotten.ping();
    await forgotten.close();
  });
});

Deno.test("[issue 3 run] a database in a folder that does not exist is refused with its path", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/none/p.sqlite`;
    const error = await assertRejects(() => openSqlite({ path }), StoreUnavailableError);
    assertStringIncludes(error.message, path);
  });
});

Deno.test("[issue 3 run] a database of a newer program is refused and not changed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    await (await openSqlite({ path, migrations: nextMigrations })).close();
    const before = await Deno.readFile(path);
    const error = await assertRejects(() => openSqlite({ path }), StoreTooNewError);
    assertMatch(error.message, /newer Parley.*9999_next.*run that version/);
    assertStringIncludes(error.message, path);
    assertEquals(await Deno.readFile(path), before);
  });
});

Deno.test("[issue 3 run] an existing database is copied aside before a migration changes it", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const notices: string[] = [];
    const notice = (message: string) => void notices.push(message);
    const first = await openSqlite({ path, notice });
    await first.commit([room(7)]);
    await first.close();
    await (await openSqlite({ path, notice })).close();
    assertEquals(notices, [], "nothing was changed yet");

    await (await openSqlite({ path, notice, migrations: nextMigrations })).close();
    const files = await Array.fromAsync(Deno.readDir(folder));
    const copies = files.map((file) => file.name).filter((name) => name.includes("before-"));
    assertEquals(copies.length, 1);
    assertMatch(copies[0]!, /^p\.sqlite\.before-9999_next-\d{8}T\d{9}Z$/);
    assertEquals(notices.length, 1);
    assertStringIncludes(notices[0]!, copies[0]!);

    const copy = `${folder}/${copies[0]!}`;
    await assertPrivate(copy);
    const old = await openSqlite({ path: copy });
    assertEquals((await old.load("rooms")).map((row) => row.id), [7]);
    await old.close();

    await (await openSqlite({ path, notice, migrations: nextMigrations })).close();
    assertEquals(notices.length, 1, "migrated already");
  });
});

Deno.test("[issue 3 run] a migration that fails leaves the database as it was", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    await (await openSqlite({ path })).close();
    const failing: Readonly<Record<string, DialectMigration>> = {
      ...nextMigrations,
      "9999_second": () => ({
        async up(db) {
          await sql`insert into nowhere values (1)`.execute(db);
        },
      }),
    };
    const error = await assertRejects(() => openSqlite({ path, migrations: failing }), Error);
    assertMatch(error.message, /9999_second.*nowhere/);
    assertInstanceOf(error.cause, Error);
    await (await openSqlite({ path })).close();
  });
});

Deno.test("[issue 3 run] two programs may migrate a new database at once", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    const module = new URL("../../db/sqlite/open.ts", import.meta.url).href;
    const code = `
      import { openSqlite } from ${JSON.stringify(module)};
      const store = await openSqlite({ path: ${JSON.stringify(path)} });
      await store.close();
    `;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", `--config=${config}`, code],
        stdout: "inherit",
        stderr: "inherit",
      }).spawn().status;
    const ended = await Promise.all([start(), start(), start()]);
    assertEquals(ended.map((status) => status.code), [0, 0, 0]);
    const store = await openSqlite({ path });
    assertEquals(await store.startEpoch(), 1);
    await store.close();
  });
});

Deno.test("[channels 2.4a] a search among 100,000 accounts stops nothing else (sqlite)", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p.sqlite`;
    await (await openSqlite({ path })).close();
    const db = openDatabase(path);
    db.exec(manyAccounts);
    db.close();
    const store = await openSqlite({ path });
    await searchesMany(store);
    await store.close();
  });
});
