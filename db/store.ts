/**
 * The port to the database. Actors write through {@link Store.commit} (by way of the journal) and
 * read through the named queries; what a driver does below it is its own business.
 */
import type { AdminStore } from "./admin_store.ts";
import type { ExtensionStore } from "./extension_store.ts";
import type { MessageStore } from "./message_store.ts";
import type { AgentStore } from "./agent_store.ts";
import type { SignInStore } from "./sign_in_store.ts";
import type { RowOf, TableName } from "./tables.ts";

/** Insert a row, or replace the one with the same key. */
export type Put = { [T in TableName]: { op: "put"; table: T; row: RowOf<T> } }[TableName];

/** Remove every row whose key starts with the given columns (a leading part of the key). */
export type Remove = {
  [T in TableName]: { op: "remove"; table: T; key: Partial<RowOf<T>> };
}[TableName];

/**
 * Remove the rows whose key starts with the given columns and goes on with a number from `from` up
 * to below `to`.
 */
export type Cut = {
  [T in TableName]: {
    op: "cut";
    table: T;
    key: Partial<RowOf<T>>;
    from: number;
    to: number;
  };
}[TableName];

export type Write = Put | Remove | Cut;

/** What one actor wrote in one turn: all of it is stored, or none (a savepoint of its own). */
export interface WriteGroup {
  /** Address of the actor, `/rooms/3`. */
  readonly actor: string;
  readonly writes: readonly Write[];
  /** Places of earlier groups of the transaction that this one builds on: it is refused with them. */
  readonly buildsOn?: readonly number[];
}

/** A group that was rolled back while the others of the transaction were stored. */
export interface RefusedGroup {
  readonly index: number;
  readonly error: Error;
}

export interface User {
  readonly id: number;
  readonly login: string;
  readonly name: string | null;
  readonly avatarUrl: string | null;
  readonly admin: boolean;
  readonly connectedOnce: boolean;
  /** UUID that clients know as metrics id. */
  readonly metricsId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly email: string | null;
  /** Whether Zed takes the user for staff; null leaves it to the settings. */
  readonly staff: boolean | null;
  /** Since when nobody can sign in with the account, Unix milliseconds. */
  readonly disabledAt: number | null;
}

export interface AccessToken {
  readonly id: number;
  /** Who the token signs in. */
  readonly userId: number;
  /** The admin who made it for somebody else, or null. */
  readonly impersonatorId: number | null;
  /** `$sha256$` + base64url of the SHA-256 of the secret. [transport 5.1.2] */
  readonly hash: string;
  readonly createdAt: number;
  /** What its owner knows it by. */
  readonly label: string | null;
  /** Unix milliseconds, a minute late at most; null for one that was never used. */
  readonly lastUsedAt: number | null;
}

/** What of an account may change; what is left out stays. */
export interface UserChange {
  readonly name?: string | null;
  readonly avatarUrl?: string | null;
  readonly admin?: boolean;
  readonly email?: string | null;
  readonly staff?: boolean | null;
  readonly disabledAt?: number | null;
}

/**
 * The database cannot take writes at all (disk full, I/O error, connection lost): nothing of the
 * transaction was stored.
 */
export class StoreUnavailableError extends Error {
  override readonly name: string = "StoreUnavailableError";
}

/**
 * The database cannot be reached for now. Whether the transaction at hand was stored is not known:
 * the same groups may be committed again, since a put replaces and a removal removes what is there.
 */
export class StoreAwayError extends StoreUnavailableError {
  override readonly name = "StoreAwayError";
}

/** The database has been written by a newer program than this one. */
export class StoreTooNewError extends Error {
  override readonly name = "StoreTooNewError";
}

export interface Store {
  readonly dialect: "sqlite" | "postgres";

