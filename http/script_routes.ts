/** The routes for scripts that the reference server had, behind `API_TOKEN`. [transport 6.2] */
import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { createToken } from "../db/access_tokens.ts";
import { checkLogin, InvalidLoginError } from "../db/login.ts";
import { LoginTakenError, type Store, type User } from "../db/store.ts";
import { tellAccountChanged } from "./account_change.ts";
import { refuseWithoutApiToken } from "./api_token.ts";
import { apiTokenActor, audit, toUser } from "./audit.ts";
import { json, plainText } from "./responses.ts";
import type { Exchange } from "./route.ts";
import { encryptToken, NativeAppKeyError, parseNativeAppKey } from "./signin/native_app_key.ts";

/** What the reference server told of an account; what Parley does not keep is null. [transport 6.2.1] */
export async function userJson({ signIn }: Store, user: User) {
  const gitHubId = await signIn.subject("github", user.id);
  const created = new Date(user.createdAt).toISOString().replace("Z", "");
  return {
    id: user.id,
    github_login: user.login,
    github_user_id: gitHubId === undefined ? null : Number(gitHubId),
    github_user_created_at: null,
    email_address: user.email,
    name: user.name,
    admin: user.admin,
    invite_code: null,
    invite_count: 0,
    inviter_id: null,
    connected_once: user.connectedOnce,
    metrics_id: user.metricsId,
    created_at: created,
    accepted_tos_at: created,
    custom_llm_monthly_allowance_in_cents: null,
  };
}

/** What is told of somebody's account at GitHub; texts in a query, values in JSON. */
export const gitHubAccount = z.object({
  github_login: z.string("give github_login, the name at GitHub"),
  github_user_id: z.union(
    [z.int(), z.string().regex(/^\d{1,15}$/).transform(Number)],
    "github_user_id is no number",
  ).optional(),
  github_name: z.string().nullish(),
  github_email: z.string().nullish(),
});

export type GitHubAccount = z.output<typeof gitHubAccount>;

/** `GET /user?github_login=…`: the account of that login, made if there is none. [transport 6.2a] */
export async function getOrCreateUser(exchange: Exchange): Promise<Response> {
  const { request, url, deps } = exchange;
  const refused = refuseWithoutApiToken(request, deps.config.apiToken);
  if (refused !== undefined) return refused;
  const account = gitHubAccount.safeParse(Object.fromEntries(url.searchParams));
  if (!account.success) return plainText(400, account.error.issues[0]!.message);
  const user = await accountOfGitHub(exchange, account.data);
  if (user instanceof Response) return user;
  return json(200, {
    user: await userJson(deps.store, user),
    metrics_id: user.metricsId,
    feature_flags: [],
  });
}

/**
 * Whose account that is: by GitHub's id, else by the login; made, for that id, if there is none. Name
 * and address are brought up to date; logins stay as they were given. An account of that login which was
 * made otherwise does not become that person's at GitHub: he may be somebody else.
 */
export async function accountOfGitHub(
  exchange: Exchange,
  account: GitHubAccount,
): Promise<User | Response> {
  const { store } = exchange.deps;
  const { github_login: login, github_user_id: id, github_name, github_email } = account;
  try {
    checkLogin(login);
  } catch (error) {
    if (error instanceof InvalidLoginError) return plainText(400, error.message);
    throw error;
  }
  const known = id === undefined ? undefined : await store.signIn.identity("github", String(id));
  const user = (known === undefined ? undefined : await store.user(known)) ??
    await store.userByLogin(login);
  const [name, email] = [github_name || null, github_email || null];
  if (user === undefined) {
    const made = await createOrFind(store, { login, name, email }, id);
    await audit(exchange, apiTokenActor, toUser("user.create", made));
    return made;
  }
  const change = {
    ...(name !== null && name !== user.name && { name }),
    ...(email !== null && email !== user.email && { email }),
  };
  if (Object.keys(change).length === 0) return user;
  const changed = await store.updateUser(user.id, change) ?? user;
  tellAccountChanged(exchange.deps, user.id);
  await audit(exchange, apiTokenActor, toUser("user.update", user, change));
  return changed;
}

/** Somebody else may have been quicker with the same login. */
async function createOrFind(
  store: Store,
  account: { readonly login: string; readonly name: string | null; readonly email: string | null },
  gitHubId: number | undefined,
): Promise<User> {
  try {
    const made = await store.createUser({ ...account, admin: false });
    if (gitHubId !== undefined) {
      await store.signIn.linkIdentity("github", String(gitHubId), made.id);
    }
    return made;
  } catch (error) {
    const user = error instanceof LoginTakenError
      ? await store.userByLogin(account.login)
      : undefined;
    if (user === undefined) throw error;
    return user;
  }
}

/**
 * `GET /users/look_up?identifier=…`: by id, by the payment provider's ids, by e-mail address, or by
 * login. [transport 6.2b]
 */
export async function lookUpUser({ request, url, deps }: Exchange): Promise<Response> {
  const refused = refuseWithoutApiToken(request, deps.config.apiToken);
  if (refused !== undefined) return refused;
  const identifier = url.searchParams.get("identifier");
  if (identifier === null) return plainText(400, "give identifier: an id or a login");
  const user = await userOf(deps.store, identifier);
  return json(200, { user: user === undefined ? null : await userJson(deps.store, user) });
}

async function userOf(store: Store, identifier: string): Promise<User | undefined> {
  if (/^[1-9]\d{0,9}$/.test(identifier)) return await store.user(Number(identifier));
  if (/^(?:cus|sub)_/.test(identifier)) {
    const id = await store.admin.userOfCustomer(identifier) ??
      await store.admin.userOfSubscription(identifier);
    return id === undefined ? undefined : await store.user(id);
  }
  if (!identifier.includes("@")) return await store.userByLogin(identifier);
  const found = await store.admin.usersPage({ query: identifier, after: 0, limit: 200 });
  return found.find(({ email }) => email?.toLowerCase() === identifier.toLowerCase());
}

/**
 * `POST /users/:id/access_tokens?public_key=…[&impersonate=<login>]`: a token that only the holder of
 * the key can read. [transport 6.2c]
 */
export async function createAccessToken(exchange: Exchange): Promise<Response> {
  const { request, url, params, deps: { store, config } } = exchange;
  const refused = refuseWithoutApiToken(request, config.apiToken);
  if (refused !== undefined) return refused;
  const user = /^[1-9]\d{0,9}$/.test(params.id!) ? await store.user(Number(params.id)) : undefined;
  if (user === undefined) return plainText(500, `there is no user ${params.id}`);
  let key: KeyObject;
  try {
    key = parseNativeAppKey(url.searchParams.get("public_key") ?? "");
  } catch (error) {
    if (error instanceof NativeAppKeyError) return plainText(500, error.message);
    throw error;
  }
  const login = url.searchParams.get("impersonate");
  let target = user;
  if (login !== null && login !== "") {
    if (!user.admin) return plainText(401, `${user.login} is no admin, and cannot impersonate`);
    const found = await store.userByLogin(login);
    if (found === undefined) return plainText(422, `there is no user "${login}"`);
    target = found;
  }
  if (target.disabledAt !== null) return plainText(422, `${target.login} is disabled`);
  const impersonator = target === user ? null : user.id;
  await audit(
    exchange,
    apiTokenActor,
    impersonator === null
      ? toUser("token.create", target)
      : toUser("impersonation.create_token", target, { administrator: user.login }),
  );
  const token = await createToken(store, target.id, impersonator);
  return json(200, { user_id: target.id, encrypted_access_token: encryptToken(key, token) });
}
