/** Search of logins as the reference does it with Postgres' `pg_trgm`. [channels 2.4] */
import { maxLoginLength } from "./login.ts";

/** Longest text that is searched for: no login needs more, and the work grows with it. */
export const maxQueryLength = 8 * maxLoginLength;

/** The alphanumeric characters of a query, in order; a login matches if it has them in that order. */
function fuzzyCharacters(query: string): string[] {
  return query.match(/[\p{Alphabetic}\p{N}]/gu) ?? [];
}

/** The pattern for SQL's LIKE: `abcd` → `%a%b%c%d%`, nothing → `%`. */
export function fuzzyPattern(query: string): string {
  return ["", ...fuzzyCharacters(query), ""].join("%");
}

/**
 * True if the login has the query's alphanumeric characters in their order, whatever the case; never
 * for a query of more than {@link maxQueryLength}.
 */
export function fuzzyMatches(query: string, login: string): boolean {
  return query.length <= maxQueryLength &&
    hasInOrder(fuzzyCharacters(query.toLowerCase()), login.toLowerCase());
}

function hasInOrder(characters: readonly string[], text: string): boolean {
  let from = 0;
  for (const character of characters) {
    const at = text.indexOf(character, from);
    if (at < 0) return false;
    from = at + character.length;
  }
  return true;
}

const asciiWords = /[a-z0-9]+/g;
const words = /[\p{Alphabetic}\p{N}]+/gu;

/** The trigrams of a text: its words in lower case, two blanks before and one after each. */
export function trigrams(text: string): Set<string> {
  const found = new Set<string>();
  const lower = text.toLowerCase();
  // Logins are all ASCII, and every login that matches comes through here.
  const ascii = !/[\u0080-\uffff]/.test(lower);
  for (const word of lower.match(ascii ? asciiWords : words) ?? []) {
    if (ascii) {
      const padded = `  ${word} `;
      for (let i = 0; i + 3 <= padded.length; i++) found.add(padded.substring(i, i + 3));
    } else {
      const padded = [" ", " ", ...word, " "];
      for (let i = 0; i + 3 <= padded.length; i++) found.add(padded.slice(i, i + 3).join(""));
    }
  }
  return found;
}

/** 0 for texts with the same trigrams, 1 for texts with none in common. */
export function trigramDistance(a: string, b: string): number {
  return distance(trigrams(a), trigrams(b));
}

function distance(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const trigram of a) if (b.has(trigram)) common++;
  const all = a.size + b.size - common;
  return all === 0 ? 1 : 1 - common / all;
}

/** The candidates that match the query, nearest first (ties by login), at most `limit`. */
export function rankLogins<C extends { readonly login: string }>(
  query: string,
  candidates: Iterable<C>,
  limit: number,
): C[] {
  const characters = fuzzyCharacters(query.toLowerCase());
  const wanted = trigrams(query);
  const ranked: { candidate: C; distance: number }[] = [];
  for (const candidate of candidates) {
    if (!hasInOrder(characters, candidate.login.toLowerCase())) continue;
    ranked.push({ candidate, distance: distance(wanted, trigrams(candidate.login)) });
  }
  ranked.sort((a, b) =>
    a.distance - b.distance || (a.candidate.login < b.candidate.login ? -1 : 1)
  );
  return ranked.slice(0, limit).map((entry) => entry.candidate);
}