  /**
   * Stores the groups in one transaction, in order, each in a savepoint of its own, and returns
   * those that the database refused (their writes are rolled back, the others' kept). What builds on
   * a refused group, as all does that its actor wrote behind it, is refused with it.
   *
   * An embedded database answers at once, a remote one with a promise.
   *
   * @throws {StoreUnavailableError} when the transaction as a whole could not be stored.
   * @throws {StoreAwayError} when it may help to commit the same groups again.
   */
  commit(groups: readonly WriteGroup[]): readonly RefusedGroup[] | Promise<readonly RefusedGroup[]>;

  /** Rows whose key starts with the given columns, in key order; all rows without `key`. */
  load<T extends TableName>(table: T, key?: Partial<RowOf<T>>): Promise<RowOf<T>[]>;

  /** Rows of any table by any of its columns (restart: `projects` by `room_id`). */
  loadWhere<T extends TableName>(table: T, where: Partial<RowOf<T>>): Promise<RowOf<T>[]>;

  /** Registers a start of the server and returns its epoch, greater than every earlier one. [rooms 1.1] */
  startEpoch(): Promise<number>;

  /** One trivial query, for `/healthz`. @throws when the database does not answer. */
  ping(): Promise<void>;

  /** What signing in with a browser keeps. */
  readonly signIn: SignInStore;
  /** What administration keeps. */
  readonly admin: AdminStore;

  /** What the registry of extensions keeps. */
  readonly extensions: ExtensionStore;

  /** What is said in the chats of channels. */
  readonly messages: MessageStore;

  /** Threads of agents: what has to be found otherwise than by a key. */
  readonly agents: AgentStore;

  // Accounts. Written at once, not through the journal: no actor owns them.

  /** @throws {LoginTakenError} */
  createUser(
    user: { login: string; admin: boolean; name?: string | null; email?: string | null },
  ): Promise<User>;
  user(id: number): Promise<User | undefined>;
  userByLogin(login: string): Promise<User | undefined>;
  users(ids: readonly number[]): Promise<User[]>;
  allUsers(): Promise<User[]>;
  /** @returns the account as it is now; undefined if there is none. */
  updateUser(id: number, change: UserChange): Promise<User | undefined>;
  /** Removes the account with its tokens, contacts and notifications; false if there was none. */
  removeUser(id: number): Promise<boolean>;
  setConnectedOnce(id: number): Promise<void>;
  /** [channels 2.4] without the caller's removal: exact below 3 bytes, fuzzy (≤ `limit`) from 3. */
  searchUsers(query: string, limit: number): Promise<User[]>;

  /** Stores a token's hash and forgets all but the user's newest `keep` tokens. */
  createAccessToken(
    token: { userId: number; impersonatorId: number | null; hash: string; label?: string | null },
    keep: number,
  ): Promise<AccessToken>;
  accessToken(id: number): Promise<AccessToken | undefined>;
  /** The user's tokens, newest first, also those that an admin has made. */
  accessTokensOf(userId: number): Promise<AccessToken[]>;
  /** Notes that a token is used now; cheap, and written down later. */
  noteTokenUse(id: number): void;
  /** False if the user has no such token. */
  removeAccessToken(userId: number, id: number): Promise<boolean>;
  removeAccessTokens(userId: number): Promise<void>;

  /** Contacts of a user, both directions, any state. */
  contactsOf(userId: number): Promise<RowOf<"contacts">[]>;

  /** The newest `limit` notifications with id < `beforeId`, ascending. [channels 4.5] */
  notificationsOf(
    userId: number,
    beforeId: number | null,
    limit: number,
  ): Promise<RowOf<"notifications">[]>;
  /** The recipient's newest unread notification of that kind and entity. [channels 4.4] */
  unreadNotification(
    userId: number,
    kind: string,
    entityId: number,
  ): Promise<RowOf<"notifications"> | undefined>;

  close(): Promise<void>;
}

/** Another account has that login. */
export class LoginTakenError extends Error {
  override readonly name = "LoginTakenError";
  constructor(readonly login: string) {
    super(`Cannot create user "${login}": another account has this login`);
  }
}
