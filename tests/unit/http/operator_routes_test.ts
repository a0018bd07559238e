import { assertEquals, assertMatch } from "@std/assert";
import { statusOf, withHttp } from "../../support/http.ts";

const flags = ["--api-token", "hunter2"];
const as = "token hunter2";

Deno.test("[transport 6.2d] [rooms 17c] the snapshot tells who is connected, with the API token only", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const path = "/rpc_server_snapshot";
    assertEquals(await statusOf(ask(path)), 400);
    assertEquals(await statusOf(ask(path, { as: "token wrong" })), 401);
    const empty = await (await ask(path, { as })).json();
    assertEquals(empty, {
      peer: { epoch: 1, connections: {} },
      connection_pool: {
        connections: {},
        connected_users: {},
        channels: { by_user: {}, by_channel: {} },
      },
    });
    const ann = await server.raw("ann");
    const second = await server.raw("ann", { version: "0.191.0" });
    const { channel } = await ann.call("CreateChannel", { name: "team" });
    const answer = await ask(path, { as });
    const text = await answer.text();
    assertMatch(text, /\n {2}"peer"/, "pretty");
    const { connection_pool } = JSON.parse(text);
    const keys = [ann, second].map(({ peerId }) => `${peerId.ownerId}:${peerId.id}`);
    assertEquals(Object.keys(connection_pool.connections), keys);
    assertEquals(connection_pool.connections[keys[1]!], {
      user_id: Number(ann.userId),
      admin: false,
      zed_version: "0.191.0",
      impersonator_id: null,
    });
    assertEquals(connection_pool.connected_users, {
      [`${ann.userId}`]: { connection_ids: keys },
    });
    assertEquals(connection_pool.channels, {
      by_user: { [`${ann.userId}`]: [Number(channel!.id)] },
      by_channel: { [`${channel!.id}`]: [Number(ann.userId)] },
    });
  });
});

Deno.test("[transport 6.2e] contributors sign once; administrators and the bot need not", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    await server.addUser("root", { admin: true });
    const get = async (path: string) => await (await ask(path, { as })).json();
    const post = (body: unknown) => statusOf(ask("/contributors", { method: "POST", as, body }));
    assertEquals(await get("/contributors"), []);
    assertEquals(await get("/contributor?github_login=Ann"), { signed_at: null });
    assertEquals(
      await post({ github_login: "Ann", github_user_id: 7, github_email: "a@x.example" }),
      200,
    );
    const { signed_at } = await get("/contributor?github_login=ann");
    assertMatch(signed_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assertEquals(await post({ github_login: "ann" }), 200);
    assertEquals(await get("/contributor?github_login=ANN"), { signed_at });
    assertEquals(await get("/contributors"), ["Ann"]);
    const ann = (await server.server.store.userByLogin("ann"))!;
    assertEquals(ann.email, "a@x.example");
    await server.server.store.signIn.linkIdentity("github", "7", ann.id);
    assertEquals(await get("/contributor?github_user_id=7"), { signed_at });
    for (const login of ["root", "renovate[bot]"]) {
      assertMatch(
        (await get(`/contributor?github_login=${encodeURIComponent(login)}`)).signed_at,
        /Z$/,
      );
    }
    assertEquals(await statusOf(ask("/contributor", { as })), 500);
    assertEquals([await post({}), await post({ github_login: "a b" })], [400, 400]);
    for (const path of ["/contributors", "/contributor?github_login=ann"]) {
      assertEquals([await statusOf(ask(path)), await statusOf(ask(path, { as: "token x" }))], [
        400,
        401,
      ]);
    }
  });
});

Deno.test("[transport 6.2g] a plan and a need for new model tokens are pushed to the user's clients of 2025", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const ann = await server.raw("ann", { version: "0.191.0" });
    const late = await server.raw("ann");
    const bob = await server.raw("bob", { version: "0.191.0" });
    assertEquals((await ann.next("UpdateUserPlan")).value.plan, 0);
    await bob.next("UpdateUserPlan");
    const post = (path: string) =>
      statusOf(ask(`/users/${ann.userId}/${path}`, { method: "POST", as }));
    await server.server.store.updateUser(Number(ann.userId), { staff: true });
    assertEquals(await post("update_plan"), 200);
    assertEquals((await ann.next("UpdateUserPlan")).value.plan, 1);
    assertEquals(await post("refresh_llm_tokens"), 200);
    await ann.next("RefreshLlmToken");
    for (const peer of [late, bob]) {
      await peer.settle();
      const names = peer.fresh().map(({ name }) => name);
      assertEquals(names.filter((name) => /RefreshLlm|UserPlan/.test(name)), []);
    }
    assertEquals(await statusOf(ask("/users/99/update_plan", { method: "POST", as })), 404);
    assertEquals(await statusOf(ask(`/users/${ann.userId}/update_plan`, { method: "POST" })), 400);
  });
});

