/** `/invitation`: a link from the operator, with which somebody chooses a password once. */
import { hashSecret } from "../../db/access_tokens.ts";
import { checkPassword, PasswordsBusyError, WeakPasswordError } from "../../db/passwords.ts";
import type { User } from "../../db/store.ts";
import { type Html, html } from "../pages/html.ts";
import { page } from "../pages/layout.ts";
import { redirect } from "../responses.ts";
import { browserName } from "./browser_name.ts";
import { type BrowserExchange, withBrowser, withForm } from "./browser_exchange.ts";
import { hidden, problemPage, providerLinks } from "./sign_in_pages.ts";

const GONE = "This link is not good any more: it was used, replaced, or is too old. " +
  "Ask whoever runs this server for a new one.";

/** `GET`: the form. */
export const showInvitation = withBrowser(async (exchange) => {
  const token = exchange.url.searchParams.get("token") ?? "";
  const user = await invited(exchange, token);
  return user === undefined
    ? problemPage(exchange, 404, GONE)
    : await passwordPage(exchange, token, user, undefined, 200);
});

/** `POST`: the password. It uses the link up and signs this browser in. */
export const acceptInvitation = withForm(async (exchange) => {
  const { form, deps, address, prefix } = exchange;
  const { signIn, store, log } = deps;
  const token = form.get("token") ?? "";
  if (!deps.config.signIn.passwords) {
    return problemPage(exchange, 404, "This server keeps no passwords.");
  }
  if (!signIn.mayTry(address)) {
    return problemPage(exchange, 429, "Too many attempts. Wait a minute, then try again.");
  }
  const user = await invited(exchange, token);
  if (user === undefined) return problemPage(exchange, 404, GONE);
  const password = form.get("password") ?? "";
  let hash: string;
  try {
    checkPassword(password, user.login);
    if (password !== form.get("again")) {
      return await passwordPage(exchange, token, user, "The two passwords are not the same.", 400);
    }
    hash = await signIn.passwords.hash(password);
  } catch (error) {
    if (error instanceof WeakPasswordError) {
      return await passwordPage(exchange, token, user, error.message, 400);
    }
    if (error instanceof PasswordsBusyError) {
      return await passwordPage(exchange, token, user, error.message, 503);
    }
    throw error;
  }
  // Of two browsers with the same link, the first.
  if (await store.signIn.takeInvitation(hashSecret(token)) === undefined) {
    return problemPage(exchange, 404, GONE);
  }
  await store.signIn.setPasswordHash(user.id, hash);
  await store.signIn.removeSessions(user.id);
  log.info("{login} chose a password from {address}", { login: user.login, address });
  const browser = await signIn.sessions.signIn(
    exchange.browser,
    user,
    exchange.scope,
    browserName(exchange.request),
  );
  return redirect(303, `${prefix}/account`, { ...browser.setCookie, "cache-control": "no-store" });
});

async function invited({ deps }: BrowserExchange, token: string): Promise<User | undefined> {
  if (!/^[\w-]{43}$/.test(token)) return undefined;
  const invitation = await deps.store.signIn.invitation(hashSecret(token));
  if (invitation === undefined || invitation.expiresAt <= deps.actors.clock.now()) return undefined;
  const user = await deps.store.user(invitation.userId);
  return user?.disabledAt === null ? user : undefined;
}

async function passwordPage(
  exchange: BrowserExchange,
  token: string,
  user: User,
  error: string | undefined,
  status: number,
): Promise<Response> {
  const { prefix, browser, deps } = exchange;
  const { passwords } = deps.config.signIn;
  return page({
    title: passwords ? "Choose a password" : "Take your account",
    status,
    prefix,
    headers: browser.setCookie,
    body: html`
      ${error !== undefined && html`<p class="error" role="alert">${error}</p>`}
      <p>For the account <strong>${user.login}</strong>.</p>
      ${passwords && newPasswordForm(prefix, await hidden(exchange, undefined), token, user)}
      ${providerLinks(exchange, { invitation: token })}
    `,
  });
}

function newPasswordForm(prefix: string, fields: Html, token: string, user: User): Html {
  return html`
    <form method="post" action="${prefix}/invitation">
    ${fields}
    <input type="hidden" name="token" value="${token}">
    <input type="text" name="username" value="${user.login}" autocomplete="username" hidden>
    <label for="password">Password</label>
    <input id="password" name="password" type="password" required minlength="10"
    autocomplete="new-password" aria-describedby="rule" autofocus>
    <label for="again">The same again</label>
    <input id="again" name="again" type="password" required autocomplete="new-password">
    <button>Save and sign in</button>
    </form>
    <p class="faint" id="rule">Ten characters or more; a few words are easiest to remember.</p>
  `;
}
