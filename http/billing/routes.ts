/** `/billing…`: paying for an account, where a payment provider is configured. [transport 6.2f] */
import { z } from "zod";
import type { Subscription } from "../../db/admin_store.ts";
import type { User } from "../../db/store.ts";
import { audit, toUser } from "../audit.ts";
import { baseUrl } from "../base_url.ts";
import { readBody, readJson } from "../body.ts";
import { tellPlan } from "../operator_routes.ts";
import { callerOf } from "../own_account_routes.ts";
import { json } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { ForgedMessageError, type Payments, PaymentsUnavailableError } from "./payments.ts";

type Handler = (exchange: Exchange, payments: Payments) => Promise<Response>;

function withPayments(handler: Handler): (exchange: Exchange) => Promise<Response> {
  return async (exchange) => {
    const { payments, log } = exchange.deps;
    if (payments === undefined) {
      return json(404, { error: "billing is off: start the server with STRIPE_API_KEY" });
    }
    try {
      return await handler(exchange, payments);
    } catch (error) {
      if (!(error instanceof PaymentsUnavailableError)) throw error;
      log.error("{message}: {cause}", { message: error.message, cause: error.cause });
      return json(502, { error: error.message });
    }
  };
}

function withCaller(
  handler: (exchange: Exchange, payments: Payments, user: User) => Promise<Response>,
): (exchange: Exchange) => Promise<Response> {
  return withPayments(async (exchange, payments) => {
    const caller = await callerOf(exchange);
    return caller instanceof Response ? caller : await handler(exchange, payments, caller.user);
  });
}

function subscriptionJson({ id, status, plan, startedAt, endsAt, cancels }: Subscription) {
  const time = (at: number | null) => at === null ? null : new Date(at).toISOString();
  return {
    id,
    status,
    plan,
    started_at: time(startedAt),
    ends_at: time(endsAt),
    cancels_at_end: cancels,
  };
}

/** `GET /billing/customers`: who the caller is to the provider, and what he pays for. */
export const billingCustomer = withCaller(async (
  { deps: { store, plans } },
  { plans: offered },
  user,
) =>
  json(200, {
    customer_id: await store.admin.customerOf(user.id) ?? null,
    paying: await plans.isPaying(user),
    plans: offered,
    subscriptions: (await store.admin.subscriptionsOf(user.id)).map(subscriptionJson),
  })
);

/** `GET /billing/subscriptions`. */
export const billingSubscriptions = withCaller(async ({ deps: { store } }, _payments, user) =>
  json(200, { subscriptions: (await store.admin.subscriptionsOf(user.id)).map(subscriptionJson) })
);

/** `POST /billing/subscriptions {"plan"}`: the page where the caller pays. */
export const subscribe = withCaller(async (exchange, payments, user) => {
  const body = z.strictObject({ plan: z.enum(payments.plans) })
    .safeParse(await readJson(exchange.request));
  if (!body.success) {
    return json(400, { error: `give {"plan"}: one of ${payments.plans.join(", ")}` });
  }
  const customer = await customerOf(exchange, payments, user);
  return json(200, { url: await payments.checkout(customer, body.data.plan, account(exchange)) });
});

/** `POST /billing/subscriptions/manage`: the page where the caller changes or ends it. */
export const manageSubscriptions = withCaller(async (exchange, payments, user) => {
  const customer = await customerOf(exchange, payments, user);
  return json(200, { url: await payments.manage(customer, account(exchange)) });
});

/** `POST /billing/webhook`: what the provider tells, which it has signed. */
export const billingWebhook = withPayments(async (exchange, payments) => {
  const { request, deps } = exchange;
  const body = new TextDecoder().decode(await readBody(request, 1 << 20));
  try {
    const told = await payments.read(body, request.headers.get("stripe-signature") ?? "");
    const userId = told && await deps.store.admin.userOfCustomer(told.customerId);
    const user = userId === undefined ? undefined : await deps.store.user(userId);
    if (told === undefined || user === undefined) return json(200, { taken: false });
    const { customerId: _, ...subscription } = told;
    const taken = await deps.store.admin.putSubscription({ ...subscription, userId: user.id });
    if (taken) {
      const { id, status, plan } = told;
      await tellPlan(deps, user);
      await audit(
        exchange,
        { kind: "payment provider", id: null, login: null },
        toUser("subscription.update", user, { id, status, plan }),
      );
    }
    return json(200, { taken });
  } catch (error) {
    if (error instanceof ForgedMessageError) return json(400, { error: error.message });
    throw error;
  }
});

async function customerOf({ deps: { store } }: Exchange, payments: Payments, user: User) {
  return await store.admin.customerOf(user.id) ??
    await store.admin.addCustomer(user.id, await payments.createCustomer(user));
}

function account({ request, deps }: Exchange): string {
  return `${baseUrl(request, deps.config.publicUrl)}/account`;
}
