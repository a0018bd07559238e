/** What clients know of their own account: one document for every version. [transport 7.6.1] */
import type { User } from "../../db/store.ts";

/** What the document says that the account's row does not. */
export interface AccountFacts {
  /** Where the picture is, absolute and open to everybody. */
  readonly avatarUrl: string;
  /** Staff connect by themselves, and see unfinished features. [transport 3.4.6] */
  readonly isStaff: boolean;
}

/** The `user` part, which terms of service are answered with too. */
export function userDocument(user: User, { avatarUrl, isStaff }: AccountFacts) {
  return {
    id: user.id,
    id_v2: String(user.id),
    legacy_user_id: user.id,
    metrics_id: user.metricsId,
    username: user.login,
    avatar_url: avatarUrl,
    github_login: user.login,
    name: user.name,
    is_staff: isStaff,
    // A self-hosted server has no terms; without a time clients of late 2025 ask for them.
    accepted_tos_at: new Date(user.createdAt).toISOString(),
    has_connected_to_collab_once: user.connectedOnce,
  };
}

/**
 * The answer of `GET /client/users/me`. A single field that a version needs and does not find makes
 * the user look signed out there, so every spelling of every year is in it. [transport 7.6.2]
 */
export function accountDocument(user: User, facts: AccountFacts) {
  return {
    user: userDocument(user, facts),
    feature_flags: [],
    // Without an organization clients of 2026 ask for no model tokens. [transport 7.5]
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
  };
}
