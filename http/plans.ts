/** Which plan an account has, as clients are told. */
import type { AccountPolicy } from "../actors/account_policy.ts";
import type { Store, User } from "../db/store.ts";

/** States of a subscription in which its period is paid for. */
const PAID: ReadonlySet<string> = new Set(["active", "trialing", "past_due"]);

export class Plans {
  readonly #store: Store;
  readonly #policy: AccountPolicy;
  readonly #billing: boolean;

  /** @param billing whether there are subscriptions at all */
  constructor(store: Store, policy: AccountPolicy, billing: boolean) {
    this.#store = store;
    this.#policy = policy;
    this.#billing = billing;
  }

  /** Whether somebody pays for the account. */
  async isPaying({ id }: Pick<User, "id">): Promise<boolean> {
    if (!this.#billing) return false;
    return (await this.#store.admin.subscriptionsOf(id)).some(({ status }) => PAID.has(status));
  }

  /** Staff have it for nothing. [rooms 4.5] */
  async isPro(user: User): Promise<boolean> {
    return this.#policy.isStaff(user) || await this.isPaying(user);
  }
}
