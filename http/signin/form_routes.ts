/** Signing in by password, and out. */
import { PasswordsBusyError } from "../../db/passwords.ts";
import { redirect } from "../responses.ts";
import { browserName } from "./browser_name.ts";
import { type FormExchange, withBrowser, withForm } from "./browser_exchange.ts";
import { isNative, nativePath, type NativeRequest } from "./native_request.ts";
import { handOver, read } from "./native_routes.ts";
import { problemPage, signInPage } from "./sign_in_pages.ts";

const WAIT = "Too many attempts. Wait a minute, then try again.";
const DISABLED = "This account is disabled. Ask whoever runs this server.";
const WRONG = "That login and password do not belong together.";

/** `GET /sign_in`: for who wants to see his account. */
export const showSignIn = withBrowser(async (exchange) =>
  exchange.browser.user === undefined
    ? await signInPage(exchange, { native: undefined })
    : redirect(303, `${exchange.prefix}/account`)
);

/** `POST /sign_in`: login and password, perhaps for an editor that waits. */
export const signIn = withForm(async (exchange) => {
  const { form, deps, address } = exchange;
  if (!deps.config.signIn.passwords) {
    return problemPage(exchange, 404, "This server keeps no passwords.");
  }
  const native = isNative(form) ? read(exchange, form) : undefined;
  if (native instanceof Response) return native;
  const login = (form.get("login") ?? "").trim();
  const password = form.get("password") ?? "";
  const again = (status: number, error: string, headers: Record<string, string> = {}) =>
    signInPage(exchange, { native, status, error, login, headers });
  try {
    const verdict = await deps.signIn.byPassword(login, password, address);
    if (verdict.kind === "wait") return await again(429, WAIT, { "retry-after": "60" });
    if (verdict.kind === "wrong") return await again(401, WRONG);
    if (verdict.kind === "disabled") return await again(403, DISABLED);
    const browser = await deps.signIn.sessions.signIn(
      exchange.browser,
      verdict.user,
      exchange.scope,
      browserName(exchange.request),
    );
    return await goOn({ ...exchange, browser }, native);
  } catch (error) {
    if (error instanceof PasswordsBusyError) {
      return await again(503, error.message, { "retry-after": "5" });
    }
    throw error;
  }
});

/**
 * Where somebody goes who has just proved who he is: that proof is the consent that the editor needs,
 * except to be somebody else.
 */
export async function goOn(
  exchange: FormExchange,
  native: NativeRequest | undefined,
): Promise<Response> {
  const { browser, prefix } = exchange;
  if (native !== undefined && native.impersonate === undefined) {
    return await handOver(exchange, native, browser.user!);
  }
  const next = native === undefined ? `${prefix}/account` : nativePath(prefix, native);
  return redirect(303, next, { ...browser.setCookie, "cache-control": "no-store" });
}

/** `POST /sign_out`: this browser only; an editor that waits may be given to somebody else. */
export const signOut = withForm(async (exchange) => {
  const { form, deps, browser, prefix } = exchange;
  await deps.signIn.sessions.signOut(browser);
  const native = isNative(form) ? read(exchange, form) : undefined;
  if (native instanceof Response) return native;
  return redirect(303, native === undefined ? `${prefix}/sign_in` : nativePath(prefix, native), {
    "cache-control": "no-store",
  });
});
