/** Longest login, in characters. */
export const maxLoginLength = 39;

// Not of marks alone: "." and ".." would be steps in the path of a URL.
const loginPattern = new RegExp(`^(?=.*[A-Za-z0-9])[A-Za-z0-9._-]{1,${maxLoginLength}}$`);

/** A text that cannot be a login. */
export class InvalidLoginError extends Error {
  override readonly name = "InvalidLoginError";
  constructor(readonly login: string) {
    super(
      `Cannot use ${JSON.stringify(login)} as a login: it must be 1 to ${maxLoginLength} ` +
        `characters of letters, digits, "-", "_" and ".", at least one a letter or digit`,
    );
  }
}

/** @throws {InvalidLoginError} unless the text can be a login. */
export function checkLogin(login: string): void {
  if (!loginPattern.test(login)) throw new InvalidLoginError(login);
}
