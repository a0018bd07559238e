/** Sign-in for scripts and for Zed's developer sign-in, guarded by `API_TOKEN`. [transport 4.3.3] */
import { z } from "zod";
import { createToken } from "../db/access_tokens.ts";
import type { Store } from "../db/store.ts";
import type { Secret } from "../lib/config.ts";
import { equalSecrets } from "./api_token.ts";
import { json } from "./responses.ts";

const body = z.object({ github_login: z.string().min(1) });

/** `POST /internal/users/impersonate {"github_login"}` → `{"user_id", "access_token"}`. */
export async function impersonate(
  request: Request,
  store: Store,
  apiToken: Secret | undefined,
): Promise<Response> {
  if (apiToken === undefined) {
    return json(404, { error: "impersonation is off: start the server with API_TOKEN to use it" });
  }
  if (request.method !== "POST") return json(405, { error: "use POST" });
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
  return json(200, { user_id: user.id, access_token: await createToken(store, user.id) });
}
