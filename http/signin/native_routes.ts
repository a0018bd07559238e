/** `/native_app_signin`: a browser that an editor has opened. [transport 4.1] */
import { createToken } from "../../db/access_tokens.ts";
import type { User } from "../../db/store.ts";
import { audit, toUser, userActor } from "../audit.ts";
import { redirect } from "../responses.ts";
import { type BrowserExchange, withBrowser, withForm } from "./browser_exchange.ts";
import { systemOf } from "./browser_name.ts";
import { encryptToken } from "./native_app_key.ts";
import {
  type Fields,
  nativeOrigin,
  type NativeRequest,
  NativeRequestError,
  parseNativeRequest,
} from "./native_request.ts";
import { confirmPage, problemPage, signInPage } from "./sign_in_pages.ts";

/** `GET`: who is signed in only confirms; others prove who they are first. */
export const showNativeSignIn = withBrowser(async (exchange) => {
  const native = read(exchange, exchange.url.searchParams);
  if (native instanceof Response) return native;
  const { user } = exchange.browser;
  if (user === undefined) return await signInPage(exchange, { native });
  const target = await targetOf(exchange, native, user);
  return target instanceof Response ? target : await confirmPage(exchange, native, user, target);
});

/** `POST`: confirmed. */
export const confirmNativeSignIn = withForm(async (exchange) => {
  const native = read(exchange, exchange.form);
  if (native instanceof Response) return native;
  const { user } = exchange.browser;
  // The session has ended since the page was shown.
  if (user === undefined) return await signInPage(exchange, { native });
  const target = await targetOf(exchange, native, user);
  return target instanceof Response ? target : await handOver(exchange, native, user, target);
});

/** The editor's request, or the page that says what is wrong with it. */
export function read(exchange: BrowserExchange, fields: Fields): NativeRequest | Response {
  try {
    return parseNativeRequest(fields);
  } catch (error) {
    if (error instanceof NativeRequestError) return problemPage(exchange, 400, error.message);
    throw error;
  }
}

/** Whom the editor shall be: the user, or for an admin somebody else. [transport 5.3] */
async function targetOf(
  exchange: BrowserExchange,
  { impersonate }: NativeRequest,
  user: User,
): Promise<User | Response> {
  if (impersonate === undefined || impersonate.toLowerCase() === user.login.toLowerCase()) {
    return user;
  }
  if (!user.admin) {
    return problemPage(
      exchange,
      403,
      `Zed asks to be signed in as ${impersonate}, but only administrators may be somebody else.`,
    );
  }
  const target = await exchange.deps.store.userByLogin(impersonate);
  if (target === undefined) {
    return problemPage(exchange, 404, `There is no account ${impersonate} on this server.`);
  }
  return target.disabledAt === null
    ? target
    : problemPage(exchange, 403, `The account ${target.login} is disabled.`);
}

/** Sends the browser to the editor with a token that nobody else can read. [transport 4.1.4] */
export async function handOver(
  exchange: BrowserExchange,
  native: NativeRequest,
  user: User,
  target: User = user,
): Promise<Response> {
  const { deps: { store }, request, browser } = exchange;
  const impersonator = target === user ? null : user.id;
  if (impersonator !== null) {
    await audit(exchange, userActor(user), toUser("impersonation.create_token", target));
  }
  const token = await createToken(store, target.id, impersonator, labelOf(request));
  const query = new URLSearchParams({
    user_id: String(target.id),
    access_token: encryptToken(native.key, token),
  });
  return redirect(303, `${nativeOrigin(native)}/?${query}`, {
    ...browser.setCookie,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
}

/** What the user will know the device by: browser and editor share a machine. [transport 4.1.11] */
function labelOf(request: Request): string {
  const agent = request.headers.get("user-agent") ?? "";
  const system = systemOf(agent);
  return system === undefined ? "Zed" : `Zed on ${system}`;
}
