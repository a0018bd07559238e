/** The ways to get a login. */
import type { Credentials } from "../credentials/store.ts";
import type { HttpClient } from "../http/http_client.ts";

/** What a way to sign in is told. */
export interface SignInRequest {
  /** The server, as its user wrote it. */
  readonly serverUrl: string;
  readonly http: HttpClient;
  /** Ends the attempt, as a sign-out does. */
  readonly signal: AbortSignal;
}

/** Gets credentials: from a browser, a token, a pairing code. */
export interface SignInMethod {
  /** Whether a person has to do something; then attempts that follow a loss do not ask. */
  readonly asksUser?: boolean;
  /** @throws {Error} there are none; the message is for the user. */
  signIn(request: SignInRequest): Promise<Credentials>;
}

/** Signs in with a token that the program has: its user made it on the account page. */
export function withToken(credentials: Credentials): SignInMethod {
  return { signIn: () => Promise.resolve(credentials) };
}
