/** The part of the store about accounts, by the queries that both databases answer alike. */
import type { Kysely } from "kysely";
import type { Clock } from "../lib/clock.ts";
import { AdminRows } from "./admin_rows.ts";
import type { AdminStore } from "./admin_store.ts";
import { ExtensionRows } from "./extension_rows.ts";
import type { ExtensionStore } from "./extension_store.ts";
import { maxQueryLength, rankLogins } from "./fuzzy.ts";
import { MessageRows } from "./message_rows.ts";
import type { MessageStore } from "./message_store.ts";
import * as queries from "./queries.ts";
import { accessTokenOf, notificationOf, readRow, type SqlRow, userOf } from "./read_rows.ts";
import type { Schema } from "./schema.ts";
import { type QueryRunner, SignInRows } from "./sign_in_rows.ts";
import type { SignInStore } from "./sign_in_store.ts";
import { AgentRows, deleteAgentEventsOf } from "./agent_rows.ts";
import type { AgentStore } from "./agent_store.ts";
import {
  type AccessToken,
  LoginTakenError,
  StoreUnavailableError,
  type User,
  type UserChange,
} from "./store.ts";
import { accountTables, type AnyRowOf, type AnyTableName, type RowOf, tables } from "./tables.ts";
import { TokenUses } from "./token_uses.ts";

/** Accounts that a search looks at in one go: no more than a few milliseconds' work. */
const accountsAtOnce = 500;

interface LoginRow {
  readonly id: bigint;
  readonly login: string;
}

/** What a driver has to do for it is {@link ask} and {@link askTogether}. */
export abstract class AccountRows {
  protected readonly kysely: Kysely<Schema>;
  protected readonly clock: Clock;
  readonly signIn: SignInStore;
  readonly admin: AdminStore;
  readonly extensions: ExtensionStore;
  readonly messages: MessageStore;
  readonly agents: AgentStore;
  readonly #tokenUses = new TokenUses();

  constructor(kysely: Kysely<Schema>, clock: Clock) {
    this.kysely = kysely;
    this.clock = clock;
    this.messages = new MessageRows(kysely, (query) => this.ask(query));
    this.agents = new AgentRows(kysely, (query) => this.ask(query));
    const runner: QueryRunner = {
      kysely,
      now: () => clock.now(),
      ask: (table, query) => this.#rowsOf(table, query),
      run: async (...queries) => void await this.askTogether(...queries),
    };
    this.signIn = new SignInRows(runner);
    this.admin = new AdminRows(runner);
    this.extensions = new ExtensionRows(runner);
  }

  /** Runs one query. */
  protected abstract ask(query: queries.Rows): Promise<SqlRow[]>;

  /** Runs several queries in one transaction. */
  protected abstract askTogether(...several: readonly queries.Rows[]): Promise<SqlRow[][]>;

  abstract users(ids: readonly number[]): Promise<User[]>;

  async startEpoch(): Promise<number> {
    const [row] = await this.ask(queries.insertServer(this.kysely, this.clock.now()));
    return Number(row!.id);
  }

