/** What an owner does with accounts, from the command line or through the admin routes. */
import { randomBytes } from "node:crypto";
import { createToken, hashSecret } from "./access_tokens.ts";
import { checkLogin } from "./login.ts";
import { checkPassword, type Passwords } from "./passwords.ts";
import { LoginTakenError, type Store, type User, type UserChange } from "./store.ts";

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

/** How long an invitation is good, in milliseconds. */
const INVITATION_LIFETIME = 7 * 24 * 3_600_000;

/** A link's secret part and whose password it lets choose. */
export interface AccountInvitation {
  readonly id: number;
  readonly login: string;
  /** Path and query of the link, with its secret: the only time that it can be seen. */
  readonly path: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/**
 * Makes a link with which somebody chooses the password of an account, which is created if there is
 * none. It replaces the account's earlier links; the password stays until the link is used.
 *
 * @param now Unix milliseconds
 * @throws {InvalidLoginError}
 */
export async function inviteUser(
  store: Store,
  login: string,
  options: { readonly admin: boolean; readonly now: number },
): Promise<AccountInvitation> {
  checkLogin(login);
  const user = await store.userByLogin(login) ??
    await store.createUser({ login, admin: options.admin });
  const secret = randomBytes(32).toString("base64url");
  const expiresAt = options.now + INVITATION_LIFETIME;
  await store.signIn.createInvitation({ hash: hashSecret(secret), userId: user.id, expiresAt });
  return { id: user.id, login: user.login, path: `/invitation?token=${secret}`, expiresAt };
}

/**
 * Gives an account a password, and ends the browser sessions that the old one has opened.
 *
 * @throws {NoSuchUserError} {WeakPasswordError} {PasswordsBusyError}
 */
export async function setPassword(
  store: Store,
  passwords: Passwords,
  login: string,
  password: string,
): Promise<User> {
  const user = await existingUser(store, login);
  checkPassword(password, user.login);
  await store.signIn.setPasswordHash(user.id, await passwords.hash(password));
  await store.signIn.removeSessions(user.id);
  return user;
}

/**
 * Changes an account.
 *
 * @returns it as it is now
 * @throws {NoSuchUserError}
 */
export async function changeUser(store: Store, login: string, change: UserChange): Promise<User> {
  const user = await existingUser(store, login);
  const changed = await store.updateUser(user.id, change);
  if (changed === undefined) throw new NoSuchUserError(login);
  return changed;
}

/**
 * Ends everything that an account is signed in with: tokens and browser sessions.
 *
 * @returns who it was
 * @throws {NoSuchUserError}
 */
export async function signOutUser(store: Store, login: string): Promise<User> {
  const user = await existingUser(store, login);
  await store.removeAccessTokens(user.id);
  await store.signIn.removeSessions(user.id);
  return user;
}

/** The account of a login, in whatever case it is given. @throws {NoSuchUserError} */
export async function existingUser(store: Store, login: string): Promise<User> {
  const user = await store.userByLogin(login);
  if (user === undefined) throw new NoSuchUserError(login);
  return user;
}
