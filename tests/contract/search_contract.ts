/** Searching among very many accounts. [channels 2.4a] */
import { assert, assertEquals } from "@std/assert";
import { rankLogins } from "../../db/fuzzy.ts";
import type { Store } from "../../db/store.ts";

const ACCOUNTS = 100_000;

/** SQL that makes the accounts, for both databases. */
export const manyAccounts = `
  with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${ACCOUNTS})
  insert into users (login, admin, connected_once, metrics_id, created_at)
  select 'user-' || n || '-' || (n * 7919 % 100003), false, false, '', 0 from numbers`;

/** What a search found, and what else had its turn meanwhile. */
interface Searched {
  readonly logins: readonly string[];
  /** Turns of the event loop. */
  readonly turns: number;
  /** Milliseconds, in all and from one turn to the next at most. */
  readonly took: number;
  readonly longest: number;
}

async function search(store: Store, query: string): Promise<Searched> {
  const begun = performance.now();
  let [turns, longest, last, over] = [0, 0, begun, false];
  const count = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const found = await store.searchUsers(query, 10);
  over = true;
  const took = performance.now() - begun;
  await new Promise<void>((resolve) => void setImmediate(resolve));
  return { logins: found.map(({ login }) => login), turns, took, longest };
}

/** Everything is searched, the nearest come first, and the event loop turns all the while. */
export async function searchesMany(store: Store): Promise<void> {
  const all = (await store.allUsers()).map(({ login }) => ({ login }));
  assertEquals(all.length, ACCOUNTS);
  for (const query of ["u12", "user", "99999", "user-100000-", "user-5", "no such user"]) {
    const { logins, turns, took, longest } = await search(store, query);
    assertEquals(logins, rankLogins(query, all, 10).map(({ login }) => login), query);
    assert(turns >= ACCOUNTS / 1000, `"${query}" let the event loop turn ${turns} times only`);
    // deno-lint-ignore no-console -- a figure, not a condition
    console.log(
      `${store.dialect}: "${query}" among ${ACCOUNTS} accounts took ${took.toFixed(0)} ms, ` +
        `at most ${longest.toFixed(1)} ms at a time`,
    );
  }
}
