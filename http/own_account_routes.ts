/** `/user` and `/signout`: an account by its own token, by its browser, or by the API token. */
import { z } from "zod";
import { hashSecret } from "../db/access_tokens.ts";
import { checkLogin, InvalidLoginError } from "../db/login.ts";
import { LoginTakenError, type User } from "../db/store.ts";
import { tellAccountChanged } from "./account_change.ts";
import { refuseWithoutApiToken } from "./api_token.ts";
import { apiTokenActor, audit, toUser, userActor } from "./audit.ts";
import { readJson } from "./body.ts";
import { authenticate } from "./credentials.ts";
import { tooManyGuesses } from "./guess_limit.ts";
import { json } from "./responses.ts";
import type { Exchange } from "./route.ts";
import { getOrCreateUser, userJson } from "./script_routes.ts";
import { endConnections, endDevice } from "./signin/account_routes.ts";
import { sessionOf } from "./signin/api_session.ts";

interface Caller {
  readonly user: User;
  /** Of the token that proved it. */
  readonly tokenId: number | null;
  /** Hash of the browser's cookie. */
  readonly session: string | undefined;
  /** For a browser. */
  readonly csrfToken: string | undefined;
}

/** `GET /user`: the account of who asks; with the API token, any account by its login. [transport 6.2a] */
export async function currentUser(exchange: Exchange): Promise<Response> {
  if (bringsApiToken(exchange) || exchange.url.searchParams.has("github_login")) {
    return await getOrCreateUser(exchange);
  }
  const { deps } = exchange;
  const caller = await callerOf(exchange);
  if (caller instanceof Response) return caller;
  return json(200, {
    user: await userJson(deps.store, caller.user),
    metrics_id: caller.user.metricsId,
    feature_flags: [],
    ...(caller.csrfToken !== undefined && { csrf_token: caller.csrfToken }),
  });
}

const own = z.strictObject({
  name: z.string().max(200).nullable().exactOptional(),
  email: z.email().max(320).nullable().exactOptional(),
});
const any = own.extend({ login: z.string(), admin: z.boolean().exactOptional() });

/** `POST /user`: changes one's own profile; with the API token, makes or changes any account. */
export async function updateUser(exchange: Exchange): Promise<Response> {
  const { request, deps } = exchange;
  if (bringsApiToken(exchange)) return await putUser(exchange);
  const caller = await callerOf(exchange);
  if (caller instanceof Response) return caller;
  const body = own.safeParse(await readJson(request));
  if (!body.success) return refuseBody(body.error);
  const user = await deps.store.updateUser(caller.user.id, body.data) ?? caller.user;
  tellAccountChanged(deps, user.id);
  await audit(exchange, userActor(user), toUser("user.update", user, body.data));
  return json(200, { user: await userJson(deps.store, user) });
}

async function putUser(exchange: Exchange): Promise<Response> {
  const { request, deps } = exchange;
  const { store, config } = deps;
  const refused = refuseWithoutApiToken(request, config.apiToken);
  if (refused !== undefined) return refused;
  const body = any.safeParse(await readJson(request));
  if (!body.success) return refuseBody(body.error);
  const { login, ...change } = body.data;
  try {
    checkLogin(login);
    const before = await store.userByLogin(login);
    const user = before === undefined
      ? await store.createUser({ login, admin: false, ...change })
      : await store.updateUser(before.id, change) ?? before;
    tellAccountChanged(deps, user.id);
    const action = before === undefined ? "user.create" : "user.update";
    await audit(exchange, apiTokenActor, toUser(action, user, change));
    return json(before === undefined ? 201 : 200, { user: await userJson(store, user) });
  } catch (error) {
    if (error instanceof InvalidLoginError) return json(400, { error: error.message });
    if (error instanceof LoginTakenError) return json(409, { error: error.message });
    throw error;
  }
}

/** `POST /signout`: ends what the request was signed in with, and what that has opened. */
export async function signOut(exchange: Exchange): Promise<Response> {
  const { deps } = exchange;
  const caller = await callerOf(exchange);
  if (caller instanceof Response) return caller;
  const { user, tokenId, session } = caller;
  if (session !== undefined) await deps.store.signIn.removeSession(session);
  else if (tokenId === null) endConnections(deps, user.id);
  else {
    await deps.store.removeAccessToken(user.id, tokenId);
    endDevice(deps, user.id, tokenId);
  }
  return new Response(null, { status: 204 });
}

function bringsApiToken({ request }: Exchange): boolean {
  return /^token /i.test(request.headers.get("authorization") ?? "");
}

/** Who asks, by a token of his or by his browser; or the answer that refuses. */
export async function callerOf(exchange: Exchange): Promise<Caller | Response> {
  const { request, peer, deps } = exchange;
  if (request.headers.has("authorization")) {
    const guesser = deps.guesses.guesser(request.headers, peer);
    const verdict = await authenticate(deps.store, request.headers, deps.strategies, guesser);
    if (verdict.kind === "wait") return tooManyGuesses();
    if (verdict.kind === "invalid") {
      return json(401, { error: "invalid credentials: sign in again" });
    }
    return { ...verdict, session: undefined, csrfToken: undefined };
  }
  const signedIn = await sessionOf(exchange);
  if (signedIn instanceof Response) return signedIn;
  return {
    user: signedIn.user,
    tokenId: null,
    session: hashSecret(signedIn.browser.id),
    csrfToken: await deps.signIn.sessions.csrfToken(signedIn.browser),
  };
}

function refuseBody(error: z.ZodError): Response {
  const problems = error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  return json(400, { error: `Cannot use the body: ${problems.join("; ")}` });
}
