import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { decodeJwt, jwtVerify } from "jose";
import { checkModelToken, createModelToken } from "../../../http/client_api/model_tokens.ts";
import { Secret } from "../../../lib/setting.ts";
import { statusOf, withHttp } from "../../support/http.ts";

const SECRET = "a secret of some length";
const KEY = new TextEncoder().encode(SECRET);
const HOUR = 3600;

Deno.test("[transport 7.5, 7.5.5] without models every endpoint has a minimal answer", async () => {
  await withHttp([], async ({ ask }) => {
    const models = await ask("/models", { headers: { "x-zed-client-supports-x-ai": "true" } });
    assertEquals([models.status, await models.json()], [200, {
      models: [],
      default_model: "",
      default_fast_model: "",
      recommended_models: [],
    }]);
    const refused = ["/completions", "/count_tokens", "/web_search", "/predict_edits/v2"];
    for (const path of [...refused, ...["v3", "v4", "raw"].map((v) => `/predict_edits/${v}`)]) {
      const answer = await ask(path, { method: "POST", body: new Uint8Array([0x28, 0xb5]) });
      const { code, message } = await answer.json();
      assertEquals([answer.status, code], [403, "models_unavailable"], path);
      assertMatch(message, /not available/);
    }
    for (const [kind, value] of [["accept", null], ["reject", null], ["settled", {}]]) {
      const answer = await ask(`/predict_edits/${kind}`, { method: "POST", body: {} });
      assertEquals([answer.status, await answer.json()], [200, value], String(kind));
    }
    const names = await ask("/edit_prediction_experiments?is_jumps_api=true");
    assertEquals([names.status, await names.json()], [200, []]);
  });
});

Deno.test("[transport 9.1, 9.2] with a key, model tokens are JWTs with the documented claims", async () => {
  await withHttp(["--llm-api-secret", SECRET], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const answer = await ask("/client/llm_tokens", {
      method: "POST",
      as: ann,
      headers: { "x-zed-system-id": "machine" },
      body: { organization_id: "org" },
    });
    assertEquals(answer.status, 200);
    const { token } = await answer.json();
    const { payload, protectedHeader } = await jwtVerify(token, KEY);
    assertEquals(protectedHeader.alg, "HS256");
    assertEquals(payload.exp! - payload.iat!, HOUR);
    assertMatch(payload.jti!, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    const row = (await server.server.store.user(ann.id))!;
    const { exp: _exp, iat: _iat, jti: _jti, ...claims } = payload;
    assertEquals(claims, {
      userId: ann.id,
      systemId: "machine",
      organizationId: "org",
      metricsId: row.metricsId,
      githubUserLogin: "ann",
      accountCreatedAt: new Date(row.createdAt).toISOString(),
      isStaff: false,
      hasLlmClosedBetaFeatureFlag: false,
      bypassAccountAgeCheck: true,
      useLlmRequestQueue: false,
      plan: "free",
      hasExtendedTrial: false,
      subscriptionPeriod: null,
      enableModelRequestOverages: false,
      modelRequestOveragesSpendLimitInCents: 0,
      canUseWebSearchTool: false,
      hasOverdueInvoices: false,
    });
    const bare = await (await ask("/client/llm_tokens", { method: "POST", as: ann })).json();
    const { systemId, organizationId, jti } = decodeJwt(bare.token);
    assertEquals([systemId, organizationId], [undefined, undefined]);
    assertNotMatch(jti!, new RegExp(payload.jti!));
  });
});

Deno.test("[transport 9.3, 7.5.3, 7.5.4] a model token that is too old is told by a header", async () => {
  await withHttp(["--llm-api-secret", SECRET], async ({ server, ask }) => {
    const ann = await server.addUser("ann");
    const { token } = await (await ask("/client/llm_tokens", { method: "POST", as: ann })).json();
    const complete = (as?: string) =>
      ask("/completions", { method: "POST", body: {}, ...(as !== undefined && { as }) });
    assertEquals(await statusOf(complete(`Bearer ${token}`)), 403);
    assertEquals(await statusOf(complete()), 401);
    const user = (await server.server.store.user(ann.id))!;
    const old = await createModelToken(new Secret(SECRET), user, {
      now: Date.now() - 2 * HOUR * 1000,
      isStaff: false,
      systemId: null,
      organizationId: null,
    });
    const answer = await complete(`Bearer ${old}`);
    assertEquals([answer.status, answer.headers.get("x-zed-expired-token")], [401, "true"]);
    assertEquals((await answer.json()).code, "token_expired");
  });
});

Deno.test("[transport 9.3] tokens are good for an hour, and only under their key", async () => {
  const user = {
    id: 1,
    login: "ann",
    name: null,
    avatarUrl: null,
    admin: false,
    connectedOnce: false,
    metricsId: "m",
    createdAt: 0,
    email: null,
    staff: null,
    disabledAt: null,
  };
  const now = Date.UTC(2026, 0, 1);
  const token = await createModelToken(new Secret(SECRET), user, {
    now,
    isStaff: true,
    systemId: null,
    organizationId: null,
  });
  const check = (secret: string, text: string, seconds: number) =>
    checkModelToken(new Secret(secret), text, now + seconds * 1000);
  assertEquals(await check(SECRET, token, 0), "valid");
  assertEquals(await check(SECRET, token, HOUR - 1), "valid");
  assertEquals(await check(SECRET, token, HOUR), "expired");
  assertEquals(await check(`${SECRET}x`, token, 0), "invalid");
  for (const text of ["", "a.b.c", `${token}x`, token.replace(/^[^.]+/, btoa('{"alg":"none"}'))]) {
    assertEquals(await check(SECRET, text, 0), "invalid", text);
  }
});
