/** Who may use the admin API: the holder of `API_TOKEN`, or an administrator in a browser. */
import { equalSecrets } from "../api_token.ts";
import { apiTokenActor, userActor } from "../audit.ts";
import { json } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { browserOf } from "../signin/browser_exchange.ts";
import type { Administrator } from "./endpoint.ts";

/** Header with the proof that a request comes from a page of ours. */
export const CSRF_HEADER = "x-csrf-token";

/**
 * Who asks, or the answer that refuses.
 *
 * - `Authorization: token <API_TOKEN>` or `Bearer <API_TOKEN>`
 * - the cookie of a browser in which an administrator is signed in; what changes something needs the
 *   header {@link CSRF_HEADER} as well, with what `GET /api/admin/session` tells
 */
export async function administratorOf(exchange: Exchange): Promise<Administrator | Response> {
  const { request, deps } = exchange;
  const given = request.headers.get("authorization");
  if (given !== null) {
    const token = /^(?:token|bearer) (\S+)$/i.exec(given)?.[1] ?? "";
    const expected = deps.config.apiToken?.reveal();
    if (expected === undefined) {
      return refuse(401, "there is no API token: start the server with API_TOKEN");
    }
    if (!equalSecrets(token, expected)) {
      return refuse(401, "wrong API token: send Authorization: token <API_TOKEN>");
    }
    return { actor: apiTokenActor, user: undefined };
  }
  const { browser } = await browserOf(exchange);
  if (browser.user === undefined) {
    return refuse(401, "send Authorization: token <API_TOKEN>, or sign in as an administrator");
  }
  if (!browser.user.admin) return refuse(403, `${browser.user.login} is no administrator`);
  const isRead = request.method === "GET" || request.method === "HEAD";
  const proof = request.headers.get(CSRF_HEADER) ?? "";
  if (!isRead && !await deps.signIn.sessions.isOwnForm(browser, proof)) {
    return refuse(403, `send ${CSRF_HEADER} with what GET /api/admin/session tells`);
  }
  return { actor: userActor(browser.user), user: browser.user };
}

function refuse(status: 401 | 403, error: string): Response {
  return json(status, { error });
}
