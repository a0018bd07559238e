/** This device cannot be signed in, or is not; the message says what to do. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}
