import { assert, assertEquals } from "@std/assert";
import {
  fuzzyMatches,
  fuzzyPattern,
  maxQueryLength,
  rankLogins,
  trigramDistance,
  trigrams,
} from "../../db/fuzzy.ts";

Deno.test("[channels 2.4] the pattern keeps the alphanumeric characters, anything between", () => {
  assertEquals(fuzzyPattern("abcd"), "%a%b%c%d%");
  assertEquals(fuzzyPattern("x y"), "%x%y%");
  assertEquals(fuzzyPattern(" z  "), "%z%");
  assertEquals(fuzzyPattern(""), "%");
  assertEquals(fuzzyPattern("50%_é-1"), "%5%0%é%1%");
});

Deno.test("[channels 2.4] a login matches with the characters in order, in any case", () => {
  assert(fuzzyMatches("CLR", "colorado"));
  assert(fuzzyMatches("c-l r", "California"));
  assert(!fuzzyMatches("rlc", "colorado"));
  // The work grows with the query, and it comes from anybody.
  assert(!fuzzyMatches("-".repeat(maxQueryLength) + "c", "colorado"));
  assert(fuzzyMatches("-".repeat(maxQueryLength - 1) + "c", "colorado"));
  assert(!fuzzyMatches("coo", "colrad"), "each character once");
  assert(fuzzyMatches("---", "anybody"));
});

Deno.test("[channels 2.4] trigrams are those of pg_trgm", () => {
  assertEquals(trigrams("Cat"), new Set(["  c", " ca", "cat", "at "]));
  assertEquals(trigrams("a-b"), new Set(["  a", " a ", "  b", " b "]));
  assertEquals(trigrams("--"), new Set());
  assertEquals(trigrams("É-a"), new Set(["  é", " é ", "  a", " a "]));
  // The example of Postgres' manual.
  assertEquals(trigramDistance("word", "two words").toFixed(6), (1 - 4 / 11).toFixed(6));
  assertEquals(trigramDistance("word", "WORD"), 0);
  assertEquals(trigramDistance("abc", "xyz"), 1);
  assertEquals(trigramDistance("", ""), 1);
});

Deno.test("[channels 2.4] the nearest login comes first, within the limit", () => {
  const logins = [
    ...["California", "colorado", "oregon", "washington", "florida", "delaware", "rhode-island"],
  ].map((login) => ({ login }));
  const ranked = (query: string, limit = 10) =>
    rankLogins(query, logins, limit).map((found) => found.login);
  assertEquals(ranked("clr"), ["colorado", "California"]);
  assertEquals(ranked("clr", 1), ["colorado"]);
  assertEquals(ranked("oregon"), ["oregon"]);
  assertEquals(ranked("zzz"), []);
});
