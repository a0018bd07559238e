/**
 * The HTTP side of the server in one table: every path, who asks there, and what answers it.
 * `docs/ENDPOINTS.md` is made from it. [transport 11]
 */
import { tellAccountChanged } from "./account_change.ts";
import { handleAdmin } from "./admin.ts";
import { checkSeed, seedChannels } from "./api/seeding.ts";
import { endpoints } from "./api/endpoints.ts";
import { routeOf } from "./api/serve_endpoint.ts";
import {
  billingCustomer,
  billingSubscriptions,
  billingWebhook,
  manageSubscriptions,
  subscribe,
} from "./billing/routes.ts";
import { audit, commandLineActor } from "./audit.ts";
import { auditImpersonation } from "./impersonation.ts";
import { baseUrl } from "./base_url.ts";
import { clientAddress } from "./client_address.ts";
import { limited } from "./body.ts";
import {
  acceptTerms,
  feedback,
  llmToken,
  me,
  systemSettings,
} from "./client_api/account_routes.ts";
import { experiments, models, noModel, predictionFeedback } from "./client_api/model_routes.ts";
import { connectNotices } from "./client_api/notices_socket.ts";
import { telemetry } from "./client_api/telemetry.ts";
import { impersonate } from "./impersonate.ts";
import { avatar, health, live, metrics, root } from "./operations.ts";
import { channelLink, elsewhere, signedIn, styleSheet } from "./pages/small_pages.ts";
import {
  fuzzySearch,
  fuzzySearchMembers,
  lookUpByGitHubLogin,
  lookUpByLegacyId,
} from "./internal_routes.ts";
import {
  addContributor,
  contributor,
  contributors,
  refreshLlmTokens,
  rpcServerSnapshot,
  updatePlan,
} from "./operator_routes.ts";
import { currentUser, signOut as signOutCaller, updateUser } from "./own_account_routes.ts";
import { json, plainText, redirect } from "./responses.ts";
import type { Answer, Exchange, Route } from "./route.ts";
import {
  changePassword,
  endConnections,
  endDevice,
  revokeSession,
  revokeToken,
  showAccount,
  signOutEverywhere,
} from "./signin/account_routes.ts";
import { showSignIn, signIn, signOut } from "./signin/form_routes.ts";
import { acceptInvitation, showInvitation } from "./signin/invitation_routes.ts";
import { pairBrowser, pairDevice, showPairing } from "./signin/pairing_routes.ts";
import { beginElsewhere, finishElsewhere } from "./signin/provider_routes.ts";
import { confirmNativeSignIn, showNativeSignIn } from "./signin/native_routes.ts";
import { createAccessToken, lookUpUser } from "./script_routes.ts";
import {
  extensionDownload,
  extensionList,
  extensionUpdates,
  extensionVersions,
} from "./extensions/extension_routes.ts";
import { release2025, release2026, releaseNotes } from "./upstream_routes.ts";
import { upgradeRpc } from "./websocket.ts";

