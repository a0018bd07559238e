/** The settings about accounts, as actors and routes ask for them. */
import type { AccountPolicy } from "../../actors/account_policy.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Config } from "../../lib/config.ts";
import { createModelToken } from "./model_tokens.ts";

/** What a configuration decides about accounts. [transport 3.4.6] [transport 9] */
export function accountPolicyOf(
  { staff, welcomeChannel, llmApiSecret }: Pick<
    Config,
    "staff" | "welcomeChannel" | "llmApiSecret"
  >,
  clock: Clock,
): AccountPolicy {
  const policy: AccountPolicy = {
    isStaff: (user) => user.staff ?? (staff === "all" || (staff === "admins" && user.admin)),
    welcomeChannel,
    createModelToken: (user, request) =>
      llmApiSecret &&
      createModelToken(llmApiSecret, user, {
        now: clock.now(),
        isStaff: policy.isStaff(user),
        ...request,
      }),
  };
  return policy;
}
