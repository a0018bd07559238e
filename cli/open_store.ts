/** Opens the database that a command works on; only its own driver is loaded. */
import type { Store } from "../db/store.ts";
import type { DatabaseLocation } from "../lib/setting.ts";

/** How a command opens it. */
export interface OpenOptions {
  /** Told in one sentence what an owner should know. */
  readonly notice?: (message: string) => void;
  /** Whether no server may run on it meanwhile, where the database can tell. */
  readonly exclusive?: boolean;
}

/** Opens a database and brings it up to date. */
export async function openStore(
  database: DatabaseLocation,
  options: OpenOptions = {},
): Promise<Store> {
  if (database.kind === "sqlite") {
    const { openSqlite } = await import("../db/sqlite/open.ts");
    return await openSqlite({ path: database.path, ...options });
  }
  const { openPostgres } = await import("../db/postgres/open.ts");
  const { url, name } = database;
  return await openPostgres({ url: url.reveal(), name, connections: 1, ...options });
}