/** The table. A pattern beats those below it. */
export const routes: readonly Route[] = [
  {
    path: "/rpc",
    place: "collab",
    methods: ["GET"],
    auth: "none",
    handler: rpc,
    caller: "Zed: collaboration",
    years: "both",
    answer:
      "302 to the absolute address of this path; with `Upgrade: websocket` and a user token 101, 401, 400, 426 or 503",
  },

  // The account, for Zed since August 2025.
  {
    path: "/client/users/me",
    methods: ["GET"],
    auth: "user",
    handler: me,
    caller: "Zed: validating a login, profile",
    years: "2026",
    answer: "200 account document",
  },
  {
    path: "/client/users/connect",
    place: "collab",
    methods: ["GET"],
    auth: "user",
    handler: connectNotices,
    caller: "Zed: notices about the account",
    years: "2026",
    answer: "101, then CBOR `UserUpdated` when the account changes",
  },
  {
    path: "/client/llm_tokens",
    methods: ["POST"],
    auth: "user",
    handler: llmToken,
    caller: "Zed: hosted models",
    years: "2026",
    answer: "200 `{token}` where `LLM_API_SECRET` is set, else 403 JSON",
  },
  {
    path: "/client/system_settings",
    methods: ["PATCH"],
    auth: "user",
    handler: systemSettings,
    caller: "Zed: choosing an organization",
    years: "2026",
    answer: "200, what was sent",
  },
  {
    path: "/client/terms_of_service/accept",
    methods: ["POST"],
    auth: "user",
    handler: acceptTerms,
    caller: "Zed: terms of service",
    years: "2026",
    answer: "200 `{user}`",
  },
  {
    path: "/client/feedback/:kind",
    methods: ["POST"],
    auth: "user",
    handler: feedback,
    caller: "Zed: rating of agents and predictions",
    years: "2026",
    answer: "200 `{}`, dropped",
  },

  {
    path: "/client/socket_tickets",
    place: "passed on",
    methods: ["POST"],
    auth: "none",
    handler: socketTicket,
    caller: "Web pages, which set no headers of a WebSocket",
    years: "-",
    answer:
      "200 `{ticket}`, good once within 30 s as `/rpc?ticket=…`; without it what `/rpc` answers to the same headers",
  },

  // Models.
  {
    path: "/models",
    methods: ["GET"],
    auth: "model token",
    handler: models,
    caller: "Zed: hosted models",
    years: "both",
    answer: "200, an empty list",
  },
  ...["/completions", "/count_tokens", "/web_search", "/predict_edits/:version"].map((
    path,
  ): Route => ({
    path,
    methods: ["POST"],
    auth: "model token",
    handler: path.startsWith("/predict") ? prediction : noModel,
    caller: "Zed: hosted models",
    years: "both",
    answer: path.startsWith("/predict")
      ? "403 JSON; 200 `null` or `{}` for `accept`, `reject`, `settled`"
      : "403 JSON; 401 for a bad model token where `LLM_API_SECRET` is set",
  })),
  {
    path: "/edit_prediction_experiments",
    methods: ["GET"],
    auth: "model token",
    handler: experiments,
    caller: "Zed: edit predictions",
    years: "2026",
    answer: "200 `[]`",
  },

  // Extensions and updates.
  ...([
    ["/extensions", extensionList],
    ["/extensions/updates", extensionUpdates],
    ["/extensions/:id", extensionVersions],
  ] as const).map(([path, handler]): Route => ({
    path,
    methods: ["GET"],
    auth: "none",
    handler,
    caller: "Zed: gallery and updates of extensions",
    years: "both",
    answer: '200 `{"data":[…]}` of the registry, 4xx with a text, or 307 to `EXTENSIONS_UPSTREAM`',
  })),
  ...["/extensions/:id/download", "/extensions/:id/:version/download"].map((path): Route => ({
    path,
    methods: ["GET"],
    auth: "none",
    handler: extensionDownload,
    caller: "Zed: installing an extension",
    years: "both",
    answer: "200 archive, 307 to the bucket for 3 min, 404, or 307 to `EXTENSIONS_UPSTREAM`",
  })),
  {
    path: "/api/releases/*",
    methods: ["GET"],
    auth: "none",
    handler: release2025,
    caller: "Zed: updates, remote server",
    years: "2025",
    answer: "200 version 0.0.0, 404 for nightly and other assets, or 307 to `SITE_UPSTREAM`",
  },
  {
    path: "/releases/:channel/:version/asset",
    methods: ["GET"],
    auth: "none",
    handler: release2026,
    caller: "Zed: updates, remote server",
    years: "2026",
    answer: "200 version 0.0.0, 404 for nightly and other assets, or 307 to `CLOUD_UPSTREAM`",
  },
  {
    path: "/api/release_notes/*",
    methods: ["GET"],
    auth: "none",
    handler: releaseNotes,
    caller: "Zed: notes of a release",
    years: "both",
    answer: "404, or 307 to `SITE_UPSTREAM`",
  },
  {
    path: "/telemetry/*",
    methods: ["POST"],
    auth: "none",
    handler: telemetry,
    caller: "Zed: telemetry, crashes",
    years: "both",
    answer:
      "200 with nothing, dropped or stored by `TELEMETRY`; 400 for panics and hangs with a wrong checksum",
  },

  // Pages.
  {
    path: "/native_app_signin",
    methods: ["GET"],
    auth: "session",
    handler: showNativeSignIn,
    caller: "browser: opened by Zed to sign in",
    years: "both",
    answer: "200 page: proof of who it is, or confirmation; 400 page for a bad port or key",
  },
  {
    path: "/native_app_signin",
    methods: ["POST"],
    auth: "session",
    handler: confirmNativeSignIn,
    caller: "browser: confirmation",
    years: "both",
    answer: "303 to `http://127.0.0.1:<port>/?user_id=…&access_token=…`",
  },
  {
    path: "/native_app_signin_succeeded",
    methods: ["GET"],
    auth: "none",
    handler: signedIn,
    caller: "browser: after signing in",
    years: "both",
    answer: "200 page",
  },
  {
    path: "/sign_in",
    methods: ["GET"],
    auth: "none",
    handler: showSignIn,
    caller: "browser",
    years: "-",
    answer: "200 page",
  },
  {
    path: "/sign_in",
    methods: ["POST"],
    auth: "none",
    handler: signIn,
    caller: "browser: login and password",
    years: "-",
    answer: "303 to the editor or to `/account`; 401, 429, 503 page",
  },
  {
    path: "/sign_in/:provider",
    methods: ["GET"],
    auth: "none",
    handler: beginElsewhere,
    caller: "browser: GitHub or single sign-on",
    years: "-",
    answer: "303 to the provider; 404 for one that is not configured",
  },
  {
    path: "/sign_in/:provider/callback",
    methods: ["GET"],
    auth: "none",
    handler: finishElsewhere,
    caller: "browser: back from there",
    years: "-",
    answer: "303 to the confirmation or to `/account`; 400, 403, 409, 502 page",
  },
  {
    path: "/pair",
    place: "collab",
    methods: ["GET"],
    auth: "none",
    handler: showPairing,
    caller: "browser: a device of the local network",
    years: "-",
    answer: "200 page; 404 outside local mode",
  },
  {
    path: "/pair",
    place: "collab",
    methods: ["POST"],
    auth: "none",
    handler: pairBrowser,
    caller: "browser: pairing code and name",
    years: "-",
    answer: "303 to the editor or to `/account`; 400, 401, 403, 409, 423, 429 page",
  },
  {
    path: "/local/pair",
    place: "collab",
    methods: ["POST"],
    auth: "none",
    handler: pairDevice,
    caller: "client library, `parley pair`",
    years: "-",
    answer:
      "200 JSON: user, token, fingerprint; 400, 401, 403, 404, 409, 423, 429 JSON with `error`",
  },
  {
    path: "/sign_out",
    methods: ["POST"],
    auth: "session",
    handler: signOut,
    caller: "browser",
    years: "-",
    answer: "303 to `/sign_in`; ends the browser's session",
  },
  {
    path: "/invitation",
    methods: ["GET"],
    auth: "none",
    handler: showInvitation,
    caller: "browser: the operator's link",
    years: "-",
    answer: "200 page, 404 for a link that is used up",
  },
  {
    path: "/invitation",
    methods: ["POST"],
    auth: "none",
    handler: acceptInvitation,
    caller: "browser: a new password",
    years: "-",
    answer: "303 to `/account`; 400 page for a weak password",
  },
  ...["/account", "/account/start-trial", "/account/upgrade"].map((path): Route => ({
    path,
    methods: ["GET"],
    auth: "session",
    handler: showAccount,
    caller: "browser: opened by Zed",
    years: "both",
    answer: "200 page: devices; 303 to `/sign_in`",
  })),
  {
    path: "/account/tokens/:id/revoke",
    place: "passed on",
    methods: ["POST"],
    auth: "session",
    handler: revokeToken,
    caller: "browser: signing one device out",
    years: "-",
    answer: "303 to `/account`, 404",
  },
  {
    path: "/account/sessions/:id/revoke",
    methods: ["POST"],
    auth: "session",
    handler: revokeSession,
    caller: "browser: signing another browser out",
    years: "-",
    answer: "303 to `/account`, 404",
  },
  {
    path: "/account/password",
    methods: ["POST"],
    auth: "session",
    handler: changePassword,
    caller: "browser: a new password",
    years: "-",
    answer: "303 to `/account`; 400, 403, 429 page",
  },
  {
    path: "/account/sign_out_everywhere",
    place: "passed on",
    methods: ["POST"],
    auth: "session",
    handler: signOutEverywhere,
    caller: "browser: signing all devices and browsers out",
    years: "-",
    answer: "303 to `/sign_in`",
  },
  ...["/channel/:channel", "/channel/:channel/notes"].map((path): Route => ({
    path,
    methods: ["GET"],
    auth: "none",
    handler: channelLink,
    caller: "browser: a copied link",
    years: "both",
    answer: "200 page that opens `zed://channel/…`",
  })),
  ...["/docs/*", "/terms-of-service", "/blog/*", "/releases/:channel/:version"].map((
    path,
  ): Route => ({
    path,
    methods: ["GET"],
    auth: "none",
    handler: elsewhere,
    caller: "browser: opened by Zed",
    years: "both",
    answer: "404 page, or 307 to `SITE_UPSTREAM`",
  })),
  {
    path: "/assets/style.css",
    methods: ["GET"],
    auth: "none",
    handler: styleSheet,
    caller: "browser",
    years: "-",
    answer: "200 style sheet",
  },
  {
    path: "/avatars/:id.png",
    methods: ["GET"],
    auth: "none",
    handler: avatar,
    caller: "Zed: pictures of users",
    years: "both",
    answer: "200 PNG",
  },

  // Operation and scripts.
  {
    path: "/",
    place: "both",
    methods: ["GET"],
    auth: "none",
    handler: root,
    caller: "people",
    years: "-",
    answer: "200 text: mode and version",
  },
  ...["/healthz", "/readyz"].map((path): Route => ({
    path,
    place: "both",
    methods: ["GET"],
    auth: "none",
    handler: health,
    caller: "load balancer: may it get requests",
    years: "-",
    answer: "200 `ok`, or 503 with the reason",
  })),
  {
    path: "/livez",
    place: "both",
    methods: ["GET"],
    auth: "none",
    handler: live,
    caller: "watchdog: does it have to be started anew",
    years: "-",
    answer: "200 `ok`",
  },
  {
    path: "/metrics",
    place: "collab",
    methods: ["GET"],
    auth: "none",
    handler: metrics,
    caller: "Prometheus",
    years: "-",
    answer: "200 Prometheus text",
  },
  {
    path: "/user",
    methods: ["GET"],
    auth: "api token",
    handler: currentUser,
    caller: "Zed: sign-in of its developers; scripts",
    years: "2025",
    answer:
      "200 `{user, metrics_id, feature_flags}`: of who asks, or with the API token of any login; an account " +
      "that is made gets `github_user_id` as its GitHub identity",
  },
  {
    path: "/user",
    place: "passed on",
    methods: ["POST"],
    auth: "api token",
    handler: updateUser,
    caller: "people's tools; scripts",
    years: "-",
    answer:
      "200 or 201 `{user}`; one's own account with a user token or a session, any account with the API token",
  },
  {
    path: "/signout",
    place: "passed on",
    methods: ["POST"],
    auth: "none",
    handler: signOutCaller,
    caller: "people's tools",
    years: "-",
    answer: "204; ends the token or session of the request, and its connections",
  },
  {
    path: "/billing/customers",
    place: "passed on",
    methods: ["GET"],
    auth: "none",
    handler: billingCustomer,
    caller: "people's tools",
    years: "-",
    answer:
      "200 `{customer_id, paying, plans, subscriptions}` of who asks; 404 without `STRIPE_API_KEY`",
  },
  {
    path: "/billing/subscriptions",
    place: "passed on",
    methods: ["GET"],
    auth: "none",
    handler: billingSubscriptions,
    caller: "people's tools",
    years: "-",
    answer: "200 `{subscriptions}` of who asks; 404 without `STRIPE_API_KEY`",
  },
  {
    path: "/billing/subscriptions",
    place: "passed on",
    methods: ["POST"],
    auth: "none",
    handler: subscribe,
    caller: "people's tools",
    years: "-",
    answer: "200 `{url}`, the provider's page for paying; 400, 502; 404 without `STRIPE_API_KEY`",
  },
  {
    path: "/billing/subscriptions/manage",
    place: "passed on",
    methods: ["POST"],
    auth: "none",
    handler: manageSubscriptions,
    caller: "people's tools",
    years: "-",
    answer: "200 `{url}`, the provider's page for changes; 502; 404 without `STRIPE_API_KEY`",
  },
  {
    path: "/billing/webhook",
    place: "passed on",
    methods: ["POST"],
    auth: "none",
    handler: billingWebhook,
    caller: "Stripe",
    years: "-",
    answer: "200; 400 for what is not signed; 404 without `STRIPE_API_KEY`",
  },
  {
    path: "/rpc_server_snapshot",
    place: "passed on",
    methods: ["GET"],
    auth: "api token",
    handler: rpcServerSnapshot,
    caller: "scripts",
    years: "-",
    answer: "200 JSON: connections and users",
  },
  {
    path: "/contributors",
    methods: ["GET"],
    auth: "api token",
    handler: contributors,
    caller: "scripts",
    years: "-",
    answer: "200 JSON array of logins",
  },
  {
    path: "/contributors",
    methods: ["POST"],
    auth: "api token",
    handler: addContributor,
    caller: "scripts",
    years: "-",
    answer: "200",
  },
  {
    path: "/contributor",
    methods: ["GET"],
    auth: "api token",
    handler: contributor,
    caller: "scripts",
    years: "-",
    answer: "200 `{signed_at}`",
  },
  {
    path: "/users/:id/refresh_llm_tokens",
    place: "passed on",
    methods: ["POST"],
    auth: "api token",
    handler: refreshLlmTokens,
    caller: "scripts",
    years: "-",
    answer: "200; the user's clients are told",
  },
  {
    path: "/users/:id/update_plan",
    place: "passed on",
    methods: ["POST"],
    auth: "api token",
    handler: updatePlan,
    caller: "scripts",
    years: "-",
    answer: "200; the user's clients are told",
  },
  {
    path: "/internal/users/look_up_by_legacy_id",
    methods: ["POST"],
    auth: "api token",
    handler: lookUpByLegacyId,
    caller: "a collaboration server of 2026",
    years: "-",
    answer: "200 `{users}`",
  },
  {
    path: "/internal/users/look_up_by_github_login",
    methods: ["POST"],
    auth: "api token",
    handler: lookUpByGitHubLogin,
    caller: "a collaboration server of 2026",
    years: "-",
    answer: "200 `{user}`",
  },
  {
    path: "/internal/users/fuzzy_search",
    methods: ["POST"],
    auth: "api token",
    handler: fuzzySearch,
    caller: "a collaboration server of 2026",
    years: "-",
    answer: "200 `{users}`",
  },
  {
    path: "/internal/channel_members/fuzzy_search_by_github_login",
    place: "passed on",
    methods: ["POST"],
    auth: "api token",
    handler: fuzzySearchMembers,
    caller: "a collaboration server of 2026",
    years: "-",
    answer: "200 `{channel_members, users}`",
  },
  {
    path: "/users/look_up",
    methods: ["GET"],
    auth: "api token",
    handler: lookUpUser,
    caller: "scripts",
    years: "-",
    answer: "200 `{user}`",
  },
  {
    path: "/users/:id/access_tokens",
    methods: ["POST"],
    auth: "api token",
    handler: createAccessToken,
    caller: "scripts",
    years: "-",
    answer: "200 `{user_id, encrypted_access_token}`, 401, 422, 500",
  },
  {
    path: "/internal/users/impersonate",
    methods: ["POST"],
    auth: "api token",
    handler: impersonate,
    caller: "Zed: sign-in of its developers; scripts",
    years: "2026",
    answer: "200 `{user_id, access_token}`, 401, 404",
  },
  ...endpoints.map(routeOf),
  {
    path: "/api/openapi.json",
    methods: ["GET"],
    auth: "none",
    handler: openApi,
    caller: "tools, people",
    years: "-",
    answer: "200 OpenAPI document of `/api/admin`",
  },
  {
    path: "/internal/admin/*",
    place: "collab",
    methods: ["GET", "POST", "PATCH", "DELETE"],
    auth: "server secret",
    handler: admin,
    caller: "the command line of the same machine",
    years: "-",
    answer: "200 JSON, 400, 401, 404, 409",
  },
];

