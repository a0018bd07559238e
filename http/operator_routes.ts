/** Further routes for scripts that the reference server had, behind `API_TOKEN`. [transport 6.2] */
import type { User } from "../db/store.ts";
import { peerText } from "../rpc/peer_id.ts";
import { refuseWithoutApiToken } from "./api_token.ts";
import { apiTokenActor, audit, toUser } from "./audit.ts";
import { readJson } from "./body.ts";
import { json, plainText } from "./responses.ts";
import type { Exchange } from "./route.ts";
import { accountOfGitHub, gitHubAccount } from "./script_routes.ts";

/** Who needs to sign nothing, besides administrators: the bot that updates dependencies. */
const BOT = "renovate[bot]";

type Handler = (exchange: Exchange) => Promise<Response>;

/** Lets through who brings the API token. */
function withApiToken(handler: Handler): Handler {
  return async (exchange) =>
    refuseWithoutApiToken(exchange.request, exchange.deps.config.apiToken) ??
      await handler(exchange);
}

/** `GET /rpc_server_snapshot`: who is connected, also while somebody is. [transport 6.2d] [rooms 17c] */
export const rpcServerSnapshot = withApiToken(({ deps: { actors } }) => {
  const { registry, memberships, pool } = actors;
  const open = [...registry.connections.values()];
  const users = [...new Set(open.map(({ userId }) => userId))];
  const byUser = users.map((id) => [id, [...memberships.rootsOf(id)]] as const);
  const byChannel = new Map<number, number[]>();
  for (const [userId, roots] of byUser) {
    for (const root of roots) byChannel.set(root, [...byChannel.get(root) ?? [], userId]);
  }
  const snapshot = {
    peer: {
      epoch: actors.epoch,
      connections: Object.fromEntries(
        open.map(({ key, asking }) => [peerText(key), { pending_requests: asking.size }]),
      ),
    },
    connection_pool: {
      connections: Object.fromEntries(
        open.map(({ key, userId, admin, version, impersonatorId }) => [peerText(key), {
          user_id: userId,
          admin,
          zed_version: version.text,
          impersonator_id: impersonatorId,
        }]),
      ),
      connected_users: Object.fromEntries(
        users.map((id) => [id, { connection_ids: [...pool.connectionsOf(id)].map(peerText) }]),
      ),
      channels: {
        by_user: Object.fromEntries(byUser),
        by_channel: Object.fromEntries(byChannel),
      },
    },
  };
  return Promise.resolve(
    new Response(JSON.stringify(snapshot, null, 2), {
      headers: { "content-type": "application/json", "cache-control": "no-store" },
    }),
  );
});

/** `GET /contributors`: logins of who has signed the contributor agreement. [transport 6.2e] */
export const contributors = withApiToken(async ({ deps: { store } }) =>
  json(200, await store.admin.contributors())
);

/** `POST /contributors`: somebody has signed it; the account is made if there is none. */
export const addContributor = withApiToken(async (exchange) => {
  const { request, deps: { store } } = exchange;
  const account = gitHubAccount.safeParse(await readJson(request));
  if (!account.success) return plainText(400, "give github_login, as GET /user takes it");
  const user = await accountOfGitHub(exchange, account.data);
  if (user instanceof Response) return user;
  await store.admin.addContributor(user.id);
  await audit(exchange, apiTokenActor, toUser("contributor.add", user));
  return new Response(null, { status: 200 });
});

/** `GET /contributor`: when somebody signed it. Administrators and the bot always count as signed. */
export const contributor = withApiToken(async ({ url, deps }) => {
  const { store, actors } = deps;
  const login = url.searchParams.get("github_login");
  const id = url.searchParams.get("github_user_id");
  if (login === null && id === null) {
    return plainText(500, "give github_user_id or github_login");
  }
  if (login === BOT) return json(200, { signed_at: new Date(actors.clock.now()).toISOString() });
  const user = await byGitHub(deps, id, login);
  const signed = user &&
    (await store.admin.contributorSince(user.id) ?? (user.admin ? user.createdAt : undefined));
  return json(200, { signed_at: signed === undefined ? null : new Date(signed).toISOString() });
});

async function byGitHub(
  { store }: Exchange["deps"],
  id: string | null,
  login: string | null,
): Promise<User | undefined> {
  const known = id === null ? undefined : await store.signIn.identity("github", id);
  if (known !== undefined) return await store.user(known);
  return login === null ? undefined : await store.userByLogin(login);
}

/** `POST /users/:id/refresh_llm_tokens`: the user's clients ask for model tokens anew. [transport 6.2g] */
export const refreshLlmTokens = withApiToken(async (exchange) => {
  const user = await userOfPath(exchange);
  if (user instanceof Response) return user;
  const { actors, notices } = exchange.deps;
  actors.user(user.id).tell({ type: "user.refresh_model_tokens" }, 0);
  notices.userChanged(user.id);
  await audit(exchange, apiTokenActor, toUser("user.refresh_llm_tokens", user));
  return json(200, {});
});

/** `POST /users/:id/update_plan`: the user's clients hear of the plan. [transport 6.2g] */
export const updatePlan = withApiToken(async (exchange) => {
  const user = await userOfPath(exchange);
  if (user instanceof Response) return user;
  await tellPlan(exchange.deps, user);
  await audit(exchange, apiTokenActor, toUser("user.update_plan", user));
  return json(200, {});
});

/** Tells a user's clients of either year what the plan is now. */
export async function tellPlan(
  { actors, notices, plans }: Exchange["deps"],
  user: User,
): Promise<void> {
  const pro = await plans.isPro(user);
  actors.user(user.id).tell({ type: "user.plan_changed", pro }, 0);
  notices.userChanged(user.id);
}

async function userOfPath({ params, deps }: Exchange): Promise<User | Response> {
  const user = /^[1-9]\d{0,9}$/.test(params.id!)
    ? await deps.store.user(Number(params.id))
    : undefined;
  return user ?? plainText(404, `there is no user ${params.id}`);
}
