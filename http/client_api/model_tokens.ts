/** Tokens for a model proxy that stands behind this server: short-lived JWTs. [transport 9] */
import { errors, jwtVerify, SignJWT } from "jose";
import { MODELS_UNAVAILABLE, type ModelTokenRequest } from "../../actors/account_policy.ts";
import type { User } from "../../db/store.ts";
import type { Secret } from "../../lib/setting.ts";

/** Seconds that a token is good for. */
const LIFETIME = 3600;
const ALGORITHM = "HS256";

/** What is said to whoever asks for models that are not there. [transport 9.5] */
export const NO_MODELS = {
  code: "models_unavailable",
  message: MODELS_UNAVAILABLE,
} as const;

/** What the claims say besides the account. */
export interface ModelTokenFacts extends ModelTokenRequest {
  /** Unix milliseconds. */
  readonly now: number;
  readonly isStaff: boolean;
}

/** A signed token with the claims of the specification, good for an hour. [transport 9.1] */
export function createModelToken(
  secret: Secret,
  user: User,
  facts: ModelTokenFacts,
): Promise<string> {
  const issued = Math.floor(facts.now / 1000);
  return new SignJWT({
    userId: user.id,
    ...(facts.systemId !== null && { systemId: facts.systemId }),
    ...(facts.organizationId !== null && { organizationId: facts.organizationId }),
    metricsId: user.metricsId,
    githubUserLogin: user.login,
    accountCreatedAt: new Date(user.createdAt).toISOString(),
    isStaff: facts.isStaff,
    hasLlmClosedBetaFeatureFlag: false,
    bypassAccountAgeCheck: true,
    useLlmRequestQueue: false,
    plan: "free",
    hasExtendedTrial: false,
    subscriptionPeriod: null,
    enableModelRequestOverages: false,
    modelRequestOveragesSpendLimitInCents: 0,
    canUseWebSearchTool: false,
    hasOverdueInvoices: false,
  })
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
    .setIssuedAt(issued).setExpirationTime(issued + LIFETIME).setJti(crypto.randomUUID())
    .sign(keyOf(secret));
}

/** What became of a token: one that is only too old is to be had anew. [transport 9.3] */
export async function checkModelToken(
  secret: Secret,
  token: string,
  now: number,
): Promise<"valid" | "expired" | "invalid"> {
  try {
    await jwtVerify(token, keyOf(secret), { algorithms: [ALGORITHM], currentDate: new Date(now) });
    return "valid";
  } catch (error) {
    if (error instanceof errors.JWTExpired) return "expired";
    if (error instanceof errors.JOSEError) return "invalid";
    throw error;
  }
}

function keyOf(secret: Secret): Uint8Array {
  return new TextEncoder().encode(secret.reveal());
}
