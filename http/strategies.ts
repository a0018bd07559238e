/** What is accepted as a user's token besides those that this server gives out. [transport 5.3] */
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from "jose";
import type { Verdict } from "../db/access_tokens.ts";
import type { Store, User } from "../db/store.ts";
import type { AuthConfig } from "../lib/config.ts";
import type { Secret } from "../lib/setting.ts";
import { equalSecrets } from "./api_token.ts";
import type { Credentials } from "./credentials.ts";

/** Seconds by which the clocks of two machines may differ. */
const CLOCK_TOLERANCE = 30;

/**
 * Whether credentials prove that somebody is the user whose id they name.
 *
 * @throws when that cannot be told now: it is no verdict. [transport 5.4.0]
 */
export type Strategy = (
  credentials: Credentials,
  user: User,
  headers: Headers,
) => Promise<boolean> | boolean;

/** The strategies that a configuration asks for. */
export function strategiesOf(
  { auth, apiToken }: { readonly auth: AuthConfig; readonly apiToken: Secret | undefined },
): readonly Strategy[] {
  const strategies: Strategy[] = [];
  if (apiToken !== undefined) strategies.push(apiTokenStrategy(apiToken));
  switch (auth.kind) {
    case "jwt":
      strategies.push(jwtStrategy(auth));
      break;
    case "shared-secret":
      strategies.push(({ token }) => equalSecrets(token, auth.secret.reveal()));
      break;
    case "none":
      // A proxy's requests come from elsewhere, whatever the address that they come from.
      strategies.push((_credentials, _user, headers) =>
        !headers.has("x-forwarded-for") && !headers.has("forwarded") && !headers.has("via")
      );
  }
  return strategies;
}

/**
 * `ADMIN_TOKEN:<API_TOKEN>`, for any user: what developers' clients of June 2025 send. It opens no
 * more than the route for impersonation does. [transport 5.2.2]
 */
function apiTokenStrategy(apiToken: Secret): Strategy {
  const prefix = "ADMIN_TOKEN:";
  return ({ token }) =>
    token.startsWith(prefix) && equalSecrets(token.slice(prefix.length), apiToken.reveal());
}

/** A JWT of somebody else's, one claim of which is the user's login. */
function jwtStrategy(auth: AuthConfig & { readonly kind: "jwt" }): Strategy {
  const { key } = auth;
  const options = {
    issuer: auth.issuer,
    audience: auth.audience,
    clockTolerance: CLOCK_TOLERANCE,
    requiredClaims: ["exp", auth.claim],
  };
  let verify: (token: string) => Promise<{ payload: JWTPayload }>;
  if (key.kind === "secret") {
    const secret = new TextEncoder().encode(key.secret.reveal());
    verify = (token) => jwtVerify(token, secret, { ...options, algorithms: ["HS256"] });
  } else {
    const jwks = createRemoteJWKSet(new URL(key.url), { [customFetch]: fetchKeys });
    // Never a shared secret: the public key would be taken for it.
    const algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
    verify = (token) => jwtVerify(token, jwks, { ...options, algorithms });
  }
  return async ({ token }, user) => {
    try {
      const login = (await verify(token)).payload[auth.claim];
      return typeof login === "string" && login.toLowerCase() === user.login.toLowerCase();
    } catch (error) {
      if (error instanceof errors.JOSEError && !isTrouble(error)) return false;
      throw error;
    }
  };
}

/** A refusal is trouble of ours; its body is let go, or it would keep its connection. */
async function fetchKeys(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (response.ok) return response;
  await response.body?.cancel();
  throw new Error(`Cannot get the keys of JWTs: ${url} answered ${response.status}`);
}

/** The keys could not be had, which says nothing about the token. */
function isTrouble(error: errors.JOSEError): boolean {
  // A general error is what jose makes of an answer that is no JSON.
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid ||
    error.code === "ERR_JOSE_GENERIC";
}

/** The verdict of the first strategy that says yes. */
export async function byStrategies(
  store: Store,
  strategies: readonly Strategy[],
  credentials: Credentials,
  headers: Headers,
): Promise<Verdict> {
  const user = strategies.length === 0 ? undefined : await store.user(credentials.userId);
  if (user === undefined || user.disabledAt !== null) return { kind: "invalid" };
  for (const strategy of strategies) {
    if (await strategy(credentials, user, headers)) {
      return { kind: "valid", user, impersonatorId: null, tokenId: null };
    }
  }
  return { kind: "invalid" };
}
