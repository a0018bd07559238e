import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { hashSecret, verifyToken } from "../../db/access_tokens.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import type { Store } from "../../db/store.ts";
import { type AdminDeps, handleAdmin } from "../../http/admin.ts";
import {
  createAdminSecret,
  localUrl,
  readRunningServer,
  removeRunningServer,
  writeRunningServer,
} from "../../http/running_server.ts";
import { cheapPasswords } from "../support/sign_in.ts";

interface Admin {
  readonly store: Store;
  readonly removed: number[];
  readonly changed: number[];
  readonly signedOut: number[];
  ask(
    method: string,
    path: string,
    body?: unknown,
    authorization?: string | null,
  ): Promise<{ status: number; json: unknown }>;
}

async function withAdmin(body: (admin: Admin) => Promise<void>): Promise<void> {
  const store = await openSqlite({ path: ":memory:" });
  const removed: number[] = [];
  const adminSecret = createAdminSecret();
  const changed: number[] = [];
  const signedOut: number[] = [];
  const deps: AdminDeps = {
    checkSeed: () => Promise.resolve(),
    seedChannels: () => Promise.resolve({ channels: 0, members: 0 }),
    store,
    adminSecret,
    passwords: cheapPasswords,
    audit: async () => {},
    url: "https://x.example",
    now: () => NOW,
    onUserRemoved: (id) => void removed.push(id),
    onUserChanged: (id) => void changed.push(id),
    onTokenRemoved: () => {},
    pairing: undefined,
    onUserSignedOut: (id) => void signedOut.push(id),
  };
  try {
    await body({
      store,
      removed,
      changed,
      signedOut,
      async ask(method, path, body, authorization = `Bearer ${adminSecret}`) {
        const request = new Request(`http://server${path}`, {
          method,
          headers: authorization === null ? {} : { authorization },
          ...(body === undefined
            ? {}
            : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        });
        const response = await handleAdmin(request, deps);
        assert(response !== undefined, "no admin route");
        return { status: response.status, json: await response.json() };
      },
    });
  } finally {
    await store.close();
  }
}

const users = "/internal/admin/users";
const NOW = Date.UTC(2026, 0, 1);

Deno.test("[issue 4 accounts] the admin routes invite, set passwords, change and sign out", async () => {
  await withAdmin(async ({ ask, store, changed, signedOut }) => {
    const invited = await ask("POST", `${users}/alice/invitation`, { admin: true });
    const { url, ...rest } = invited.json as { url: string };
    const week = 7 * 24 * 3_600_000;
    assertEquals([invited.status, rest], [200, { id: 1, login: "alice", expiresAt: NOW + week }]);
    assertMatch(url, /^https:\/\/x\.example\/invitation\?token=[\w-]{43}$/);
    const secret = url.slice(url.indexOf("=") + 1);
    assertEquals((await store.signIn.takeInvitation(hashSecret(secret)))?.userId, 1);
    assertEquals((await store.user(1))?.admin, true);

    const named = { status: 200, json: { id: 1, login: "alice" } };
    const password = "correct horse battery";
    assertEquals(await ask("POST", `${users}/ALICE/password`, { password }), named);
    const stored = await store.signIn.passwordHash(1);
    assertEquals(await cheapPasswords.check(stored, password), "right");

    assertEquals(await ask("PATCH", `${users}/alice`, { name: "Alice A.", admin: false }), named);
    const { name, admin } = (await store.user(1))!;
    assertEquals([name, admin, changed], ["Alice A.", false, [1]]);

    const [made] = [await ask("POST", `${users}/alice/token`)];
    const { token } = made!.json as { token: string };
    assertEquals(await ask("POST", `${users}/alice/signout`), named);
    assertEquals([(await verifyToken(store, 1, token)).kind, signedOut], ["invalid", [1]]);

    const status = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;
    for (const body of [undefined, {}, { password: "short" }, { password: 7 }]) {
      assertEquals(await status("POST", `${users}/alice/password`, body), 400);
    }
    for (const body of ["{", { name: 7 }, { login: "x" }, { admin: "yes" }]) {
      assertEquals(await status("PATCH", `${users}/alice`, body), 400);
    }
    assertEquals(await status("POST", `${users}/a%20b/invitation`, { admin: false }), 400);
    assertEquals(await status("POST", `${users}/bob/invitation`, {}), 400);
    assertEquals(await status("POST", `${users}/bob/password`, { password }), 404);
    assertEquals(await status("POST", `${users}/bob/signout`), 404);
    assertEquals(await status("PATCH", `${users}/bob`, {}), 404);
    assertEquals([changed, signedOut], [[1], [1]]);
  });
});

Deno.test("[issue 3 run] the admin routes add, list, give tokens and remove", async () => {
  await withAdmin(async ({ ask, store, removed }) => {
    const added = await ask("POST", users, { logins: ["alice", "bob"], admin: true });
    assertEquals(added.status, 200);
    const [alice, bob] = added.json as { id: number; login: string; token: string }[];
    assertEquals([alice!.id, alice!.login, bob!.id], [1, "alice", 2]);
    assertEquals((await verifyToken(store, 1, alice!.token)).kind, "valid");

    const list = await ask("GET", users);
    assertEquals(
      (list.json as { login: string; admin: boolean }[]).map((u) => [u.login, u.admin]),
      [
        ["alice", true],
        ["bob", true],
      ],
    );

    const made = await ask("POST", `${users}/bob/token`);
    const { id, token } = made.json as { id: number; token: string };
    assertEquals((await verifyToken(store, id, token)).kind, "valid");

    assertEquals(removed, []);
    assertEquals(await ask("DELETE", `${users}/bob`), {
      status: 200,
      json: { id: 2, login: "bob" },
    });
    assertEquals(removed, [2], "its connections are ended");
    assertEquals(await store.userByLogin("bob"), undefined);
  });
});

Deno.test("[issue 3 run] the admin routes need the secret, whole and exact", async () => {
  await withAdmin(async ({ ask, store }) => {
    const body = { logins: ["alice"], admin: false };
    const right = createAdminSecret();
    for (const wrong of [null, "", "Bearer", "Bearer ", `Bearer ${right}`, `token ${right}`]) {
      const answer = await ask("POST", users, body, wrong);
      assertEquals(answer.status, 401, String(wrong));
      assertMatch(JSON.stringify(answer.json), /error/);
    }
    assertEquals(await store.allUsers(), []);
    assertEquals((await ask("GET", "/internal/admin/nothing", undefined, null)).status, 401);
  });
});

Deno.test("[issue 3 run] the admin routes refuse what cannot be, with its status", async () => {
  await withAdmin(async ({ ask, store, removed }) => {
    await ask("POST", users, { logins: ["alice"], admin: false });
    const status = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;
    for (const body of ["", "{", "[]", {}, { logins: "bob", admin: true }, { logins: [] }]) {
      assertEquals(await status("POST", users, body), 400, JSON.stringify(body));
    }
    assertEquals(await status("POST", users, { logins: ["x y"], admin: false }), 400);
    assertEquals(await status("POST", users, { logins: ["ALICE"], admin: false }), 409);
    assertEquals(await status("POST", `${users}/bob/token`), 404);
    assertEquals(await status("DELETE", `${users}/bob`), 404);
    assertEquals(await status("DELETE", `${users}/%ff`), 404);
    assertEquals(await status("DELETE", users), 404);
    assertEquals(await status("GET", `${users}/alice`), 404);
    assertEquals(await status("GET", `${users}/:login/token`), 404);
    assertEquals(removed, []);
    await store.close();
    assertEquals(await status("GET", users), 503);
  });
});

Deno.test("[issue 3 run] other routes are not the admin's", async () => {
  const deps: AdminDeps = {
    checkSeed: () => Promise.resolve(),
    seedChannels: () => Promise.resolve({ channels: 0, members: 0 }),
    store: {} as Store,
    adminSecret: createAdminSecret(),
    passwords: cheapPasswords,
    audit: async () => {},
    url: "https://x.example",
    now: () => NOW,
    onUserRemoved: () => {},
    onUserChanged: () => {},
    onTokenRemoved: () => {},
    pairing: undefined,
    onUserSignedOut: () => {},
  };
  for (const path of ["/", "/internal/admin", "/internal/users/impersonate", "/rpc"]) {
    assertEquals(await handleAdmin(new Request(`http://server${path}`), deps), undefined);
  }
});

Deno.test("[issue 3 run] a running server is found by its file, private to its owner", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertEquals(await readRunningServer(folder), undefined);
    const server = { url: "http://127.0.0.1:8080", pid: 7, adminSecret: createAdminSecret() };
    // One that was killed has left its own.
    await writeRunningServer(folder, { ...server, pid: 6, adminSecret: createAdminSecret() });
    await writeRunningServer(folder, server);
    assertEquals(await readRunningServer(folder), server);
    if (Deno.build.os !== "windows") {
      assertEquals((await Deno.stat(`${folder}/server.json`)).mode! & 0o777, 0o600);
    }
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 1, "no temporary file");

    await removeRunningServer(folder, createAdminSecret());
    assertEquals(await readRunningServer(folder), server, "another server's stays");
    await removeRunningServer(folder, server.adminSecret);
    assertEquals(await readRunningServer(folder), undefined);
    await removeRunningServer(folder, server.adminSecret);

    for (const text of ["", "{}", JSON.stringify({ ...server, adminSecret: "short" })]) {
      await Deno.writeTextFile(`${folder}/server.json`, text);
      assertEquals(await readRunningServer(folder), undefined, text);
    }
    await Deno.remove(`${folder}/server.json`);
    await Deno.mkdir(`${folder}/server.json`);
    await assertRejects(() => readRunningServer(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("[issue 3 run] every start has a secret of its own; wildcard addresses are reached locally", () => {
  assertNotEquals(createAdminSecret(), createAdminSecret());
  assertEquals(createAdminSecret().length, 43);
  assertEquals(localUrl("127.0.0.1", 8080), "http://127.0.0.1:8080");
  assertEquals(localUrl("0.0.0.0", 1), "http://127.0.0.1:1");
  assertEquals(localUrl("::", 1), "http://[::1]:1");
  assertEquals(localUrl("fe80::1", 1), "http://[fe80::1]:1");
  assertEquals(localUrl("host.example", 1), "http://host.example:1");
});
