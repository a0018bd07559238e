/** Where a login is kept from one start of a program to the next. [transport 3.2] */

/** Who signs in. */
export interface Credentials {
  /** From 1 to 2^31 - 1. [transport 3.2.1] */
  readonly userId: bigint | number;
  /** Visible ASCII without spaces. */
  readonly token: string;
}

/**
 * Logins by server. The key is the server's address, letter by letter: another spelling of it is
 * another login. [transport 3.2.2] [transport 3.2.5]
 */
export interface CredentialStore {
  /** The login of a server; undefined when there is none. */
  read(key: string): Promise<Credentials | undefined>;
  /** Keeps a login, in place of the one before. */
  write(key: string, credentials: Credentials): Promise<void>;
  /** Forgets a login; it need not be there. */
  delete(key: string): Promise<void>;
}
