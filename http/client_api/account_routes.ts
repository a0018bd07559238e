/** What Zed asks for with its user's token. [transport 7.6] */
import { z } from "zod";
import type { User } from "../../db/store.ts";
import { baseUrl } from "../base_url.ts";
import { dropBody, readJson } from "../body.ts";
import { json } from "../responses.ts";
import type { Exchange, UserExchange } from "../route.ts";
import { accountDocument, type AccountFacts, userDocument } from "./account_document.ts";
import { NO_MODELS } from "./model_tokens.ts";

/** Bytes of feedback: it carries whole threads of an agent. */
const FEEDBACK_LIMIT = 16 << 20;

const settings = z.object({ selected_organization_id: z.string().nullable() });
const tokenRequest = z.object({ organization_id: z.string().nullish() });

function factsOf({ request, deps }: Exchange, user: User): AccountFacts {
  return {
    avatarUrl: user.avatarUrl ??
      `${baseUrl(request, deps.config.publicUrl)}/avatars/${user.id}.png`,
    isStaff: deps.actors.accounts.isStaff(user),
  };
}

/** `GET /client/users/me`: profile, plan and flags; clients also validate their login with it. */
export function me(exchange: UserExchange): Response {
  return json(200, accountDocument(exchange.user, factsOf(exchange, exchange.user)));
}

/**
 * `POST /client/llm_tokens`: a token for the models, where there are any. Its refusal is never a 401,
 * which would sign the user out. [transport 3.8.2]
 */
export async function llmToken({ request, user, deps }: UserExchange): Promise<Response> {
  const body = tokenRequest.safeParse(await readJson(request)).data;
  const token = await deps.actors.accounts.createModelToken(user, {
    systemId: request.headers.get("x-zed-system-id"),
    organizationId: body?.organization_id ?? null,
  });
  return token === undefined ? json(403, NO_MODELS) : json(200, { token });
}

/** `PATCH /client/system_settings`: nothing is kept, there are no organizations to choose from. */
export async function systemSettings({ request }: UserExchange): Promise<Response> {
  const parsed = settings.safeParse(await readJson(request));
  if (!parsed.success) {
    return json(400, {
      code: "bad_request",
      message: "send JSON: {selected_organization_id: text or null}",
    });
  }
  return json(200, parsed.data);
}

/** `POST /client/terms_of_service/accept`: there are none, so they are accepted. [transport 9.4] */
export async function acceptTerms(exchange: UserExchange): Promise<Response> {
  await dropBody(exchange.request, FEEDBACK_LIMIT);
  return json(200, { user: userDocument(exchange.user, factsOf(exchange, exchange.user)) });
}

/** `POST /client/feedback/…`: dropped. It is about Zed, and may hold whole conversations. */
export async function feedback({ request }: UserExchange): Promise<Response> {
  await dropBody(request, FEEDBACK_LIMIT);
  return json(200, {});
}
