/** What pages with forms have in common: the browser, the address, the form's proof. */
import { baseUrl } from "../base_url.ts";
import { basePath } from "../base_path.ts";
import { readForm } from "../body.ts";
import { clientAddress } from "../client_address.ts";
import { html } from "../pages/html.ts";
import { page } from "../pages/layout.ts";
import type { Exchange } from "../route.ts";
import type { Browser, CookieScope } from "./sessions.ts";

/** An exchange with a browser that we know by its cookie. */
export interface BrowserExchange extends Exchange {
  readonly browser: Browser;
  readonly scope: CookieScope;
  /** The server's own path, or empty. */
  readonly prefix: string;
  /** For counting attempts. */
  readonly address: string;
}

/** A form that came from a page of ours. */
export interface FormExchange extends BrowserExchange {
  readonly form: ReadonlyMap<string, string>;
}

type Handler<E> = (exchange: E) => Response | Promise<Response>;

/** The browser that asks, by its cookie. */
export async function browserOf(exchange: Exchange): Promise<BrowserExchange> {
  const { request, deps, peer } = exchange;
  const prefix = basePath(deps.config);
  const secure = baseUrl(request, deps.config.publicUrl).startsWith("https:");
  const scope = { prefix, secure };
  return {
    ...exchange,
    browser: await deps.signIn.sessions.browser(request, scope),
    scope,
    prefix,
    address: clientAddress(request.headers, peer, deps.config.trustedProxies),
  };
}

/** A page whose forms need the browser's cookie. */
export function withBrowser(handler: Handler<BrowserExchange>): Handler<Exchange> {
  return async (exchange) => await handler(await browserOf(exchange));
}

/** The target of a form; what another site sends does not get through. [transport 4.1.9] */
export function withForm(handler: Handler<FormExchange>): Handler<Exchange> {
  return async (exchange) => {
    const form = await readForm(exchange.request);
    const browser = await browserOf(exchange);
    const { sessions } = exchange.deps.signIn;
    if (await sessions.isOwnForm(browser.browser, form.get("csrf") ?? "")) {
      return await handler({ ...browser, form });
    }
    return page({
      title: "That form is too old",
      status: 403,
      prefix: browser.prefix,
      body: html`<p role="alert">This browser did not send the form from our page, or without its
cookie. Go back, load the page again, and try once more.</p>`,
    });
  };
}

/** Somebody who is signed in; others are sent to the sign-in page. */
export function withUser<E extends BrowserExchange>(
  handler: Handler<E & { readonly user: NonNullable<Browser["user"]> }>,
): Handler<E> {
  return (exchange) => {
    const { user } = exchange.browser;
    if (user !== undefined) return handler({ ...exchange, user });
    return new Response(null, {
      status: 303,
      headers: { location: `${exchange.prefix}/sign_in`, "cache-control": "no-store" },
    });
  };
}
