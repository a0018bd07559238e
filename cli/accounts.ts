/** The accounts of a data folder, wherever they can be changed: in its server or in its database. */
import { z } from "zod";
import {
  type AccountSummary,
  type AccountToken,
  addToken,
  addUsers,
  listUsers,
  removeUser,
} from "../db/accounts.ts";
import { openSqlite } from "../db/sqlite/open.ts";
import { readRunningServer, type RunningServer } from "../http/running_server.ts";
import type { DataConfig } from "../lib/config.ts";
import { DataDirError, isDataDirLocked, makeDataDir } from "../lib/data_dir.ts";

/** What can be done with accounts. Errors have messages for people. */
export interface Accounts {
  add(logins: readonly string[], admin: boolean): Promise<AccountToken[]>;
  list(): Promise<AccountSummary[]>;
  addToken(login: string): Promise<AccountToken>;
  /** Also ends the account's connections where a server runs. */
  remove(login: string): Promise<{ readonly id: number; readonly login: string }>;
  close(): Promise<void>;
}

/** A running server refused, or did not answer. */
export class ServerRefusedError extends Error {
  override readonly name = "ServerRefusedError";
}

/** How long a server may take to answer, in milliseconds. */
const patience = 10_000;

/**
 * Opens the accounts of a data folder: through its server if one runs, else in the database itself.
 *
 * @param notice is told what an owner should know.
 */
export async function openAccounts(
  config: DataConfig,
  notice: (message: string) => void,
): Promise<Accounts> {
  // The lock tells for sure; server.json may be left from a server that was killed.
  if (await isDataDirLocked(config.dataDir)) {
    const server = await readRunningServer(config.dataDir);
    if (server !== undefined) return accountsOfServer(server);
  }
  return await inDatabase(config, notice);
}

async function inDatabase(
  config: DataConfig,
  notice: (message: string) => void,
): Promise<Accounts> {
  if (config.database.path === ":memory:") {
    throw new DataDirError(
      "Cannot reach the accounts: the database is in the memory of a server, and none runs on " +
        `${config.dataDir}; start it first`,
    );
  }
  await makeDataDir(config.dataDir);
  const store = await openSqlite({ path: config.database.path, notice });
  return {
    add: (logins, admin) => addUsers(store, logins, { admin }),
    list: () => listUsers(store),
    addToken: (login) => addToken(store, login),
    remove: (login) => removeUser(store, login),
    close: () => store.close(),
  };
}

const accountToken = z.object({ id: z.int(), login: z.string(), token: z.string() });
const accountSummary = z.object({
  id: z.int(),
  login: z.string(),
  admin: z.boolean(),
  createdAt: z.int(),
});
const refusal = z.object({ error: z.string() });

/** The accounts of a running server, changed by it. */
export function accountsOfServer(server: RunningServer): Accounts {
  const ask = async <T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: unknown,
  ): Promise<T> => {
    const what = `Cannot reach the server that runs on this data folder (process ${server.pid})`;
    let status: number;
    let json: unknown;
    try {
      const response = await fetch(new URL(`/internal/admin/${path}`, server.url), {
        method,
        headers: { authorization: `Bearer ${server.adminSecret}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "manual",
        signal: AbortSignal.timeout(patience),
      });
      status = response.status;
      json = await response.json();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ServerRefusedError(`${what}: ${reason}; restart it`, { cause: error });
    }
    if (status !== 200) {
      const said = refusal.safeParse(json).data?.error;
      throw new ServerRefusedError(said ?? `${what}: it answered ${status}; look into its log`);
    }
    return schema.parse(json);
  };
  return {
    add: (logins, admin) => ask("POST", "users", z.array(accountToken), { logins, admin }),
    list: () => ask("GET", "users", z.array(accountSummary)),
    addToken: (login) => ask("POST", `users/${encodeURIComponent(login)}/token`, accountToken),
    remove: (login) =>
      ask(
        "DELETE",
        `users/${encodeURIComponent(login)}`,
        z.object({ id: z.int(), login: z.string() }),
      ),
    close: () => Promise.resolve(),
  };
}
