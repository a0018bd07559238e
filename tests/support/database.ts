import { TestPostgres } from "./postgres.ts";

/** A database of one server's own on PostgreSQL. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** By data folder: a server that starts again on it finds its database again. */
const databases = new Map<string, TestDatabase>();

/**
 * The database of a data folder where `PARLEY_TEST_DATABASE` is `postgres`; undefined where servers
 * have the one in their folder. `tests/on_postgres.ts` sets it for a whole run.
 */
export async function databaseOfTests(dataDir: string): Promise<TestDatabase | undefined> {
  if (Deno.env.get("PARLEY_TEST_DATABASE") !== "postgres") return undefined;
  let database = databases.get(dataDir);
  if (database === undefined) {
    const postgres = await TestPostgres.start();
    if (typeof postgres === "string" || !postgres.given) {
      throw new Error("Cannot test on PostgreSQL by itself: run tests/on_postgres.ts");
    }
    const name = await postgres.create();
    database = {
      url: postgres.urlOf(name),
      drop: async () => {
        databases.delete(dataDir);
        await postgres.drop(name);
      },
    };
    databases.set(dataDir, database);
  }
  return database;
}