  async createUser(
    user: { login: string; admin: boolean; name?: string | null; email?: string | null },
  ): Promise<User> {
    const query = queries.insertUser(this.kysely, {
      login: user.login,
      name: user.name ?? null,
      email: user.email ?? null,
      admin: user.admin,
      metricsId: crypto.randomUUID(),
      createdAt: this.clock.now(),
    });
    try {
      const [row] = await this.ask(query);
      return userOf(readRow(accountTables.users.columns, row!));
    } catch (error) {
      if (await this.#isTaken(error, user.login)) throw new LoginTakenError(user.login);
      throw error;
    }
  }

  async user(id: number): Promise<User | undefined> {
    return (await this.users([id]))[0];
  }

  async userByLogin(login: string): Promise<User | undefined> {
    return (await this.#users(queries.userByLogin(this.kysely, login)))[0];
  }

  async allUsers(): Promise<User[]> {
    return await this.#users(queries.allUsers(this.kysely));
  }

  async updateUser(id: number, change: UserChange): Promise<User | undefined> {
    if (Object.values(change).every((value) => value === undefined)) return await this.user(id);
    return (await this.#users(queries.updateUser(this.kysely, id, change)))[0];
  }

  async removeUser(id: number): Promise<boolean> {
    const [, , , removed] = await this.askTogether(
      deleteAgentEventsOf(this.kysely, id),
      queries.deleteNotificationsAbout(this.kysely, id),
      queries.deleteMentionsBy(this.kysely, id),
      queries.deleteUser(this.kysely, id),
    );
    return removed!.length > 0;
  }

  async setConnectedOnce(id: number): Promise<void> {
    await this.ask(queries.updateConnectedOnce(this.kysely, id));
  }

  async searchUsers(query: string, limit: number): Promise<User[]> {
    if (query === "" || query.length > maxQueryLength) return [];
    if (new TextEncoder().encode(query).length < 3) {
      return await this.#users(queries.userByExactLogin(this.kysely, query));
    }
    const ranked = (await this.#nearest(query, limit)).map(({ id }) => Number(id));
    const found = await this.users(ranked);
    return found.sort((a, b) => ranked.indexOf(a.id) - ranked.indexOf(b.id));
  }

  /** Goes through all accounts, part by part: between two of them other work gets its turn. */
  async #nearest(query: string, limit: number): Promise<readonly LoginRow[]> {
    let nearest: readonly LoginRow[] = [];
    for (let last = 0;;) {
      const part = await this.ask(
        queries.loginsLike(this.kysely, query, last, accountsAtOnce),
      ) as unknown as readonly LoginRow[];
      if (part.length === 0) return nearest;
      nearest = rankLogins(query, [...nearest, ...part], limit);
      last = Number(part.at(-1)!.id);
      await new Promise<void>((resolve) => this.clock.setImmediate(resolve));
    }
  }

  async createAccessToken(
    token: { userId: number; impersonatorId: number | null; hash: string; label?: string | null },
    keep: number,
  ): Promise<AccessToken> {
    const [rows] = await this.askTogether(
      queries.insertAccessToken(this.kysely, {
        ...token,
        label: token.label ?? null,
        createdAt: this.clock.now(),
      }),
      queries.deleteOldAccessTokens(this.kysely, token.userId, token.impersonatorId, keep),
    );
    return accessTokenOf(readRow(accountTables.access_tokens.columns, rows![0]!));
  }

  async accessTokensOf(userId: number): Promise<AccessToken[]> {
    await this.writeTokenUses();
    const query = queries.accessTokensOf(this.kysely, userId);
    return (await this.#rowsOf("access_tokens", query)).map(accessTokenOf);
  }

  noteTokenUse(id: number): void {
    if (this.#tokenUses.note(id, this.clock.now())) void this.writeTokenUses();
  }

  async removeAccessToken(userId: number, id: number): Promise<boolean> {
    const query = queries.deleteAccessToken(this.kysely, userId, id);
    return (await this.ask(query)).length > 0;
  }

  async removeAccessTokens(userId: number): Promise<void> {
    await this.ask(queries.deleteAccessTokens(this.kysely, userId));
  }

  async notificationsOf(
    userId: number,
    beforeId: number | null,
    limit: number,
  ): Promise<RowOf<"notifications">[]> {
    const query = queries.notificationsOf(this.kysely, userId, beforeId, limit);
    return (await this.ask(query)).reverse().map(notificationOf);
  }

  async unreadNotification(
    userId: number,
    kind: string,
    entityId: number,
  ): Promise<RowOf<"notifications"> | undefined> {
    const [row] = await this.ask(
      queries.unreadNotification(this.kysely, userId, kind, entityId),
    );
    return row && notificationOf(row);
  }

  /** Never fails: nobody waits for it, and a database that takes no writes may still let users in. */
  protected async writeTokenUses(): Promise<void> {
    const uses = this.#tokenUses.take();
    if (uses.length === 0) return;
    const writes = uses.map((use) => queries.updateTokenUse(this.kysely, ...use));
    await this.askTogether(...writes).catch(() => {});
  }

  async #users(query: queries.Rows): Promise<User[]> {
    return (await this.#rowsOf("users", query)).map(userOf);
  }

  async #rowsOf<T extends AnyTableName>(table: T, query: queries.Rows): Promise<AnyRowOf<T>[]> {
    const { columns } = { ...tables, ...accountTables }[table];
    return (await this.ask(query)).map((row) => readRow(columns, row));
  }

  async #isTaken(error: unknown, login: string): Promise<boolean> {
    return !(error instanceof StoreUnavailableError) &&
      await this.userByLogin(login) !== undefined;
  }
}
