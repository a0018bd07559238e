/** What an owner does with accounts, from the command line or through the admin routes. */
import { createToken } from "./access_tokens.ts";
import { checkLogin } from "./login.ts";
import { LoginTakenError, type Store, type User } from "./store.ts";

/** A new token and whose it is. */
export interface AccountToken {
  readonly id: number;
  readonly login: string;
  /** The only time that it can be seen. */
  readonly token: string;
}

/** An account as lists show it. */
export interface AccountSummary {
  readonly id: number;
  readonly login: string;
  readonly admin: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** No account has the login. */
export class NoSuchUserError extends Error {
  override readonly name = "NoSuchUserError";
  constructor(readonly login: string) {
    super(`Cannot find user "${login}": "user list" shows all there are`);
  }
}

/**
 * Creates accounts, each with a first token; none if any of the logins cannot be had.
 *
 * @throws {InvalidLoginError} {LoginTakenError} for the first login that cannot be had.
 */
export async function addUsers(
  store: Store,
  logins: readonly string[],
  options: { readonly admin: boolean },
): Promise<AccountToken[]> {
  const seen = new Set<string>();
  for (const login of logins) {
    checkLogin(login);
    const folded = login.toLowerCase();
    if (seen.has(folded) || await store.userByLogin(login) !== undefined) {
      throw new LoginTakenError(login);
    }
    seen.add(folded);
  }
  const created: AccountToken[] = [];
  for (const login of logins) {
    const { id } = await store.createUser({ login, admin: options.admin });
    created.push({ id, login, token: await createToken(store, id) });
  }
  return created;
}

/** All accounts, by id. */
export async function listUsers(store: Store): Promise<AccountSummary[]> {
  return (await store.allUsers()).map(({ id, login, admin, createdAt }) => ({
    id,
    login,
    admin,
    createdAt,
  }));
}

/**
 * Makes a further token for an account, in whatever case its login is given.
 *
 * @throws {NoSuchUserError}
 */
export async function addToken(store: Store, login: string): Promise<AccountToken> {
  const user = await existingUser(store, login);
  return { id: user.id, login: user.login, token: await createToken(store, user.id) };
}

/**
 * Removes an account with its tokens, contacts and notifications.
 *
 * @returns who it was.
 * @throws {NoSuchUserError}
 */
export async function removeUser(store: Store, login: string): Promise<User> {
  const user = await existingUser(store, login);
  if (!await store.removeUser(user.id)) throw new NoSuchUserError(login);
  return user;
}

async function existingUser(store: Store, login: string): Promise<User> {
  const user = await store.userByLogin(login);
  if (user === undefined) throw new NoSuchUserError(login);
  return user;
}
