/** The routes for scripts that the reference server had, behind `API_TOKEN`. [transport 6.2] */
import type { KeyObject } from "node:crypto";
import { createToken } from "../db/access_tokens.ts";
import { checkLogin, InvalidLoginError } from "../db/login.ts";
import { LoginTakenError, type Store, type User } from "../db/store.ts";
import { refuseWithoutApiToken } from "./api_token.ts";
import { apiTokenActor, audit, toUser } from "./audit.ts";
import { json, plainText } from "./responses.ts";
import type { Exchange } from "./route.ts";
import { encryptToken, NativeAppKeyError, parseNativeAppKey } from "./signin/native_app_key.ts";

/** What the reference server told of an account; what Parley does not keep is null. [transport 6.2.1] */
export function userJson(user: User, githubUserId: number | null = null) {
  const created = new Date(user.createdAt).toISOString().replace("Z", "");
  return {
    id: user.id,
    github_login: user.login,
    github_user_id: githubUserId,
    github_user_created_at: null,
    email_address: null,
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

/** `GET /user?github_login=…`: the account of that login, made if there is none. [transport 6.2a] */
export async function getOrCreateUser({ request, url, deps }: Exchange): Promise<Response> {
  const refused = refuseWithoutApiToken(request, deps.config.apiToken);
  if (refused !== undefined) return refused;
  const login = url.searchParams.get("github_login") ?? "";
  try {
    checkLogin(login);
  } catch (error) {
    if (error instanceof InvalidLoginError) return plainText(400, error.message);
    throw error;
  }
  const user = await deps.store.userByLogin(login) ??
    await createOrFind(deps.store, login, url.searchParams.get("github_name"));
  const githubId = Number(url.searchParams.get("github_user_id") ?? NaN);
  return json(200, {
    user: userJson(user, Number.isSafeInteger(githubId) ? githubId : null),
    metrics_id: user.metricsId,
    feature_flags: [],
  });
}

/** Somebody else may have been quicker with the same login. */
async function createOrFind(store: Store, login: string, name: string | null): Promise<User> {
  try {
    return await store.createUser({ login, admin: false, name });
  } catch (error) {
    const user = error instanceof LoginTakenError ? await store.userByLogin(login) : undefined;
    if (user === undefined) throw error;
    return user;
  }
}

/** `GET /users/look_up?identifier=…`: by id or by login. [transport 6.2b] */
export async function lookUpUser({ request, url, deps }: Exchange): Promise<Response> {
  const refused = refuseWithoutApiToken(request, deps.config.apiToken);
  if (refused !== undefined) return refused;
  const identifier = url.searchParams.get("identifier");
  if (identifier === null) return plainText(400, "give identifier: an id or a login");
  const id = /^[1-9]\d{0,9}$/.test(identifier) ? Number(identifier) : undefined;
  const user = id === undefined
    ? await deps.store.userByLogin(identifier)
    : await deps.store.user(id);
  return json(200, { user: user === undefined ? null : userJson(user) });
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
