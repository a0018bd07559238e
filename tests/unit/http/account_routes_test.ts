import { assert, assertEquals, assertMatch } from "@std/assert";
import { statusOf, withHttp } from "../../support/http.ts";
import { RawClient } from "../../support/raw_client.ts";

Deno.test("[transport 7.6, 7.6.1, 7.6.2, 7.7, T7] the account document has every field of every year", async () => {
  await withHttp([], async ({ server, url, ask }) => {
    const ann = await server.addUser("Ann");
    const answer = await ask("/client/users/me?", {
      as: ann,
      headers: { "x-zed-system-id": "a-machine", "content-type": "application/json" },
    });
    assertEquals(answer.status, 200);
    assertEquals(answer.headers.get("content-type"), "application/json");
    const document = await answer.json();
    const row = (await server.server.store.user(ann.id))!;
    assertEquals(document, {
      user: {
        id: ann.id,
        id_v2: String(ann.id),
        legacy_user_id: ann.id,
        metrics_id: row.metricsId,
        username: "Ann",
        avatar_url: `${url}/avatars/${ann.id}.png`,
        github_login: "Ann",
        name: null,
        is_staff: false,
        accepted_tos_at: new Date(row.createdAt).toISOString(),
        has_connected_to_collab_once: false,
      },
      feature_flags: [],
      organizations: [],
      default_organization_id: null,
      plans_by_organization: {},
      configuration_by_organization: {},
      plan: {
        plan: "zed_free",
        plan_v2: "zed_free",
        plan_v3: "zed_free",
        subscription_period: null,
        usage: {
          model_requests: { used: 0, limit: { limited: 0 } },
          edit_predictions: { used: 0, limit: { limited: 0 } },
        },
        trial_started_at: null,
        is_usage_based_billing_enabled: false,
        is_account_too_young: false,
        has_overdue_invoices: false,
      },
    });
    const picture = await fetch(document.user.avatar_url);
    assertEquals([picture.status, picture.headers.get("content-type")], [200, "image/png"]);
    await picture.body?.cancel();
  });
});

Deno.test("[transport 5.5, 3.2.1, T4] only credentials that are wrong get a 401, at every route alike", async () => {
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const bob = await server.addUser("bob");
    const paths = [
      ["GET", "/client/users/me"],
      ["GET", "/client/users/connect"],
      ["POST", "/client/llm_tokens"],
      ["PATCH", "/client/system_settings"],
      ["POST", "/client/terms_of_service/accept"],
      ["POST", "/client/feedback/agent_thread"],
    ] as const;
    const wrong = [
      undefined,
      "",
      `${bob.id} ${ann.token}`,
      `${ann.id} ${ann.token.replace(/token":"..../, 'token":"AAAA')}`,
      `${ann.id}`,
      `Bearer ${ann.token}`,
      `0 ${ann.token}`,
      `2147483648 ${ann.token}`,
    ];
    for (const [method, path] of paths) {
      for (const as of wrong) {
        assertEquals(
          await statusOf(ask(path, { method, ...(as !== undefined && { as }) })),
          401,
          `${path} with ${as}`,
        );
      }
      assert(await statusOf(ask(path, { method, as: ann })) !== 401, path);
    }
    await server.server.store.close();
    for (const [method, path] of paths) {
      assertEquals(await statusOf(ask(path, { method, as: ann })), 503, path);
    }
  });
});

Deno.test("[transport 5.4, 5.4.1] a 401 says what is wrong with the header, at the handshake as elsewhere", async () => {
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const texts = [
      [undefined, "missing authorization header: sign in first"],
      [`Bearer ${ann.token}`, "missing user id in authorization header: sign in again"],
      [`dev-server-token ${ann.token}`, "missing user id in authorization header: sign in again"],
      [`${ann.id}`, "missing access token in authorization header: sign in again"],
      [`${ann.id} wrong`, "invalid credentials: sign in again"],
      [`2147483648 ${ann.token}`, "invalid credentials: sign in again"],
    ] as const;
    for (const [as, text] of texts) {
      const me = await ask("/client/users/me", as === undefined ? {} : { as });
      assertEquals([me.status, await me.text()], [401, text]);
      using client = await RawClient.connect(server.url);
      const rpc = await client.upgrade(as === undefined ? {} : { authorization: as });
      assertEquals([rpc.status, await client.text(rpc.headers)], [401, text]);
    }
  });
});

Deno.test("[transport 3.4.6] [rooms 4.7] who counts as staff is configured; by default administrators do", async () => {
  const expected = [
    [[], [false, true]],
    [["--staff", "none"], [false, false]],
    [["--staff", "admins"], [false, true]],
    [["--staff", "all"], [true, true]],
  ] as const;
  for (const [flags, staff] of expected) {
    await withHttp(flags, async ({ server, ask }) => {
      const users = [await server.addUser("ann"), await server.addUser("root", { admin: true })];
      const found = [];
      for (const as of users) {
        found.push((await (await ask("/client/users/me", { as })).json()).user.is_staff);
      }
      assertEquals(found, [...staff], flags.join(" "));
    });
  }
});

Deno.test("[transport 9.2, 9.5, 3.8.2, T5] model tokens are refused with 403 and a text where there are none", async () => {
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    for (const body of [undefined, "", "{", { organization_id: "x" }]) {
      const answer = await ask("/client/llm_tokens", { method: "POST", as: ann, body });
      assertEquals(answer.status, 403);
      assertMatch((await answer.json()).message, /not available on this server/);
    }
  });
});

Deno.test("[transport 7.6, 7.6.3, 9.4] settings are echoed, terms accepted, feedback dropped", async () => {
  await withHttp([], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    for (const selected_organization_id of ["x", null]) {
      const answer = await ask("/client/system_settings", {
        method: "PATCH",
        as: ann,
        body: { selected_organization_id, more: 1 },
      });
      assertEquals([answer.status, await answer.json()], [200, { selected_organization_id }]);
    }
    const refused = ask("/client/system_settings", { method: "PATCH", as: ann, body: "{" });
    assertEquals(await statusOf(refused), 400);

    const terms = await ask("/client/terms_of_service/accept", { method: "POST", as: ann });
    const { user } = await (await ask("/client/users/me", { as: ann })).json();
    assertEquals([terms.status, await terms.json()], [200, { user }]);

    for (const kind of ["agent_thread", "agent_thread_comments", "edit_prediction"]) {
      const answer = await ask(`/client/feedback/${kind}`, {
        method: "POST",
        as: ann,
        body: { thread: "x".repeat(1_000_000) },
      });
      assertEquals([answer.status, await answer.json()], [200, {}]);
    }
  });
});
