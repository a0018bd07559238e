/** The token that opens routes for scripts: `API_TOKEN`. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../lib/setting.ts";
import { plainText } from "./responses.ts";

/**
 * Lets through who sends `Authorization: token <API_TOKEN>`. [transport 6.1]
 *
 * @returns the answer that refuses, or undefined
 */
export function refuseWithoutApiToken(
  request: Request,
  apiToken: Secret | undefined,
): Response | undefined {
  if (apiToken === undefined) {
    return plainText(404, "the routes for scripts are closed: start the server with API_TOKEN");
  }
  const given = request.headers.get("authorization");
  if (given === null) return plainText(400, "missing authorization header");
  if (!given.startsWith("token ")) return plainText(400, "send Authorization: token <API_TOKEN>");
  if (equalSecrets(given.slice("token ".length), apiToken.reveal())) return undefined;
  return plainText(401, "wrong API token");
}

/** Compares hashes of equal length, so that the time tells nothing of the secret. */
export function equalSecrets(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
