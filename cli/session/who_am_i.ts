/** Whom a login is of, as its server says. */
import { z } from "zod";
import { type Credentials, type Network, nodeHttpClient } from "../../client/node.ts";
import { authorization } from "../../client/connection/login.ts";
import { serviceUrl } from "../../client/http/base_urls.ts";
import { SessionError } from "./session_error.ts";

/** Milliseconds that a server has to answer. */
export const PATIENCE = 20_000;

const account = z.object({ user: z.object({ id: z.int(), github_login: z.string() }) });

/**
 * Asks a server whether a login is good.
 *
 * @returns the user's login; undefined where the server is of 2025 and cannot be asked
 * @throws {SessionError} it is not good, or the server is out of order
 * @throws {ConnectError} there was no answer
 */
export async function whoAmI(
  serverUrl: string,
  credentials: Credentials,
  network: Network,
): Promise<string | undefined> {
  const http = nodeHttpClient(network);
  const url = serviceUrl(serverUrl, "cloud", "/client/users/me");
  try {
    const response = await http.request(url, {
      headers: {
        "content-type": "application/json",
        authorization: authorization(credentials),
      },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await response.text();
    if (response.status === 404) return undefined;
    if (response.status === 401) {
      throw new SessionError(
        `Cannot sign in: ${serverUrl} knows no such user and token; both come from its account ` +
          "page, or from whoever runs it",
      );
    }
    if (!response.ok) throw new SessionError(`Cannot sign in: ${url} answers ${response.status}`);
    const { user } = readAccount(text, url);
    if (BigInt(user.id) !== BigInt(credentials.userId)) {
      throw new SessionError(
        `Cannot sign in: the token is of the user ${user.id}, not of ${credentials.userId}`,
      );
    }
    return user.github_login;
  } finally {
    http.close();
  }
}

function readAccount(text: string, url: string): z.infer<typeof account> {
  try {
    return account.parse(JSON.parse(text));
  } catch (cause) {
    throw new SessionError(`Cannot sign in: ${url} answers with no account; is it a Parley?`, {
      cause,
    });
  }
}
