/** A browser's session as proof for requests that are no forms. */
import type { User } from "../../db/store.ts";
import { json } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { type BrowserExchange, browserOf } from "./browser_exchange.ts";

/** Header with the proof that a request comes from a page of ours. */
export const CSRF_HEADER = "x-csrf-token";

/** Who is signed in, or the answer that refuses: what changes something needs {@link CSRF_HEADER}. */
export async function sessionOf(
  exchange: Exchange,
): Promise<(BrowserExchange & { readonly user: User }) | Response> {
  const { request, deps } = exchange;
  const known = await browserOf(exchange);
  const { user } = known.browser;
  if (user === undefined) return json(401, { error: "sign in first" });
  const isRead = request.method === "GET" || request.method === "HEAD";
  const proof = request.headers.get(CSRF_HEADER) ?? "";
  if (isRead || await deps.signIn.sessions.isOwnForm(known.browser, proof)) {
    return { ...known, user };
  }
  return json(403, { error: `send ${CSRF_HEADER} with what GET /user tells` });
}
