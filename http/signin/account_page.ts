/** The page of somebody's own account: devices, browsers, password. */
import { hashSecret } from "../../db/access_tokens.ts";
import type { WebSession } from "../../db/sign_in_store.ts";
import type { AccessToken, User } from "../../db/store.ts";
import { type Html, html } from "../pages/html.ts";
import { page } from "../pages/layout.ts";
import type { BrowserExchange } from "./browser_exchange.ts";
import { hidden } from "./sign_in_pages.ts";

/** @param error what was wrong with the new password that was sent */
export async function accountPage(
  exchange: BrowserExchange & { readonly user: User },
  status = 200,
  error?: string,
): Promise<Response> {
  const { prefix, browser, user, deps: { store, config } } = exchange;
  const tokens = await store.accessTokensOf(user.id);
  const sessions = await store.signIn.sessionsOf(user.id);
  const hasPassword = config.signIn.passwords &&
    await store.signIn.passwordHash(user.id) !== undefined;
  const fields = await hidden(exchange, undefined);
  const here = hashSecret(browser.id);
  const button = (action: string, label: string) =>
    html`<form method="post" action="${prefix}/account/${action}">
${fields}<button class="plain" aria-label="${label}">Sign out</button></form>`;
  const item = (name: string, when: string, end: Html) =>
    html`
      <li>
        <div class="row"><div>${name}<br><span class="faint">${when}</span></div>${end}</div>
      </li>
    `;
  const device = (token: AccessToken) => {
    const [name, when] = [describe(token), history(token)];
    const label = `Sign out ${name}, ${when}`;
    return item(name, when, button(`tokens/${token.id}/revoke`, label));
  };
  const other = (session: WebSession) => {
    const name = session.label ?? "A browser";
    const when = `since ${day(session.createdAt)}`;
    if (session.hash === here) return item(`${name} (this one)`, when, html``);
    const action = `sessions/${encodeURIComponent(session.hash)}/revoke`;
    return item(name, when, button(action, `Sign out ${name}, ${when}`));
  };
  return page({
    title: user.name ?? user.login,
    status,
    prefix,
    wide: true,
    headers: browser.setCookie,
    body: html`
      <p>Signed in as <strong>${user.login}</strong>${user.admin && html`, an administrator`}.</p>
      <form method="post" action="${prefix}/sign_out">
      ${fields}<button class="plain">Sign out of this browser</button>
      </form>
      <h2>Devices</h2>
      ${tokens.length === 0
        ? html`<p class="faint">No editor is signed in.</p>`
        : html`<ul>${tokens.map(device)}</ul>`}
      <h2>Browsers</h2>
      <ul>${sessions.map(other)}</ul>
      <form method="post" action="${prefix}/account/sign_out_everywhere">
      ${fields}<button class="plain">Sign out everywhere</button>
      </form>
      ${hasPassword && passwordForm(prefix, fields, user, error)}
    `,
  });
}

function passwordForm(
  prefix: string,
  fields: Html,
  { login }: User,
  error: string | undefined,
): Html {
  return html`
    <h2>Password</h2>
    ${error !== undefined && html`<p class="error" role="alert">${error}</p>`}
    <form method="post" action="${prefix}/account/password">
    ${fields}
    <input type="text" name="username" value="${login}" autocomplete="username" hidden>
    <label for="present">Present password</label>
    <input id="present" name="present" type="password" required autocomplete="current-password">
    <label for="password">New password</label>
    <input id="password" name="password" type="password" required minlength="10"
    autocomplete="new-password" aria-describedby="rule">
    <label for="again">The same again</label>
    <input id="again" name="again" type="password" required autocomplete="new-password">
    <button>Change the password</button>
    </form>
    <p class="faint" id="rule">Ten characters or more. Other browsers are signed out, editors stay.</p>
  `;
}

function describe({ label, impersonatorId }: AccessToken): string {
  const what = label ?? "Token from the command line";
  return impersonatorId === null ? what : `${what}, by an administrator`;
}

function history({ createdAt, lastUsedAt }: AccessToken): string {
  const used = lastUsedAt === null ? "not used yet" : `last used ${day(lastUsedAt)}`;
  return `since ${day(createdAt)}, ${used}`;
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
