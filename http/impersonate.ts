/** Sign-in for scripts and for Zed's developer sign-in, guarded by `API_TOKEN`. [transport 4.3.3] */
import { z } from "zod";
import { createToken } from "../db/access_tokens.ts";
import { equalSecrets } from "./api_token.ts";
import { apiTokenActor, audit, toUser } from "./audit.ts";
import { limited } from "./body.ts";
import type { Exchange } from "./route.ts";
import { json } from "./responses.ts";

const body = z.object({ github_login: z.string().min(1) });

/** `POST /internal/users/impersonate {"github_login"}` → `{"user_id", "access_token"}`. */
export async function impersonate(exchange: Exchange): Promise<Response> {
  const { deps: { store, config: { apiToken } } } = exchange;
  const request = limited(exchange.request);
  if (apiToken === undefined) {
    return json(404, { error: "impersonation is off: start the server with API_TOKEN to use it" });
  }
  const given = request.headers.get("authorization") ?? "";
  if (!equalSecrets(given, `Bearer ${apiToken.reveal()}`)) {
    return json(401, {
      error: "missing or wrong API token: send Authorization: Bearer <API_TOKEN>",
    });
  }
  const parsed = body.safeParse(await request.json().catch(() => undefined));
  if (!parsed.success) return json(400, { error: 'send JSON: {"github_login": "<login>"}' });
  const user = await store.userByLogin(parsed.data.github_login);
  if (user === undefined) {
    return json(404, { error: `there is no user "${parsed.data.github_login}"` });
  }
  if (user.disabledAt !== null) return json(403, { error: `${user.login} is disabled` });
  await audit(exchange, apiTokenActor, toUser("impersonation.create_token", user));
  return json(200, { user_id: user.id, access_token: await createToken(store, user.id) });
}
