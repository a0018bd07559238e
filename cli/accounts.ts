/** The accounts of a data folder, wherever they can be changed: in its server or in its database. */
import { z } from "zod";
import {
  type AccountSummary,
  type AccountToken,
  addToken,
  addUsers,
  inviteUser,
  listUsers,
  removeUser,
  setPassword,
  signOutUser,
} from "../db/accounts.ts";
import { Passwords } from "../db/passwords.ts";
import type { Seeded, SeedTree } from "../http/api/seeding.ts";
import { openStore } from "./open_store.ts";
import { seedInDatabase } from "./seed_in_database.ts";
import { readRunningServer, type RunningServer } from "../http/running_server.ts";
import type { DataConfig } from "../lib/data_location.ts";
import { DataDirError, isDataDirLocked, makeDataDir } from "../lib/data_dir.ts";

/** What can be done with accounts. Errors have messages for people. */
export interface Accounts {
  add(logins: readonly string[], admin: boolean): Promise<AccountToken[]>;
  list(): Promise<AccountSummary[]>;
  addToken(login: string): Promise<AccountToken>;
  /** Also ends the account's connections where a server runs. */
  remove(login: string): Promise<AccountName>;
  /** Makes a link for choosing a password; an account that is not there is created. */
  invite(login: string, admin: boolean): Promise<InvitationLink>;
  setPassword(login: string, password: string): Promise<AccountName>;
  /** Ends tokens, browser sessions and, where a server runs, connections. */
  signOut(login: string): Promise<AccountName>;
  /** Looks whether channels could be made; makes nothing. */
  checkChannels(trees: readonly SeedTree[]): Promise<unknown>;
  /** Makes what is missing of channels and their members. */
  seedChannels(trees: readonly SeedTree[]): Promise<Seeded>;
  close(): Promise<void>;
}

/** Whose account it was. */
export interface AccountName {
  readonly id: number;
  readonly login: string;
}

/** A link for choosing a password. */
export interface InvitationLink extends AccountName {
  readonly url: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** A running server refused, or did not answer. */
export class ServerRefusedError extends Error {
  override readonly name = "ServerRefusedError";
}

/**
 * How long a server may take to answer, in milliseconds: tokens of accounts that it makes are in the
 * answer only, so whoever gives up too early has accounts without them.
 *
 * @param accounts accounts that are made
 */
export function patience(accounts = 0): number {
  return 10_000 + 200 * accounts;
}

/**
 * Opens the accounts of a data folder: through its server if one runs, else in the database itself.
 *
 * @param notice is told what an owner should know.
 * @param publicUrl what links begin with where no server runs that knows.
 */
export async function openAccounts(
  config: DataConfig,
  notice: (message: string) => void,
  publicUrl = "<server_url>",
): Promise<Accounts> {
  // The lock tells for sure; server.json may be left from a server that was killed.
  if (await isDataDirLocked(config.dataDir)) {
    const server = await readRunningServer(config.dataDir);
    if (server !== undefined) return accountsOfServer(server);
  }
  return await inDatabase(config, notice, publicUrl);
}

async function inDatabase(
  config: DataConfig,
  notice: (message: string) => void,
  publicUrl: string,
): Promise<Accounts> {
  const { database } = config;
  if (database.kind === "sqlite" && database.path === ":memory:") {
    throw new DataDirError(
      "Cannot reach the accounts: the database is in the memory of a server, and none runs on " +
        `${config.dataDir}; start it first`,
    );
  }
  if (database.kind === "sqlite") await makeDataDir(config.dataDir);
  const store = await openStore(database, { notice });
  return {
    add: (logins, admin) => addUsers(store, logins, { admin }),
    list: () => listUsers(store),
    addToken: (login) => addToken(store, login),
    remove: (login) => removeUser(store, login),
    async invite(login, admin) {
      const { path, ...invited } = await inviteUser(store, login, { admin, now: Date.now() });
      return { ...invited, url: publicUrl + path };
    },
    setPassword: (login, password) => setPassword(store, new Passwords(), login, password),
    signOut: (login) => signOutUser(store, login),
    checkChannels: (trees) => seedInDatabase(config, store, trees, { check: true }),
    seedChannels: (trees) => seedInDatabase(config, store, trees),
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
const accountName = z.object({ id: z.int(), login: z.string() });
const invitationLink = accountName.extend({ url: z.string(), expiresAt: z.int() });
const seeded = z.object({ channels: z.int(), members: z.int() });
const refusal = z.object({ error: z.string() });

/** The accounts of a running server, changed by it. */
export function accountsOfServer(server: RunningServer): Accounts {
  const ask = async <T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: unknown,
    accounts?: number,
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
        signal: AbortSignal.timeout(patience(accounts)),
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
    add: (logins, admin) =>
      ask("POST", "users", z.array(accountToken), { logins, admin }, logins.length),
    list: () => ask("GET", "users", z.array(accountSummary)),
    addToken: (login) => ask("POST", `users/${encodeURIComponent(login)}/token`, accountToken),
    remove: (login) => ask("DELETE", `users/${encodeURIComponent(login)}`, accountName),
    invite: (login, admin) =>
      ask("POST", `users/${encodeURIComponent(login)}/invitation`, invitationLink, { admin }),
    setPassword: (login, password) =>
      ask("POST", `users/${encodeURIComponent(login)}/password`, accountName, { password }),
    signOut: (login) => ask("POST", `users/${encodeURIComponent(login)}/signout`, accountName),
    checkChannels: (trees) => ask("POST", "channels", seeded, { channels: trees, check: true }),
    seedChannels: (trees) => ask("POST", "channels", seeded, { channels: trees }),
    close: () => Promise.resolve(),
  };
}
