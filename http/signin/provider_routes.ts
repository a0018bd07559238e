/** `/sign_in/:provider`: a browser that proves elsewhere who it is. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { hashSecret } from "../../db/access_tokens.ts";
import { checkLogin, InvalidLoginError } from "../../db/login.ts";
import { LoginTakenError, type User } from "../../db/store.ts";
import { tellAccountChanged } from "../account_change.ts";
import { baseUrl } from "../base_url.ts";
import { browserName } from "./browser_name.ts";
import { redirect } from "../responses.ts";
import { type BrowserExchange, withBrowser } from "./browser_exchange.ts";
import { isNative, nativePath, NativeRequestError, parseNativeRequest } from "./native_request.ts";
import { read } from "./native_routes.ts";
import { type ExternalIdentity, type Provider, ProviderError } from "./provider.ts";
import { problemPage } from "./sign_in_pages.ts";

/** How long somebody may take elsewhere, in milliseconds. */
const LIFETIME = 15 * 60_000;
const COOKIE = "parley_provider";

/** What the browser keeps while it is away: sealed, so that it is ours when it comes back. */
const pendingSchema = z.object({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  expiresAt: z.number(),
  /** The editor that waits, as in its request. */
  native: z.record(z.string(), z.string()).optional(),
  /** The operator's link with which somebody takes an account. */
  invitation: z.string().optional(),
});

