/** Longest login, in characters. */
export const maxLoginLength = 39;

/** What a login may look like: letters, digits, `-`, `_` and `.`, 1 to {@link maxLoginLength}. */
export const loginPattern: RegExp = new RegExp(`^[A-Za-z0-9._-]{1,${maxLoginLength}}$`);

/** A text that cannot be a login. */
export class InvalidLoginError extends Error {
  override readonly name = "InvalidLoginError";
  constructor(readonly login: string) {
    super(
      `Cannot use ${JSON.stringify(login)} as a login: it must be 1 to ${maxLoginLength} ` +
        `characters of letters, digits, "-", "_" and "."`,
    );
  }
}

/** @throws {InvalidLoginError} unless the text can be a login. */
export function checkLogin(login: string): void {
  if (!loginPattern.test(login)) throw new InvalidLoginError(login);
}
