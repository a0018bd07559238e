import { DatabaseSync } from "node:sqlite";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runBackup, runRestore } from "../../cli/backup.ts";
import { UsageError } from "../../cli/args.ts";
import { explain } from "../../cli/explain.ts";
import { runMigrate } from "../../cli/migrate.ts";
import { runSeed } from "../../cli/seed.ts";
import { BackupError } from "../../db/sqlite/backup.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { InvalidLoginError } from "../../db/login.ts";
import { DataDirError } from "../../lib/data_dir.ts";
import { startServer } from "../support/server.ts";

type Command = typeof runBackup;

interface Shell {
  readonly folder: string;
  /** Runs a command on a data folder; what it said. */
  run(command: Command, ...args: string[]): Promise<string>;
  /** Logins in the database. */
  logins(): Promise<string[]>;
}

async function withShell(body: (shell: Shell) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body({
      folder,
      async run(command, ...args) {
        const said: string[] = [];
        const say = (text: string) => void said.push(text);
        await command(args, { PARLEY_DATA_DIR: folder }, { result: say, note: say });
        return said.join("\n");
      },
      async logins() {
        const store = await openSqlite({ path: `${folder}/parley.sqlite` });
        const users = await store.allUsers();
        await store.close();
        return users.map(({ login }) => login).toSorted();
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).toSorted();
}

Deno.test("[issue 4 backup] a backup of a running server is whole, private and comes back", async () => {
  await withShell(async ({ folder, run, logins }) => {
    const file = `${folder}/copy`;
    {
      await using server = await startServer({ dataDir: folder });
      await server.addUser("ann");
      await run(runBackup, file);
      await server.addUser("later");
      const refused = await assertRejects(() => run(runRestore, file), DataDirError);
      assertMatch(refused.message, /another Parley is running/);
    }
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    assertEquals(await logins(), ["ann", "later"]);
    const said = await run(runRestore, file);
    assertEquals(await logins(), ["ann"]);
    const [, aside] = /Copied the database that was there to (\S+)/.exec(said) ?? [];
    assertMatch(aside!, /parley\.sqlite\.before-restore-\d{8}T\d+Z$/);
    await run(runRestore, aside!);
    assertEquals(await logins(), ["ann", "later"]);
    await using server = await startServer({ dataDir: folder });
    assertEquals(await (await fetch(`${server.url}/healthz`)).text(), "ok");
  });
});

Deno.test("[issue 4 backup] what cannot be backed up or restored changes nothing and is explained", async () => {
  await withShell(async ({ folder, run, logins }) => {
    const missing = await assertRejects(() => run(runBackup, `${folder}/copy`), BackupError);
    assertMatch(explain(missing), /no such file/);
    assertEquals(await names(folder), []);
    assertEquals(await logins(), []);
    await Deno.writeTextFile(`${folder}/text`, "no database at all, but long enough".repeat(50));
    const there = await assertRejects(() => run(runBackup, `${folder}/text`), BackupError);
    assertMatch(there.message, /there already/);
    const { DatabaseSync } = await import("node:sqlite");
    const strange = new DatabaseSync(`${folder}/strange`);
    strange.exec("create table t (a)");
    strange.close();
    const before = await Deno.readFile(`${folder}/parley.sqlite`);
    for (const file of ["none", "text", "strange"]) {
      await assertRejects(() => run(runRestore, `${folder}/${file}`), BackupError);
    }
    assertEquals(await Deno.readFile(`${folder}/parley.sqlite`), before);
    assertEquals((await names(folder)).filter((name) => /restor/.test(name)), []);
    for (const command of [runBackup, runRestore]) {
      await assertRejects(() => run(command), UsageError, "give one file");
      await assertRejects(
        () => run(command, "x", "--database-url", "sqlite::memory:"),
        UsageError,
        "memory",
      );
      assertMatch(await run(command, "--help"), /restore <file>/);
    }
  });
});

Deno.test("[issue 4 seed] a file's accounts are added once, also through a running server", async () => {
  await withShell(async ({ folder, run, logins }) => {
    const file = `${folder}/seed.json`;
    const seed = async (content: unknown, ...more: string[]) => {
      await Deno.writeTextFile(file, JSON.stringify(content));
      return await run(runSeed, file, ...more);
    };
    const users = [{ login: "ann", admin: true }, { login: "bob" }];
    assertEquals(await seed({ users }), "Added 2 of 2 accounts: ann, bob");
    assertEquals(await seed({ users }), "Added 0 of 2 accounts");
    {
      await using _server = await startServer({ dataDir: folder });
      const added = JSON.parse(await seed({ users: [...users, { login: "cid" }] }, "--json"));
      assertEquals(added.map(({ login }: { login: string }) => login), ["cid"]);
    }
    const bad: [unknown, new (text: string) => Error, string][] = [
      [{ users: [{ login: "new" }], channels: [{ name: "x" }] }, UsageError, "owner"],
      [
        { users: [{ login: "new" }], channels: [{ name: "x", owner: "nobody" }] },
        UsageError,
        'names "nobody", who has no account',
      ],
      [{ users: [{ login: "new" }], channels: [{ name: "#", owner: "new" }] }, UsageError, "name"],
      [{ users: [{ login: "new" }, { login: "NEW" }] }, UsageError, "twice"],
      [{ users: [{ login: "new" }, { login: "a b" }] }, InvalidLoginError, "a b"],
      [{ users: [{ login: "new", role: 1 }] }, UsageError, "role"],
      [[], UsageError, "Cannot seed"],
    ];
    for (const [content, type, text] of bad) await assertRejects(() => seed(content), type, text);
    await assertRejects(() => run(runSeed, `${folder}/none`), UsageError, "Cannot read");
    await assertRejects(() => run(runSeed), UsageError, "give one file");
    assertEquals(await logins(), ["ann", "bob", "cid"]);
  });
});

Deno.test("[issue 4 seed] channels and members are made once, in the database and through a running server, and what is there stays", async () => {
  await withShell(async ({ folder, run }) => {
    const file = `${folder}/seed.json`;
    const seed = async (content: unknown) => {
      await Deno.writeTextFile(file, JSON.stringify(content));
      return (await run(runSeed, file)).split("\n")[1];
    };
    const users = ["ann", "bob", "cid"].map((login) => ({ login }));
    const design = { name: "design", channels: [{ name: "ui" }] };
    const team = {
      name: "team",
      owner: "ann",
      visibility: "public",
      members: [{ login: "Bob", role: "guest" }],
      channels: [{ name: "lobby", visibility: "public" }, design],
    };
    assertEquals(await seed({ users, channels: [team] }), "Added 4 channels and 1 members");
    assertEquals(await seed({ users, channels: [team] }), "Added 0 channels and 0 members");
    const more = {
      ...team,
      visibility: "members",
      members: [{ login: "bob", role: "admin" }, { login: "cid", role: "member" }],
      channels: [{ ...design, channels: [{ name: "ui" }, { name: "ux" }] }],
    };
    await using server = await startServer({ dataDir: folder });
    assertEquals(await seed({ users, channels: [more] }), "Added 1 channels and 1 members");
    assertEquals(await seed({ users, channels: [more] }), "Added 0 channels and 0 members");
    const { store, actors } = server.server;
    // The server that runs knows them, and not only its database.
    assertEquals(actors.registry.channels.size, 5);
    assertEquals((await store.load("channel_members")).map(({ role }) => role), [
      "admin",
      "guest",
      "member",
    ]);
    assertEquals(
      (await store.load("channels")).map(({ name, visibility, parent_path }) =>
        `${parent_path}${name} ${visibility}`
      ),
      [
        "team public",
        "1/lobby public",
        "1/design members",
        "1/3/ui members",
        "1/3/ux members",
      ],
    );
    for (
      const [channels, error] of [
        [[{ ...team, name: "new", visibility: "members" }], /cannot be public/],
        [[team, team], /twice/],
      ] as const
    ) {
      const wanted = { users: [...users, { login: "dee" }], channels };
      const refused = await assertRejects(() => seed(wanted), Error);
      assertMatch(refused.message, error);
    }
    assertEquals((await store.load("channels")).length, 5);
    assertEquals(await store.userByLogin("dee"), undefined, "nothing of the file is made");
  });
});

for (const where of ["in the database", "through a running server"] as const) {
  Deno.test(`[issue 4 seed] a tree is seeded whole or not at all, and the rest later (${where})`, async () => {
    await withShell(async ({ folder, run }) => {
      const file = `${folder}/seed.json`;
      const users = ["ann", "bob"].map((login) => ({ login }));
      const tree = (name: string, member: string) => ({
        name,
        owner: "ann",
        visibility: "public",
        members: [{ login: member, role: "member" }],
        channels: [{ name: "lobby", visibility: "public" }],
      });
      const channels = [tree("first", "ann"), tree("second", "bob"), tree("third", "ann")];
      await Deno.writeTextFile(file, JSON.stringify({ users, channels }));
      await run(runMigrate, "up");
      {
        using database = new DatabaseSync(`${folder}/parley.sqlite`);
        database.exec(
          `create trigger refuse before insert on channel_members when new.user_id = 2 begin
            select raise(abort, 'by a test''s wish'); end`,
        );
      }
      const server = where === "in the database"
        ? undefined
        : await startServer({ dataDir: folder });
      const said: string[] = [];
      const say = (text: string) => void said.push(text);
      const environment = { PARLEY_DATA_DIR: folder };
      const refused = await assertRejects(() =>
        runSeed([file, "--json"], environment, { result: say, note: say })
      );
      assertMatch(
        explain(refused),
        /nothing of "second" is made, what stands before it in the file is made: /,
      );
      const added: { login: string; token: string }[] = JSON.parse(said[0]!);
      assertEquals(added.map(({ login }) => login), ["ann", "bob"]);
      assertMatch(added[0]!.token, /./, "tokens are shown once only");
      assertMatch(said[1]!, /the same file adds the rest/);
      using database = new DatabaseSync(`${folder}/parley.sqlite`, { timeout: 5000 });
      const names = () =>
        database.prepare("select parent_path, name, visibility from channels order by id").all()
          .map(({ parent_path, name, visibility }) => `${parent_path}${name} ${visibility}`);
      assertEquals(names(), ["first public", "1/lobby public"]);
      database.exec("drop trigger refuse");
      assertEquals(
        await run(runSeed, file),
        "Added 0 of 2 accounts\nAdded 4 channels and 1 members",
      );
      assertEquals(names().map((name) => name.replace(/^\d+/, "")), [
        "first public",
        "/lobby public",
        "second public",
        "/lobby public",
        "third public",
        "/lobby public",
      ]);
      await server?.[Symbol.asyncDispose]();
    });
  });
}
