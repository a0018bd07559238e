/** Where the data of a server is that a test kills. */
import type { Store } from "../../db/store.ts";
import { TestPostgres } from "../support/postgres.ts";

/** One kind of database. */
export interface Place {
  /** To be put behind a test's name. */
  readonly name: string;
  readonly ignore: boolean;
  /** A new one; undefined for the file in the data folder. */
  database(): Promise<{ readonly url: string; readonly open: () => Promise<Store> } | undefined>;
}

/** SQLite and PostgreSQL, the latter one of its own, whose promise of what is stored is production's. */
export async function placesOfTests(): Promise<readonly Place[]> {
  const postgres = await TestPostgres.start();
  const skipped = typeof postgres === "string" ? ` (skipped: ${postgres})` : "";
  if (typeof postgres !== "string") Deno.test.afterAll(() => postgres[Symbol.asyncDispose]());
  return [
    { name: "", ignore: false, database: () => Promise.resolve(undefined) },
    {
      name: `, on PostgreSQL${skipped}`,
      ignore: typeof postgres === "string",
      async database() {
        const own = postgres as TestPostgres;
        const name = await own.create();
        return { url: own.urlOf(name), open: () => own.open(name) };
      },
    },
  ];
}
