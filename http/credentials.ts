/** `Authorization: <user id> <access token>`, as Zed sends it. [transport 1.2.2] [transport 5.4] */
import type { Store } from "../db/store.ts";
import { isTokenText, type Verdict, verifyToken } from "../db/access_tokens.ts";
import type { Guesser } from "./guess_limit.ts";
import { plainText } from "./responses.ts";
import { byStrategies, type Strategy } from "./strategies.ts";

export interface Credentials {
  readonly userId: number;
  readonly token: string;
}

/** Ids are 32-bit positive integers. [rooms 1.4] */
const USER_ID = /^[1-9]\d{0,9}$/;
const LARGEST_ID = 2 ** 31 - 1;

/** The header's first two words; empty where one is missing. */
function wordsOf(header: string | null): readonly [id: string, token: string] {
  const [id = "", token = ""] = (header ?? "").trim().split(/\s+/);
  return [id, token];
}

/** Undefined for a header that is missing or malformed: 401, so that the client asks its user. */
export function parseAuthorization(header: string | null): Credentials | undefined {
  const [id, token] = wordsOf(header);
  if (!USER_ID.test(id) || Number(id) > LARGEST_ID || token === "") return undefined;
  return { userId: Number(id), token };
}

/** Why a request's credentials are no good, for whoever reads it; the status is 401 for each. [transport 5.4] */
export function refusedCredentials(headers: Headers): Response {
  const [id, token] = wordsOf(headers.get("authorization"));
  if (id === "") return plainText(401, "missing authorization header: sign in first");
  if (!/^\d+$/.test(id)) {
    return plainText(401, "missing user id in authorization header: sign in again");
  }
  if (token === "") {
    return plainText(401, "missing access token in authorization header: sign in again");
  }
  return plainText(401, "invalid credentials: sign in again");
}

/**
 * Who asks, by a token of ours or by what else the configuration accepts. `wait` is for an address
 * with too many wrong secrets. A token of ours is judged there too, and a wrong one not counted: it
 * cannot be guessed, nobody shall lock his neighbours out, and an editor whose token has been revoked
 * must hear 401 to ask its user.
 *
 * @throws when the database does not answer: that is no verdict. [transport 5.4.0]
 */
export async function authenticate(
  store: Store,
  headers: Headers,
  strategies: readonly Strategy[] = [],
  guesser?: Guesser,
): Promise<Verdict | { readonly kind: "wait" }> {
  const credentials = parseAuthorization(headers.get("authorization"));
  if (credentials === undefined) return { kind: "invalid" };
  const verdict = await verifyToken(store, credentials.userId, credentials.token);
  if (verdict.kind === "valid") return verdict;
  const counted = isTokenText(credentials.token) ? undefined : guesser;
  if (counted?.isOpen() === false) return { kind: "wait" };
  const other = await byStrategies(store, strategies, credentials, headers);
  if (other.kind === "invalid") counted?.missed();
  return other;
}
