/** What this server needs of a payment provider. */
import type { Subscription } from "../../db/admin_store.ts";

/** What a provider tells of a subscription; whose it is stands in the customer. */
export type ToldSubscription = Omit<Subscription, "userId"> & { readonly customerId: string };

export interface Payments {
  /** Names of what can be bought. */
  readonly plans: readonly string[];
  createCustomer(user: { id: number; login: string; email: string | null }): Promise<string>;
  /** Where the customer pays. */
  checkout(customerId: string, plan: string, backTo: string): Promise<string>;
  /** Where the customer changes or ends what he has. */
  manage(customerId: string, backTo: string): Promise<string>;
  /**
   * What a message of the provider tells; undefined for what matters to nobody here.
   *
   * @throws {ForgedMessageError}
   */
  read(body: string, signature: string): Promise<ToldSubscription | undefined>;
}

/** A message that the provider has not signed. */
export class ForgedMessageError extends Error {
  override readonly name = "ForgedMessageError";
}

/** The provider refused, or did not answer. */
export class PaymentsUnavailableError extends Error {
  override readonly name = "PaymentsUnavailableError";
}
