/** `/account`: what somebody is signed in with, and how to end it. */
import type { AccessToken } from "../../db/store.ts";
import type { HttpDeps } from "../deps.ts";
import { html } from "../pages/html.ts";
import { page } from "../pages/layout.ts";
import { plainText, redirect } from "../responses.ts";
import { withBrowser, withForm, withUser } from "./browser_exchange.ts";
import { hidden } from "./sign_in_pages.ts";

/** `GET /account`. */
export const showAccount = withBrowser(withUser(async (exchange) => {
  const { prefix, browser, user, deps } = exchange;
  const tokens = await deps.store.accessTokensOf(user.id);
  const fields = await hidden(exchange, undefined);
  const item = (token: AccessToken) =>
    html`
      <li>
        <div class="row">
          <div>${describe(token)}<br><span class="faint">${history(token)}</span></div>
          <form method="post" action="${prefix}/account/tokens/${token.id}/revoke">
      ${fields}<button class="plain" aria-label="Sign out ${describe(token)}, ${history(
        token,
      )}">Sign out</button>
          </form>
        </div>
      </li>
    `;
  return page({
    title: user.name ?? user.login,
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
        : html`<ul>${tokens.map(item)}</ul>
<form method="post" action="${prefix}/account/sign_out_everywhere">
${fields}<button class="plain">Sign out everywhere</button>
</form>`}
    `,
  });
}));

/** `POST /account/tokens/:id/revoke`: one device. */
export const revokeToken = withForm(withUser(async ({ deps, params, user, prefix }) => {
  const id = /^[1-9]\d{0,14}$/.test(params.id!) ? Number(params.id) : 0;
  if (!await deps.store.removeAccessToken(user.id, id)) {
    return plainText(404, "there is no such device any more");
  }
  endConnections(deps, user.id);
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

/**
 * Ends what is open. Connections do not know which token opened them, so all of the user end; clients
 * with a good token come back within a second.
 */
export function endConnections({ actors, notices }: HttpDeps, userId: number): void {
  notices.endUser(userId);
  actors.signOutUser(userId);
}

function describe({ label, impersonatorId }: AccessToken): string {
  const what = label ?? "Token from the command line";
  return impersonatorId === null ? what : `${what}, by an administrator`;
}

function history({ createdAt, lastUsedAt }: AccessToken): string {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  const used = lastUsedAt === null ? "not used yet" : `last used ${day(lastUsedAt)}`;
  return `since ${day(createdAt)}, ${used}`;
}