Deno.test("[transport 6.2b] accounts are looked up by e-mail address and by the payment provider's ids", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const { store } = server.server;
    const ann = await server.addUser("ann");
    await store.updateUser(ann.id, { email: "Ann@x.example" });
    await store.admin.addCustomer(ann.id, "cus_1");
    await store.admin.putSubscription({
      id: "sub_1",
      userId: ann.id,
      status: "active",
      plan: null,
      startedAt: null,
      endsAt: null,
      cancels: false,
      toldAt: 1,
    });
    const find = async (identifier: string) =>
      (await (await ask(`/users/look_up?identifier=${identifier}`, { as })).json()).user?.id;
    for (const one of ["ann@X.example", "cus_1", "sub_1"]) {
      assertEquals(await find(one), ann.id, one);
    }
    for (const one of ["nn@x.example", "cus_2", "sub_2"]) {
      assertEquals(await find(one), undefined, one);
    }
  });
});

Deno.test("[transport 6.4] a split collaboration server looks accounts and members up with the key", async () => {
  await withHttp(flags, async ({ server, ask }) => {
    const root = await server.raw("Root");
    const [ann, annika] = [await server.addUser("ann"), await server.addUser("annika")];
    const { channel } = await root.call("CreateChannel", { name: "team" });
    for (const { id } of [annika, ann]) {
      const invite = { channelId: channel!.id, userId: BigInt(id), role: 1 };
      await root.call("InviteChannelMember", invite);
    }
    const post = async (path: string, body: unknown, as?: string) => {
      const answer = await ask(`/internal/${path}`, {
        method: "POST",
        body,
        as: as ?? "Bearer hunter2",
      });
      return [answer.status, await answer.json()] as const;
    };
    const { metricsId: _, ...row } = (await server.server.store.user(ann.id))!;
    const user = {
      id: String(ann.id),
      legacy_user_id: ann.id,
      username: "ann",
      github_login: "ann",
      avatar_url: `${server.url}/avatars/${ann.id}.png`,
      name: null,
      admin: row.admin,
      connected_once: false,
    };
    assertEquals(
      await post("users/look_up_by_legacy_id", { legacy_user_ids: [ann.id, 99] }),
      [200, { users: [user] }],
    );
    assertEquals(await post("users/look_up_by_github_login", { github_login: "ANN" }), [200, {
      user,
    }]);
    assertEquals(await post("users/look_up_by_github_login", { github_login: "x" }), [200, {
      user: null,
    }]);
    const [, { users }] = await post("users/fuzzy_search", { query: "ann", limit: 1 });
    assertEquals(users, [user]);
    const search = (query: string, limit = 10) =>
      post("channel_members/fuzzy_search_by_github_login", {
        channel_id: Number(channel!.id),
        query,
        limit,
      });
    const [, all] = await search("");
    assertEquals(
      all.channel_members.map((one: { kind: string; role: string }) => [one.kind, one.role]),
      [["member", "admin"], ["invitee", "member"], ["invitee", "member"]],
    );
    assertEquals(all.users.map(({ username }: { username: string }) => username), [
      "Root",
      "ann",
      "annika",
    ]);
    assertEquals((await search("ann", 1))[1].channel_members.length, 1);
    assertEquals(
      (await post("channel_members/fuzzy_search_by_github_login", {
        channel_id: 99,
        query: "",
        limit: 1,
      }))[0],
      404,
    );
    assertEquals((await post("users/fuzzy_search", { query: 1 }))[0], 400);
    assertEquals((await post("users/fuzzy_search", { query: "", limit: 1 }, "Bearer x"))[0], 401);
  });
});

Deno.test("[transport 6.3.1] the routes that a server of 2026 keeps are there", async () => {
  await withHttp([], async ({ ask }) => {
    const found: Record<string, number> = {};
    for (const path of ["/", "/healthz", "/metrics", "/extensions/x"]) {
      found[path] = await statusOf(ask(path));
    }
    const bounds =
      "min_schema_version=0&max_schema_version=1&min_wasm_api_version=0.0.0&max_wasm_api_version=0.1.0";
    found.updates = await statusOf(ask(`/extensions/updates?${bounds}&ids=x`));
    found.download = await statusOf(ask("/extensions/x/1.0.0/download"));
    found.rpc = await statusOf(ask("/rpc"));
    for (const kind of ["crashes", "panics", "hangs", "events"]) {
      found[kind] = await statusOf(ask(`/telemetry/${kind}`, { method: "POST", body: {} }));
    }
    assertEquals(found, {
      "/": 200,
      "/healthz": 200,
      "/metrics": 200,
      "/extensions/x": 200,
      updates: 200,
      download: 404,
      rpc: 302,
      crashes: 200,
      panics: 200,
      hangs: 200,
      events: 200,
    });
  });
});
