/** `/account`: what somebody is signed in with, and how to end it. */
import { hashSecret } from "../../db/access_tokens.ts";
import { checkPassword, PasswordsBusyError, WeakPasswordError } from "../../db/passwords.ts";
import type { HttpDeps } from "../deps.ts";
import { plainText, redirect } from "../responses.ts";
import { accountPage } from "./account_page.ts";
import { withBrowser, withForm, withUser } from "./browser_exchange.ts";

const WRONG = "The present password is not right.";
const DIFFERENT = "The two new passwords are not the same.";
const WAIT = "Too many attempts. Wait a minute, then try again.";

/** `GET /account`. */
export const showAccount = withBrowser(withUser((exchange) => accountPage(exchange)));

/** `POST /account/tokens/:id/revoke`: one device. */
export const revokeToken = withForm(withUser(async ({ deps, params, user, prefix }) => {
  const id = /^[1-9]\d{0,14}$/.test(params.id!) ? Number(params.id) : 0;
  if (!await deps.store.removeAccessToken(user.id, id)) {
    return plainText(404, "there is no such device any more");
  }
  endDevice(deps, user.id, id);
  return redirect(303, `${prefix}/account`);
}));

/** `POST /account/sessions/:id/revoke`: one browser, by the hash of its cookie. */
export const revokeSession = withForm(withUser(async ({ deps, params, user, prefix }) => {
  if (!await deps.store.signIn.removeSessionOf(user.id, params.id!)) {
    return plainText(404, "that browser is not signed in any more");
  }
  return redirect(303, `${prefix}/account`);
}));

/** `POST /account/password`: a new password; other browsers are signed out, editors stay. */
export const changePassword = withForm(withUser(async (exchange) => {
  const { deps: { signIn, store, log, config }, form, user, browser, address, prefix } = exchange;
  if (!config.signIn.passwords) return plainText(404, "this server keeps no passwords");
  const password = form.get("password") ?? "";
  if (password !== form.get("again")) return await accountPage(exchange, 400, DIFFERENT);
  try {
    const verdict = await signIn.byPassword(user.login, form.get("present") ?? "", address);
    if (verdict.kind === "wait") return await accountPage(exchange, 429, WAIT);
    if (verdict.kind !== "right") return await accountPage(exchange, 403, WRONG);
    checkPassword(password, user.login);
    await store.signIn.setPasswordHash(user.id, await signIn.passwords.hash(password));
  } catch (error) {
    if (error instanceof WeakPasswordError) return await accountPage(exchange, 400, error.message);
    if (error instanceof PasswordsBusyError) return await accountPage(exchange, 503, error.message);
    throw error;
  }
  await store.signIn.removeOtherSessions(user.id, hashSecret(browser.id));
  log.info("{login} changed the password from {address}", { login: user.login, address });
  return redirect(303, `${prefix}/account`);
}));

/** `POST /account/sign_out_everywhere`: all devices and browsers. */
export const signOutEverywhere = withForm(withUser(async ({ deps, user, prefix }) => {
  await deps.store.removeAccessTokens(user.id);
  await deps.store.signIn.removeSessions(user.id);
  endConnections(deps, user.id);
  deps.log.info("{login} signed out everywhere", { login: user.login });
  return redirect(303, `${prefix}/sign_in`);
}));

/** Ends what one token has opened; the user's other devices stay. */
export function endDevice({ actors, notices }: HttpDeps, userId: number, tokenId: number): void {
  notices.endToken(userId, tokenId);
  actors.signOutToken(tokenId);
}

/** Ends all that a user has open. */
export function endConnections({ actors, notices }: HttpDeps, userId: number): void {
  notices.endUser(userId);
  actors.signOutUser(userId);
}
