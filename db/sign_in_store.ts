/** The part of the port to the database that signing in with a browser needs. */

/** A browser that is signed in; kept by the hash of what its cookie holds. */
export interface WebSession {
  readonly hash: string;
  readonly userId: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** What its owner knows the browser by. */
  readonly label: string | null;
}

/** A link that lets its holder choose an account's password, once. */
export interface Invitation {
  readonly hash: string;
  readonly userId: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What a browser's sign-in keeps. All of it goes with its account. */
export interface SignInStore {
  /** The stored form of a password; undefined for an account that has none. */
  passwordHash(userId: number): Promise<string | undefined>;
  setPasswordHash(userId: number, hash: string): Promise<void>;

  /** Also forgets sessions that have expired. */
  createSession(
    session: Omit<WebSession, "createdAt" | "label"> & { readonly label?: string | null },
  ): Promise<void>;
  /** Expired ones are there until somebody signs in. */
  session(hash: string): Promise<WebSession | undefined>;
  removeSession(hash: string): Promise<void>;
  removeSessions(userId: number): Promise<void>;
  /** Open ones of a user, newest first. */
  sessionsOf(userId: number): Promise<WebSession[]>;
  /** False if the user has no such session. */
  removeSessionOf(userId: number, hash: string): Promise<boolean>;
  /** All of a user's but one. */
  removeOtherSessions(userId: number, hash: string): Promise<void>;

  /** Also forgets the account's other invitations, and all that have expired. */
  createInvitation(invitation: Omit<Invitation, "createdAt">): Promise<void>;
  invitation(hash: string): Promise<Invitation | undefined>;
  /** Ends the account's link, if it has one. */
  removeInvitations(userId: number): Promise<void>;
  /** Takes it out: of two who hold the link, one gets it. */
  takeInvitation(hash: string): Promise<Invitation | undefined>;

  /** The account that somebody has who proved his identity elsewhere. */
  identity(provider: string, subject: string): Promise<number | undefined>;
  /** Who an account's owner is elsewhere; the first, where it is several there. */
  subject(provider: string, userId: number): Promise<string | undefined>;
  /** @returns the account that has the identity now: the one that had it keeps it. */
  linkIdentity(provider: string, subject: string, userId: number): Promise<number>;

  /** A key of the server's own, `initial` if there is none yet; the same for all who ask. */
  secret(name: string, initial: Uint8Array): Promise<Uint8Array>;
}