/** `GET /api/openapi.json`; what makes it is loaded when somebody asks. */
async function openApi({ deps }: Exchange): Promise<Response> {
  const { openApiDocument } = await import("./api/open_api.ts");
  return json(200, openApiDocument(deps.version));
}

/** One path for both: the redirect that clients ask for first, and the WebSocket. [transport 1.1.8] */
function rpc({ request, url, peer, deps }: Exchange): Answer {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return redirect(302, `${baseUrl(request, deps.config.publicUrl)}/rpc`);
  }
  const ticket = url.searchParams.get("ticket");
  const headers = ticket === null ? request.headers : deps.tickets.redeem(ticket);
  if (headers === undefined) return plainText(401, "the ticket is used or too old: get another");
  const guesser = deps.guesses.guesser(request.headers, peer);
  const clientIs = clientAddress(request.headers, peer, deps.config.trustedProxies);
  return upgradeRpc(request, deps.actors, deps.admission, deps.metrics, guesser, async (who) => {
    const tooMany = deps.limits.refuseUser(who.userId, request.headers, peer);
    if (tooMany !== undefined) return tooMany;
    await auditImpersonation({ request, peer, deps }, who);
    const paying = await deps.plans.isPaying({ id: who.userId });
    return { ...who, paying, clientAddress: clientIs };
  }, headers);
}

