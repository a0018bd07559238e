/** The secrets that clients sign in with: only their hashes are kept. [transport 5] */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Store, User } from "./store.ts";

/**
 * Tokens that a user may have at once; the oldest makes room for a new one. Twice the reference's
 * number, so that a new device does not soon sign out an old one. [transport 5.1.3]
 */
export const maxTokensPerUser = 16;

const secretBytes = 48;
const hashPrefix = "$sha256$";
/** A token of ours is about 100 characters; a longer text is not worth parsing. */
const maxTokenLength = 512;

const tokenText = z.object({
  version: z.literal(1),
  id: z.int().positive(),
  token: z.string(),
});

/** What became of a user's token. */
export type Verdict =
  | {
    readonly kind: "valid";
    readonly user: User;
    /** The admin who signs in as the user, or null for the user in person. [transport 5.3] */
    readonly impersonatorId: number | null;
    /** The token that proved it; null for what else the server accepts. */
    readonly tokenId: number | null;
  }
  | { readonly kind: "invalid" };

const invalid: Verdict = { kind: "invalid" };

/** What is stored of a secret. [transport 5.1.2] */
export function hashSecret(secret: string): string {
  const digest = createHash("sha256").update(secret).digest("base64");
  return hashPrefix + digest.replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * Makes a token for a user and forgets the oldest beyond {@link maxTokensPerUser}.
 *
 * @param impersonatorId the admin who signs in as the user
 * @param label what the user knows it by in the list of his devices
 * @returns the text for the client, which cannot be had again. [transport 5.1.1]
 */
export async function createToken(
  store: Store,
  userId: number,
  impersonatorId: number | null = null,
  label: string | null = null,
): Promise<string> {
  const secret = randomBytes(secretBytes).toString("base64url");
  const { id } = await store.createAccessToken(
    { userId, impersonatorId, hash: hashSecret(secret), label },
    maxTokensPerUser,
  );
  return JSON.stringify({ version: 1, id, token: secret });
}

/**
 * Checks the token that somebody gave for a user. [transport 5.2]
 *
 * @throws when the database does not answer: that says nothing about the token, and a client that is
 * told "invalid" forgets it. [transport 5.4.0]
 */
export async function verifyToken(store: Store, userId: number, token: string): Promise<Verdict> {
  const parsed = parseToken(token);
  if (parsed === undefined) return invalid;
  const row = await store.accessToken(parsed.id);
  if (row === undefined || row.userId !== userId) return invalid;
  if (!equalInConstantTime(row.hash, hashSecret(parsed.token))) return invalid;
  const user = await store.user(userId);
  // Removed since the line before, or shut out by an administrator.
  if (user === undefined || user.disabledAt !== null) return invalid;
  store.noteTokenUse(row.id);
  return { kind: "valid", user, impersonatorId: row.impersonatorId, tokenId: row.id };
}

/** Whether a text is made as tokens of this server are, be it good or not. */
export function isTokenText(text: string): boolean {
  return parseToken(text) !== undefined;
}

function parseToken(text: string): { id: number; token: string } | undefined {
  if (text.length > maxTokenLength) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return tokenText.safeParse(json).data;
}

function equalInConstantTime(a: string, b: string): boolean {
  const [x, y] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