/** `GET /sign_in/:provider`: sends the browser there. */
export const beginElsewhere = withBrowser(async (exchange) => {
  const { deps, params, url } = exchange;
  const provider = deps.signIn.provider(params.provider!);
  if (provider === undefined) return unknown(exchange);
  if (!deps.signIn.mayTry(exchange.address)) return tooMany(exchange);
  const native = isNative(url.searchParams) ? read(exchange, url.searchParams) : undefined;
  if (native instanceof Response) return native;
  const random = () => randomBytes(32).toString("base64url");
  const challenge = { state: random(), nonce: random(), verifier: random() };
  const pending: z.infer<typeof pendingSchema> = {
    provider: provider.id,
    ...challenge,
    expiresAt: deps.actors.clock.now() + LIFETIME,
    ...(native && { native: { ...native.fields } }),
    ...(url.searchParams.has("invitation") && { invitation: url.searchParams.get("invitation")! }),
  };
  try {
    const target = await provider.begin(callbackUrl(exchange, provider), challenge);
    const sealed = await deps.signIn.sessions.seal(COOKIE, JSON.stringify(pending));
    return redirect(303, target.href, {
      ...cookie(exchange, sealed, LIFETIME / 1000),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
  } catch (error) {
    return failed(exchange, error);
  }
});

/** `GET /sign_in/:provider/callback`: the browser is back. */
export const finishElsewhere = withBrowser(async (exchange) => {
  const { deps, params, url, prefix } = exchange;
  const provider = deps.signIn.provider(params.provider!);
  if (provider === undefined) return unknown(exchange);
  if (!deps.signIn.mayTry(exchange.address)) return tooMany(exchange);
  const pending = await pendingOf(exchange);
  if (pending === undefined || pending.provider !== provider.id) {
    return problemPage(
      exchange,
      400,
      "This sign-in was begun elsewhere or too long ago. Begin again.",
    );
  }
  try {
    const back = new URL(callbackUrl(exchange, provider) + url.search);
    const identity = await provider.finish(back, pending);
    const user = await accountOf(exchange, identity, pending.invitation);
    if (user instanceof Response) return user;
    deps.log.info("{login} signed in with {provider} from {address}", {
      login: user.login,
      provider: identity.provider,
      address: exchange.address,
    });
    const label = browserName(exchange.request);
    const browser = await deps.signIn.sessions.signIn(
      exchange.browser,
      user,
      exchange.scope,
      label,
    );
    const headers = new Headers({ "cache-control": "no-store" });
    headers.append("set-cookie", browser.setCookie["set-cookie"]!);
    headers.append("set-cookie", cookie(exchange, "", 0)["set-cookie"]!);
    return redirect(303, nextPath(prefix, pending.native), headers);
  } catch (error) {
    return failed(exchange, error);
  }
});

/** The editor's request again, where a click confirms; anybody may have begun this. [transport 4.1.9] */
function nextPath(prefix: string, fields: Readonly<Record<string, string>> | undefined): string {
  if (fields === undefined) return `${prefix}/account`;
  try {
    return nativePath(prefix, parseNativeRequest(new Map(Object.entries(fields))));
  } catch (error) {
    if (error instanceof NativeRequestError) return `${prefix}/account`;
    throw error;
  }
}

/** Whose account that identity opens, or the page that says that it opens none. */
async function accountOf(
  exchange: BrowserExchange,
  identity: ExternalIdentity,
  invitation: string | undefined,
): Promise<User | Response> {
  const { store, config } = exchange.deps;
  const { provider, subject } = identity;
  const known = await store.signIn.identity(provider, subject);
  let user = known === undefined ? undefined : await store.user(known);
  if (user === undefined && invitation !== undefined) {
    const taken = await store.signIn.takeInvitation(hashSecret(invitation));
    const fresh = taken !== undefined && taken.expiresAt > exchange.deps.actors.clock.now();
    if (fresh) {
      user = await store.user(await store.signIn.linkIdentity(provider, subject, taken.userId));
    }
  }
  if (user === undefined && config.signIn.openToAll) return await newAccount(exchange, identity);
  if (user === undefined) {
    return problemPage(
      exchange,
      403,
      `No account on this server is yours${
        identity.login ? `, ${identity.login}` : ""
      }. Ask whoever ` +
        "runs it for an invitation.",
    );
  }
  if (user.disabledAt !== null) {
    return problemPage(exchange, 403, `The account ${user.login} is disabled.`);
  }
  return await withProfile(exchange, user, identity);
}

/** An account for somebody new, under the name that he has there if nobody has it here. */
async function newAccount(
  exchange: BrowserExchange,
  { provider, subject, login = "", name, avatarUrl }: ExternalIdentity,
): Promise<User | Response> {
  const { store, log } = exchange.deps;
  try {
    checkLogin(login);
    const created = await store.createUser({ login, admin: false, name });
    const owner = await store.signIn.linkIdentity(provider, subject, created.id);
    if (owner !== created.id) {
      // The same person, in another tab, was quicker.
      await store.removeUser(created.id);
      return await store.user(owner) ?? created;
    }
    log.info("{login} has a new account, by {provider}", { login, provider });
    return await store.updateUser(created.id, { avatarUrl }) ?? created;
  } catch (error) {
    if (error instanceof InvalidLoginError || error instanceof LoginTakenError) {
      return problemPage(
        exchange,
        409,
        `The name ${
          JSON.stringify(login)
        } cannot be yours on this server: it is taken, or cannot be ` +
          "a login here. Ask whoever runs the server for an invitation.",
      );
    }
    throw error;
  }
}

/** Name and picture as they are there now; clients are told when they changed. [transport 3.7.4] */
async function withProfile(
  { deps }: BrowserExchange,
  user: User,
  { name, avatarUrl }: ExternalIdentity,
): Promise<User> {
  const change = {
    ...(name !== null && name !== user.name && { name }),
    ...(avatarUrl !== null && avatarUrl !== user.avatarUrl && { avatarUrl }),
  };
  if (Object.keys(change).length === 0) return user;
  const changed = await deps.store.updateUser(user.id, change);
  tellAccountChanged(deps, user.id);
  return changed ?? user;
}

async function pendingOf({ request, deps }: BrowserExchange) {
  const header = request.headers.get("cookie") ?? "";
  const sealed = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w.-]+)`).exec(header)?.[1];
  const text = sealed && await deps.signIn.sessions.unseal(COOKIE, sealed);
  if (!text) return undefined;
  const pending = pendingSchema.parse(JSON.parse(text));
  return pending.expiresAt > deps.actors.clock.now() ? pending : undefined;
}

function callbackUrl({ request, deps }: BrowserExchange, { id }: Provider): string {
  return `${baseUrl(request, deps.config.publicUrl)}/sign_in/${id}/callback`;
}

function cookie(
  { scope }: BrowserExchange,
  value: string,
  seconds: number,
): Record<"set-cookie", string> {
  const path = `${scope.prefix}/sign_in`;
  return {
    "set-cookie": `${COOKIE}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax` +
      (scope.secure ? "; Secure" : ""),
  };
}

function unknown(exchange: BrowserExchange): Response {
  return problemPage(exchange, 404, "This server knows no such way to sign in.");
}

function tooMany(exchange: BrowserExchange): Response {
  return problemPage(exchange, 429, "Too many attempts. Wait a minute, then try again.");
}

function failed(exchange: BrowserExchange, error: unknown): Response {
  if (!(error instanceof ProviderError)) throw error;
  exchange.deps.log.warn("{message}: {cause}", { message: error.message, cause: error.cause });
  return problemPage(exchange, 502, error.message);
}
