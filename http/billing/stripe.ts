/** {@link Payments} by Stripe's own library; loaded only where a key is configured. */
import Stripe from "stripe";
import type { BillingConfig } from "../../lib/config.ts";
import {
  ForgedMessageError,
  type Payments,
  PaymentsUnavailableError,
  type ToldSubscription,
} from "./payments.ts";

/** Milliseconds that Stripe may take to answer. */
const PATIENCE = 10_000;

export class StripePayments implements Payments {
  readonly plans: readonly string[];
  readonly #stripe: Stripe;
  readonly #config: BillingConfig;

  constructor(config: BillingConfig) {
    const url = new URL(config.url);
    this.#config = config;
    this.plans = [...config.prices.keys()];
    this.#stripe = new Stripe(config.apiKey.reveal(), {
      host: url.hostname,
      port: url.port === "" ? (url.protocol === "http:" ? 80 : 443) : Number(url.port),
      protocol: url.protocol === "http:" ? "http" : "https",
      httpClient: Stripe.createFetchHttpClient(),
      timeout: PATIENCE,
      maxNetworkRetries: 1,
      telemetry: false,
    });
  }

  async createCustomer(user: { id: number; login: string; email: string | null }): Promise<string> {
    const { id } = await this.#ask(() =>
      this.#stripe.customers.create({
        name: user.login,
        metadata: { parley_user_id: String(user.id) },
        ...(user.email !== null && { email: user.email }),
      }, { idempotencyKey: `parley-customer-${user.id}` })
    );
    return id;
  }

  async checkout(customer: string, plan: string, backTo: string): Promise<string> {
    const price = this.#config.prices.get(plan);
    if (price === undefined) throw new RangeError(`Cannot sell "${plan}": it has no price`);
    const { url } = await this.#ask(() =>
      this.#stripe.checkout.sessions.create({
        mode: "subscription",
        customer,
        line_items: [{ price, quantity: 1 }],
        success_url: backTo,
        cancel_url: backTo,
      })
    );
    if (url === null) throw new PaymentsUnavailableError("Cannot pay: Stripe gave no page");
    return url;
  }

  async manage(customer: string, backTo: string): Promise<string> {
    const ask = () => this.#stripe.billingPortal.sessions.create({ customer, return_url: backTo });
    return (await this.#ask(ask)).url;
  }

  async read(body: string, signature: string): Promise<ToldSubscription | undefined> {
    let event: Stripe.Event;
    try {
      const secret = this.#config.webhookSecret.reveal();
      event = await this.#stripe.webhooks.constructEventAsync(body, signature, secret);
    } catch (error) {
      throw new ForgedMessageError("Cannot take the message: Stripe has not signed it", {
        cause: error,
      });
    }
    if (!event.type.startsWith("customer.subscription.")) return undefined;
    const told = event.data.object as Stripe.Subscription;
    const [item] = told.items.data;
    const plan = [...this.#config.prices].find(([, price]) => price === item?.price.id)?.[0];
    const time = (seconds: number | undefined) => seconds === undefined ? null : seconds * 1000;
    return {
      id: told.id,
      customerId: typeof told.customer === "string" ? told.customer : told.customer.id,
      status: told.status,
      plan: plan ?? null,
      startedAt: time(item?.current_period_start),
      endsAt: time(item?.current_period_end),
      cancels: told.cancel_at_period_end,
      toldAt: event.created * 1000,
    };
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      // Its own text may name the key.
      throw new PaymentsUnavailableError("Cannot reach Stripe, or it refused: see the log", {
        cause: error instanceof Error
          ? `${error.name} ${(error as { code?: string }).code ?? ""}`
          : "",
      });
    }
  }
}
