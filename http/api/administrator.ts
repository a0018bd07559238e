/** Who may use the admin API: the holder of `API_TOKEN`, or an administrator in a browser. */
import { equalSecrets } from "../api_token.ts";
import { apiTokenActor, userActor } from "../audit.ts";
import { json } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { sessionOf } from "../signin/api_session.ts";
import type { Administrator } from "./endpoint.ts";

/**
 * Who asks, or the answer that refuses.
 *
 * - `Authorization: token <API_TOKEN>` or `Bearer <API_TOKEN>`
 * - the cookie of a browser in which an administrator is signed in; what changes something needs the
 *   header `x-csrf-token` as well, with what `GET /api/admin/session` tells
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
  const signedIn = await sessionOf(exchange);
  if (signedIn instanceof Response) return signedIn;
  const { user } = signedIn;
  if (!user.admin) return refuse(403, `${user.login} is no administrator`);
  return { actor: userActor(user), user };
}

function refuse(status: 401 | 403, error: string): Response {
  return json(status, { error });
}
