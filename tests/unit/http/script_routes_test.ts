import { assertEquals, assertMatch } from "@std/assert";
import { verifyToken } from "../../../db/access_tokens.ts";
import { statusOf, withHttp } from "../../support/http.ts";
import { createNativeApp } from "../../support/native_app.ts";
import { TestPeer } from "../../support/test_peer.ts";
import { waitUntil } from "../../support/wait_until.ts";

const flags = ["--api-token", "hunter2"];
const as = "token hunter2";

Deno.test("[transport 6.1] the routes for scripts need the API token, and are closed without one", async () => {
  const requests = [
    ["GET", "/user?github_login=ann"],
    ["GET", "/users/look_up?identifier=ann"],
    ["POST", "/users/1/access_tokens"],
  ] as const;
  await withHttp(flags, async ({ server, ask }) => {
    for (const [method, path] of requests) {
      const status = (as?: string) => statusOf(ask(path, { method, ...(as && { as }) }));
      assertEquals(await status(), 400, path);
      assertEquals(await status("Bearer hunter2"), 400, path);
      assertEquals(await status("token hunter"), 401, path);
      assertEquals(await status("token hunter22"), 401, path);
    }
    assertEquals(await server.server.store.allUsers(), []);
  });
  await withHttp([], async ({ ask }) => {
    for (const [method, path] of requests) {
      assertEquals(await statusOf(ask(path, { method, as: "token " })), 404, path);
    }
  });
});

Deno.test("[transport 6.2a, 6.2.1, 4.3.2] GET /user gets or makes the account of a login", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const get = async () =>
      await (await ask("/user?github_login=Ann&github_user_id=77&github_name=Ann%20A.", { as }))
        .json();
    const made = await get();
    const row = (await server.server.store.userByLogin("ann"))!;
    const { created_at, accepted_tos_at, ...user } = made.user;
    assertEquals(user, {
      id: row.id,
      github_login: "Ann",
      github_user_id: 77,
      github_user_created_at: null,
      email_address: null,
      name: "Ann A.",
      admin: false,
      invite_code: null,
      invite_count: 0,
      inviter_id: null,
      connected_once: false,
      metrics_id: row.metricsId,
      custom_llm_monthly_allowance_in_cents: null,
    });
    assertMatch(created_at, /^\d{4}-\d\d-\d\dT[\d:.]+$/);
    assertEquals(accepted_tos_at, created_at);
    assertEquals([made.metrics_id, made.feature_flags], [row.metricsId, []]);
    assertEquals(await get(), made);
    for (const query of ["", "?github_login=", "?github_login=a%20b"]) {
      assertEquals(await statusOf(ask(`/user${query}`, { as })), 400, query);
    }
    const wrong = await ask("/user?github_login=Ann&github_user_id=x", { as });
    assertEquals([wrong.status, await wrong.text()], [400, "github_user_id is no number"]);
    assertEquals((await server.server.store.allUsers()).length, 1);
  });
});

Deno.test("[transport 6.2a] GET /user knows by GitHub's id whom it made, whatever he is called there now", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const get = async (query: string) =>
      (await (await ask(`/user?${query}`, { as })).json()).user as {
        id: number;
        github_login: string;
        github_user_id: number | null;
      };
    const made = await get("github_login=ann&github_user_id=77");
    const later = await get("github_login=anna&github_user_id=77&github_email=a%40x.example");
    assertEquals([later.id, later.github_login], [made.id, "ann"]);
    assertEquals((await server.server.store.user(made.id))?.email, "a@x.example");
    assertEquals((await get("github_login=ann")).github_user_id, 77);
    const found = await (await ask("/users/look_up?identifier=ann", { as })).json();
    assertEquals(found.user.github_user_id, 77);

    // An account that was here before is nobody's at GitHub.
    const bob = await server.addUser("bob");
    assertEquals((await get("github_login=bob&github_user_id=88")).github_user_id, null);
    assertEquals((await get("github_login=bob&github_user_id=88")).id, bob.id);
    const other = await get("github_login=bobby&github_user_id=88");
    assertEquals(other.github_login, "bobby");
    assertEquals((await get("github_login=bob&github_user_id=88")).id, other.id);
    assertEquals((await server.server.store.allUsers()).length, 3);
  });
});

Deno.test("[transport 6.2a, 3.7.4] what GET /user changes of an account is heard of by who shows it", async () => {
  await withHttp(flags, async ({ server, url, ask }) => {
    const ann = await server.addUser("ann");
    await using peer = await TestPeer.connect({ url, user: ann });
    const shown = async () =>
      (await peer.call("GetUsers", { userIds: [BigInt(ann.id)] })).users[0]?.name;
    assertEquals(await shown(), undefined);
    const socket = new WebSocket(`${url.replace("http", "ws")}/client/users/connect`, {
      headers: { authorization: `${ann.id} ${ann.token}` },
    });
    let heard = 0;
    socket.onmessage = () => heard++;
    await waitUntil(() => server.server.notices.size === 1);
    await (await ask("/user?github_login=ann&github_name=Ann%20B.", { as })).body?.cancel();
    await waitUntil(() => heard === 1);
    assertEquals(await shown(), "Ann B.");
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
  });
});

Deno.test("[transport 6.2b] accounts are looked up by id and by login", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const find = async (identifier: string) =>
      (await (await ask(`/users/look_up?identifier=${identifier}`, { as })).json()).user?.id;
    assertEquals(await find("ANN"), ann.id);
    assertEquals(await find(String(ann.id)), ann.id);
    assertEquals(await find("99"), undefined);
    assertEquals(await find("ann@x.example"), undefined);
    assertEquals(await statusOf(ask("/users/look_up", { as })), 400);
  });
});

Deno.test("[transport 6.2c, 4.2.1] a token is made for the holder of a key, an admin's for somebody else", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const root = await server.addUser("root", { admin: true });
    const app = createNativeApp();
    const make = (id: number | string, query = "") =>
      ask(`/users/${id}/access_tokens?public_key=${app.publicKey}${query}`, {
        method: "POST",
        as,
      });
    const own = await (await make(ann.id)).json();
    assertEquals(own.user_id, ann.id);
    const { store } = server.server;
    const token = app.decrypt(own.encrypted_access_token);
    const verdict = await verifyToken(store, ann.id, token);
    assertEquals([verdict.kind, verdict.kind === "valid" && verdict.impersonatorId], [
      "valid",
      null,
    ]);

    const other = await (await make(root.id, "&impersonate=ann")).json();
    const asAnn = await verifyToken(store, ann.id, app.decrypt(other.encrypted_access_token));
    assertEquals(asAnn.kind === "valid" && [asAnn.user.id, asAnn.impersonatorId], [
      ann.id,
      root.id,
    ]);

    assertEquals(await statusOf(make(ann.id, "&impersonate=root")), 401);
    assertEquals(await statusOf(make(root.id, "&impersonate=nobody")), 422);
    for (const id of ["99", "x", "0"]) assertEquals(await statusOf(make(id)), 500, id);
    const bad = ask(`/users/${ann.id}/access_tokens?public_key=AAAA`, { method: "POST", as });
    assertEquals(await statusOf(bad), 500);
  });
});
