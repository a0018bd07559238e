/** The endpoints of hosted models on a server that hosts none. [transport 7.5] */
import { dropBody } from "../body.ts";
import { json } from "../responses.ts";
import type { Exchange } from "../route.ts";
import { checkModelToken, NO_MODELS } from "./model_tokens.ts";

/** Bytes of a prompt. */
const PROMPT_LIMIT = 16 << 20;

/** `GET /models`: none, in words that both years read. */
export function models(): Response {
  return json(200, {
    models: [],
    default_model: "",
    default_fast_model: "",
    recommended_models: [],
  });
}

/**
 * What needs a model: refused. Where tokens are signed for a proxy, a token that is not good is told
 * first, so that the client gets a new one. [transport 7.5.4]
 */
export async function noModel({ request, deps }: Exchange): Promise<Response> {
  const secret = deps.config.llmApiSecret;
  if (secret !== undefined) {
    const [, token = ""] = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    const verdict = await checkModelToken(secret, token, deps.actors.clock.now());
    if (verdict !== "valid") {
      return json(401, {
        code: verdict === "expired" ? "token_expired" : "invalid_token",
        message: "the model token is not good (any more): ask for a new one",
      }, verdict === "expired" ? { "x-zed-expired-token": "true" } : {});
    }
  }
  await dropBody(request, PROMPT_LIMIT);
  return json(403, NO_MODELS);
}

/** What became of predictions: there were none. */
export async function predictionFeedback({ request, path }: Exchange): Promise<Response> {
  await dropBody(request, PROMPT_LIMIT);
  return json(200, path.endsWith("/settled") ? {} : null);
}

/** `GET /edit_prediction_experiments`: none. */
export function experiments(): Response {
  return json(200, []);
}
