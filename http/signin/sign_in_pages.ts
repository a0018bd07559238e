/** The pages of signing in. Plain forms: they work without scripts. */
import type { User } from "../../db/store.ts";
import { Html, html } from "../pages/html.ts";
import { page } from "../pages/layout.ts";
import type { BrowserExchange } from "./browser_exchange.ts";
import { pairingForm } from "./pairing_form.ts";
import { nativeOrigin, type NativeRequest } from "./native_request.ts";

/** Where the sign-in page's parts come from. */
export interface SignInPage {
  /** The editor that waits; undefined for somebody who only looks at his account. */
  readonly native: NativeRequest | undefined;
  readonly status?: number;
  readonly error?: string;
  /** What was typed as login, or as name where devices are paired. */
  readonly login?: string;
  /** The pairing code that was typed or scanned. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Hidden fields: proof of the form, and what the editor asked. */
export async function hidden(
  { deps, browser }: BrowserExchange,
  native: NativeRequest | undefined,
): Promise<Html> {
  const fields = { csrf: await deps.signIn.sessions.csrfToken(browser), ...native?.fields };
  return html`${
    Object.entries(fields).map(([name, value]) =>
      html`<input type="hidden" name="${name}" value="${value}">`
    )
  }`;
}

/** Login and password, and the other ways. */
export async function signInPage(
  exchange: BrowserExchange,
  { native, status = 200, error, login, code, headers }: SignInPage,
): Promise<Response> {
  const { prefix, browser, deps: { config, pairing }, address } = exchange;
  const { passwords } = config.signIn;
  return page({
    title: native === undefined ? "Sign in" : "Sign in to Zed",
    status,
    prefix,
    ...(native && { formTargets: [nativeOrigin(native)] }),
    headers: { ...browser.setCookie, ...headers },
    body: html`
      ${error !== undefined && html`<p class="error" role="alert">${error}</p>`}
      ${pairing !== undefined && pairingForm(prefix, await hidden(exchange, native), {
        needsCode: pairing.needsCode(address),
        name: login,
        code,
      })}
      ${passwords && passwordForm(prefix, await hidden(exchange, native), login)}
      ${providerLinks(exchange, native?.fields)}
      ${passwords && html`
        <p class="faint">No password, or forgotten? Who runs this server can give you a link.</p>
      `}
    `,
  });
}

/** @param login what was typed before, in vain */
function passwordForm(prefix: string, fields: Html, login: string | undefined): Html {
  const focus = (here: boolean) => new Html(here ? "autofocus" : "");
  return html`
    <form method="post" action="${prefix}/sign_in">
    ${fields}
    <label for="login">Login</label>
    <input id="login" name="login" type="text" value="${login ?? ""}" required maxlength="39"
    autocomplete="username" autocapitalize="none" spellcheck="false" ${focus(login === undefined)}>
    <label for="password">Password</label>
    <input id="password" name="password" type="password" required
    autocomplete="current-password" ${focus(login !== undefined)}>
    <button>Sign in</button>
    </form>
  `;
}

/**
 * Other ways to prove who one is. Links, not forms: a page's policy would have to name where a form
 * leads.
 */
export function providerLinks(
  { deps, prefix }: BrowserExchange,
  fields: Readonly<Record<string, string>> = {},
): Html {
  const query = Object.keys(fields).length === 0 ? "" : `?${new URLSearchParams(fields)}`;
  const links = deps.signIn.providers.map(({ id, label }) =>
    html`
      <a class="button plain"
        href="${prefix}/sign_in/${id}${query}">Sign in with ${label}</a>
    `
  );
  return html`${links}`;
}

/** Asks somebody who is signed in whether the editor shall be, too. [transport 4.1.9] */
export async function confirmPage(
  exchange: BrowserExchange,
  native: NativeRequest,
  user: User,
  target: User,
): Promise<Response> {
  const { prefix, browser } = exchange;
  const fields = await hidden(exchange, native);
  const who = target === user
    ? html`<p>Zed on this computer asks to be signed in as <strong>${user.login}</strong>.</p>`
    : html`<p>You are <strong>${user.login}</strong>, an administrator. Zed on this computer asks to be
signed in as <strong>${target.login}</strong>; that is written down.</p>`;
  return page({
    title: "Sign in to Zed",
    prefix,
    formTargets: [nativeOrigin(native)],
    headers: browser.setCookie,
    body: html`${who}
<p class="faint">If you did not choose Sign In in Zed just now, close this page.</p>
<form method="post" action="${prefix}/native_app_signin">
${fields}
<button autofocus>Sign in</button>
</form>
<form method="post" action="${prefix}/sign_out">
${fields}
<button class="plain">Use another account</button>
</form>`,
  });
}

/** A sign-in that cannot go on. */
export function problemPage(
  { prefix, browser }: BrowserExchange,
  status: number,
  text: string,
): Response {
  return page({
    title: "Cannot sign in",
    status,
    prefix,
    headers: browser.setCookie,
    body: html`<p role="alert">${text}</p>`,
  });
}
