import { assertEquals, assertMatch } from "@std/assert";
import Stripe from "stripe";
import { askAt, statusOf } from "../support/http.ts";
import { startServer } from "../support/server.ts";

const SECRET = "whsec_test";

/** A Stripe that writes down what it is asked. */
function fakeStripe() {
  const asked: (readonly [path: string, fields: Record<string, string>])[] = [];
  let refuses = false;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      assertEquals(request.headers.get("authorization"), "Bearer sk_test_1");
      asked.push([pathname, Object.fromEntries(new URLSearchParams(await request.text()))]);
      if (refuses) {
        return Response.json({ error: { message: "no", type: "card_error" } }, {
          status: 402,
        });
      }
      return Response.json({ id: "cus_1", url: `https://pay.example${pathname}` });
    },
  );
  return {
    asked,
    url: `http://127.0.0.1:${server.addr.port}`,
    refuse: () => refuses = true,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("[transport 6.2f] an account pays through Stripe, whose signed word alone changes its plan", async () => {
  await using stripe = fakeStripe();
  await using server = await startServer({
    flags: [
      ...["--stripe-api-key", "sk_test_1", "--stripe-webhook-secret", SECRET],
      ...["--stripe-price-ids", "pro=price_1", "--stripe-url", stripe.url],
    ],
  });
  const ann = await server.addUser("ann");
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await askAt(server.url, `/billing/${path}`, {
      method,
      as: ann,
      ...(body !== undefined && { body }),
    });
    return [answer.status, await answer.json()] as const;
  };
  for (const path of ["customers", "subscriptions"]) {
    assertEquals(await statusOf(askAt(server.url, `/billing/${path}`)), 401);
  }
  assertEquals(await ask("GET", "customers"), [200, {
    customer_id: null,
    paying: false,
    plans: ["pro"],
    subscriptions: [],
  }]);
  assertEquals((await ask("POST", "subscriptions", { plan: "gold" }))[0], 400);
  assertEquals(stripe.asked, []);
  const [, paid] = await ask("POST", "subscriptions", { plan: "pro" });
  assertMatch(paid.url, /checkout\/sessions$/);
  assertMatch((await ask("POST", "subscriptions/manage"))[1].url, /billing_portal\/sessions$/);
  assertEquals(stripe.asked.map(([path]) => path), [
    "/v1/customers",
    "/v1/checkout/sessions",
    "/v1/billing_portal/sessions",
  ]);
  assertEquals(stripe.asked[0]![1]["metadata[parley_user_id]"], String(ann.id));
  assertEquals([stripe.asked[1]![1].customer, stripe.asked[1]![1]["line_items[0][price]"]], [
    "cus_1",
    "price_1",
  ]);

  const library = new Stripe("sk_test_1");
  const editor = await server.raw("ann", { version: "0.191.0" });
  assertEquals((await editor.next("UpdateUserPlan")).value.plan, 0);
  const tell = async (created: number, status: string, secret = SECRET, customer = "cus_1") => {
    const payload = JSON.stringify({
      id: "evt_1",
      object: "event",
      type: "customer.subscription.updated",
      created,
      data: {
        object: {
          id: "sub_1",
          customer,
          status,
          cancel_at_period_end: false,
          items: {
            data: [{ price: { id: "price_1" }, current_period_start: 1, current_period_end: 2 }],
          },
        },
      },
    });
    const signature = await library.webhooks.generateTestHeaderStringAsync({ payload, secret });
    const answer = await askAt(server.url, "/billing/webhook", {
      method: "POST",
      headers: { "stripe-signature": signature },
      body: payload,
    });
    return [answer.status, (await answer.json()).taken];
  };
  assertEquals(await tell(10, "active", "whsec_other"), [400, undefined]);
  assertEquals(
    await statusOf(askAt(server.url, "/billing/webhook", { method: "POST", body: {} })),
    400,
  );
  assertEquals((await ask("GET", "customers"))[1].paying, false);
  assertEquals(await tell(10, "active"), [200, true]);
  assertEquals((await editor.next("UpdateUserPlan")).value.plan, 1);
  const [, { subscriptions, paying }] = await ask("GET", "customers");
  assertEquals([paying, subscriptions], [true, [{
    id: "sub_1",
    status: "active",
    plan: "pro",
    started_at: "1970-01-01T00:00:01.000Z",
    ends_at: "1970-01-01T00:00:02.000Z",
    cancels_at_end: false,
  }]]);
  assertEquals(await tell(9, "canceled"), [200, false], "an older word, delivered late");
  assertEquals(await tell(11, "canceled", SECRET, "cus_other"), [200, false], "somebody else's");
  const late = await server.raw("ann", { version: "0.191.0" });
  assertEquals((await late.next("UpdateUserPlan")).value.plan, 1);
  assertEquals(await tell(11, "canceled"), [200, true]);
  assertEquals((await editor.next("UpdateUserPlan")).value.plan, 0);
  const entries = await server.server.store.admin.auditEntries({ before: null, limit: 9 });
  assertEquals(entries.map(({ actor, details }) => [actor.kind, details.status]), [
    ["payment provider", "canceled"],
    ["payment provider", "active"],
  ]);
  stripe.refuse();
  assertEquals((await ask("POST", "subscriptions/manage"))[0], 502);
});

Deno.test("[transport 6.2f] billing is off without a key", async () => {
  await using server = await startServer();
  const as = await server.addUser("ann");
  const requests = [
    ["GET", "customers"],
    ["GET", "subscriptions"],
    ["POST", "subscriptions"],
    ["POST", "subscriptions/manage"],
    ["POST", "webhook"],
  ] as const;
  for (const [method, path] of requests) {
    assertEquals(await statusOf(askAt(server.url, `/billing/${path}`, { method, as })), 404, path);
  }
});
