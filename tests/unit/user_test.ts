import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { accountsOfServer, patience, ServerRefusedError } from "../../cli/accounts.ts";
import { UsageError } from "../../cli/args.ts";
import { explain, explainListen } from "../../cli/explain.ts";
import { firstLine } from "../../cli/read_password.ts";
import { runUser } from "../../cli/user.ts";
import { hashSecret, verifyToken } from "../../db/access_tokens.ts";
import { NoSuchUserError } from "../../db/accounts.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { LoginTakenError, type Store } from "../../db/store.ts";
import { handleAdmin } from "../../http/admin.ts";
import { createAdminSecret, writeRunningServer } from "../../http/running_server.ts";
import { DataDirError, lockDataDir } from "../../lib/data_dir.ts";
import { cheapPasswords } from "../support/sign_in.ts";

interface Shell {
  readonly folder: string;
  /** Runs `user …` on the folder; its standard output. */
  user(...args: string[]): Promise<string>;
  readonly notes: string[];
}

async function withShell(body: (shell: Shell) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const notes: string[] = [];
  try {
    await body({
      folder,
      notes,
      async user(...args) {
        const results: string[] = [];
        await runUser(args, { PARLEY_DATA_DIR: folder }, {
          result: (text) => void results.push(text),
          note: (text) => void notes.push(text),
        }, (login, fromInput) => Promise.resolve(`${login} ${fromInput} correct horse`));
        return results.join("\n");
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A server on the shell's folder, as far as the command line needs one. */
async function withServer(
  folder: string,
  body: (store: Store, removed: readonly number[]) => Promise<void>,
): Promise<void> {
  const lock = await lockDataDir(folder);
  // Not where the command line would look, so that only the server can have answered.
  const store = await openSqlite({ path: ":memory:" });
  const removed: number[] = [];
  const adminSecret = createAdminSecret();
  const deps = {
    store,
    adminSecret,
    passwords: cheapPasswords,
    audit: async () => {},
    checkSeed: () => Promise.resolve(),
    seedChannels: () => Promise.resolve({ channels: 0, members: 0 }),
    url: "https://x.example",
    now: () => Date.UTC(2026, 0, 1),
    onUserRemoved: (id: number) => void removed.push(id),
    onUserChanged: () => {},
    onTokenRemoved: () => {},
    pairing: undefined,
    onUserSignedOut: (id: number) => void removed.push(-id),
  };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => await handleAdmin(request, deps) ?? new Response("no", { status: 404 }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  await writeRunningServer(folder, { url, pid: Deno.pid, adminSecret });
  try {
    await body(store, removed);
  } finally {
    await server.shutdown();
    await store.close();
    lock.release();
  }
}

Deno.test("[issue 3 run] accounts are managed without a server", async () => {
  await withShell(async ({ user, folder, notes }) => {
    const added = JSON.parse(await user("add", "alice", "bob", "--json"));
    assertEquals(added.map(({ id, login }: { id: number; login: string }) => [id, login]), [
      [1, "alice"],
      [2, "bob"],
    ]);
    assertMatch(await user("add", "carl", "--admin"), /^login: carl\nid: {4}3\ntoken: \{"version"/);
    assertEquals(await user("list"), "id  login\n 1  alice\n 2  bob\n 3  carl  (admin)");
    const [made] = JSON.parse(await user("token", "alice", "--json"));
    assertEquals(await user("remove", "bob"), "Removed bob (id 2)");
    const list = JSON.parse(await user("list", "--json"));
    assertEquals(list.map((u: { login: string }) => u.login), ["alice", "carl"]);
    assertEquals(notes, []);

    const store = await openSqlite({ path: `${folder}/parley.sqlite` });
    for (const token of [added[0].token, made.token]) {
      assertEquals((await verifyToken(store, 1, token)).kind, "valid");
    }
    await store.close();
  });
});

Deno.test("[issue 3 run] accounts are managed through the server that runs on the folder", async () => {
  await withShell(async ({ user, folder }) => {
    await withServer(folder, async (store, removed) => {
      const [alice] = JSON.parse(await user("add", "alice", "--admin", "--json"));
      assertEquals((await verifyToken(store, alice.id, alice.token)).kind, "valid");
      assertEquals((await store.user(1))?.admin, true);
      const [made] = JSON.parse(await user("token", "ALICE", "--json"));
      assertEquals((await verifyToken(store, 1, made.token)).kind, "valid");
      assertMatch(await user("list"), /1 {2}alice {2}\(admin\)/);
      assertEquals(await user("remove", "alice"), "Removed alice (id 1)");
      assertEquals(removed, [1], "its connections are ended");
      const error = await assertRejects(() => user("remove", "alice"), ServerRefusedError);
      assertMatch(error.message, /Cannot find user "alice"/);
    });
    const files = (await Array.fromAsync(Deno.readDir(folder))).map((file) => file.name).sort();
    assertEquals(files, ["parley.lock", "server.json"], "no database was made beside the server's");
  });
});

Deno.test("[issue 4 accounts] invitations, passwords and sign-out, without a server and through it", async () => {
  const commands = async ({ user }: Shell) => {
    const [invited] = JSON.parse(await user("invite", "alice", "--admin", "--json"));
    const link = await user("invite", "Alice");
    const set = await user("password", "alice", "--password-stdin");
    await assertRejects(() => user("password", "nobody"));
    const [added] = JSON.parse(await user("add", "bob", "--json"));
    const out = await user("signout", "bob");
    assertMatch(link, /^Give this link to alice; it is good once, until \d{4}-\d\d-\d\d:\n/);
    assertEquals([invited.id, invited.login, set, out], [
      1,
      "alice",
      "Set the password of alice (id 1)",
      "Signed out bob (id 2) everywhere",
    ]);
    return { url: invited.url as string, link, token: added.token as string };
  };
  const assertDone = async (store: Store, link: string, token: string) => {
    const stored = await store.signIn.passwordHash(1);
    assertEquals(
      await cheapPasswords.check(stored, "alice true correct horse") !== "wrong",
      true,
    );
    const secret = link.slice(link.indexOf("=") + 1);
    assertEquals((await store.signIn.invitation(hashSecret(secret)))?.userId, 1);
    assertEquals((await store.user(1))?.admin, true);
    assertEquals((await verifyToken(store, 2, token)).kind, "invalid");
  };
  await withShell(async (shell) => {
    const { url, link, token } = await commands(shell);
    assertMatch(url, /^<server_url>\/invitation\?token=[\w-]{43}$/);
    const store = await openSqlite({ path: `${shell.folder}/parley.sqlite` });
    await assertDone(store, link, token);
    await store.close();
  });
  await withShell(async (shell) => {
    await withServer(shell.folder, async (store, removed) => {
      const { url, link, token } = await commands(shell);
      assertMatch(url, /^https:\/\/x\.example\/invitation\?token=/);
      await assertDone(store, link, token);
      assertEquals(removed, [-2], "its connections are ended");
    });
  });
});

Deno.test("[issue 4 accounts] a password from standard input is its first line", async () => {
  const read = (...chunks: string[]) =>
    firstLine(ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk))));
  assertEquals(await read("correct ", "horse\r\nmore"), "correct horse");
  assertEquals(await read("no end"), "no end");
  for (const input of [[], ["\n"], ["x".repeat(5_000)]]) {
    await assertRejects(() => read(...input), UsageError, "first line");
  }
});

Deno.test("[issue 3 run] what a killed server left does not mislead", async () => {
  await withShell(async ({ user, folder }) => {
    const adminSecret = createAdminSecret();
    await writeRunningServer(folder, { url: "http://127.0.0.1:9", pid: 1, adminSecret });
    assertMatch(await user("add", "alice"), /login: alice/);
  });
});

Deno.test("[issue 3 run] a server that does not answer is told, not passed by", async () => {
  await withShell(async ({ user, folder }) => {
    const lock = await lockDataDir(folder);
    const adminSecret = createAdminSecret();
    await writeRunningServer(folder, { url: "http://127.0.0.1:9", pid: 77, adminSecret });
    const error = await assertRejects(() => user("add", "alice"), ServerRefusedError);
    assertMatch(error.message, /Cannot reach the server.*process 77.*restart it/);
    lock.release();
  });
});

Deno.test("[issue 3 run] a server that makes many accounts is given the time for it: their tokens come in its answer only", async () => {
  assertEquals([patience(), patience(1), patience(1000)], [10_000, 10_200, 210_000]);
  const waits: number[] = [];
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms) => {
    waits.push(ms);
    return timeout.call(AbortSignal, ms);
  };
  try {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => Response.json([]),
    );
    const url = `http://127.0.0.1:${server.addr.port}`;
    const accounts = accountsOfServer({ url, pid: 1, adminSecret: "secret" });
    await accounts.add(["ann", "bob"], false);
    await accounts.list();
  } finally {
    AbortSignal.timeout = timeout;
  }
  assertEquals(waits, [patience(2), patience()]);
});

Deno.test("[issue 3 run] a database in a server's memory has no accounts without it", async () => {
  await withShell(async ({ user }) => {
    await assertRejects(
      () => user("add", "alice", "--database-url", "sqlite::memory:"),
      DataDirError,
      "start it first",
    );
  });
});

Deno.test("[issue 3 run] the flags of the data folder beat the environment", async () => {
  await withShell(async ({ user, folder }) => {
    await user("add", "alice", "--data-dir", `${folder}/other`);
    await user("add", "bob", "--database-url", `sqlite:${folder}/own.sqlite`);
    assertEquals((await Deno.stat(`${folder}/other/parley.sqlite`)).isFile, true);
    assertEquals((await Deno.stat(`${folder}/own.sqlite`)).isFile, true);
    assertMatch(await user("list"), /^No accounts yet.*user add <login>$/);
    assertMatch(
      await user("list", "--data-dir", `${folder}/third`),
      /<login>, with the same flags$/,
    );
  });
});

Deno.test("[issue 3 run] a command line that makes no sense is explained and changes nothing", async () => {
  await withShell(async ({ user, folder }) => {
    const wrong = [
      ["frobnicate"],
      ["add"],
      ["list", "alice"],
      ["token"],
      ["remove", "alice", "bob"],
      ["add", "alice", "--json2"],
      ["add", "alice", "-x"],
      ["list", "--admin"],
      ["invite"],
      ["password", "alice", "--admin"],
      ["signout", "a", "b"],
      ["add", "alice", "--password-stdin"],
      ["add", "alice", "--port", "1"],
    ];
    for (const args of wrong) await assertRejects(() => user(...args), UsageError, "Cannot");
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    for (const args of [[], ["--help"], ["add", "--help"]]) {
      assertMatch(await user(...args), /user add <login>…[^]*user invite[^]*user list/);
    }
    await user("add", "007");
    assertMatch(await user("list"), / 1 {2}007$/);
    await assertRejects(() => user("add", "007"), LoginTakenError);
    await assertRejects(() => user("token", "7"), NoSuchUserError);
  });
});

Deno.test("[issue 3 run] errors that a user can mend are one line, defects come with their stack", () => {
  assertEquals(explain(new UsageError("Cannot x: y")), "Cannot x: y");
  assertMatch(explain(new TypeError("X is undefined")), /defect.*report it: TypeError: X[^]*at /);
  assertMatch(
    explainListen(new Deno.errors.AddrInUse(""), "127.0.0.1", 8080)!,
    /^Cannot listen on 127\.0\.0\.1:8080: another program uses this port; .*--port$/,
  );
  assertMatch(explainListen(new Deno.errors.AddrNotAvailable(""), "::2", 1)!, /\[::2\]:1.*--host$/);
  assertMatch(explainListen(new Deno.errors.PermissionDenied(""), "h", 80)!, /permission denied/);
  assertEquals(explainListen(new Error("other"), "h", 1), undefined);
  let unknown: unknown;
  try {
    Deno.listen({ hostname: "no-such-name.invalid", port: 0 }).close();
  } catch (error) {
    unknown = error;
  }
  assertMatch(
    explainListen(unknown, "no-such-name.invalid", 1)!,
    /^Cannot listen on no-such-name\.invalid:1: nobody knows the name "no-such-name\.invalid"; .*--host$/,
  );
});