/** A handshake without its upgrade: the same checks, then a ticket that stands for its headers. */
async function socketTicket({ request, peer, deps }: Exchange): Promise<Response> {
  const guesser = deps.guesses.guesser(request.headers, peer);
  const checked = await deps.admission.check(request, guesser);
  if (checked instanceof Response) return checked;
  const ticket = deps.tickets.issue(request.headers);
  if (ticket === undefined) return plainText(503, "too many tickets wait", { "retry-after": "5" });
  return json(200, { ticket });
}

function prediction(exchange: Exchange): Answer {
  return ["accept", "reject", "settled"].includes(exchange.params.version!)
    ? predictionFeedback(exchange)
    : noModel(exchange);
}

async function admin(exchange: Exchange): Promise<Response> {
  const { request, path, deps } = exchange;
  const { store, adminSecret, actors, notices, signIn, config } = deps;
  const answer = await handleAdmin(limited(request), {
    store,
    adminSecret,
    passwords: signIn.passwords,
    url: baseUrl(request, config.publicUrl),
    now: () => actors.clock.now(),
    audit: (deed) => audit(exchange, commandLineActor, deed),
    checkSeed: (trees) => checkSeed(deps, trees),
    seedChannels: (trees) =>
      seedChannels(deps, trees, (deed) => audit(exchange, commandLineActor, deed)),
    onUserChanged: (userId) => tellAccountChanged(deps, userId),
    onUserSignedOut: (userId) => endConnections(deps, userId),
    onTokenRemoved: (userId, tokenId) => endDevice(deps, userId, tokenId),
    pairing: deps.pairing,
    onUserRemoved: (userId) => {
      notices.endUser(userId);
      return actors.removeUser(userId);
    },
  });
  return answer ?? plainText(404, `there is nothing at ${path}`);
}
