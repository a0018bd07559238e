/** Signs in with the code that a local server shows. [local 3] [local 4a] */
import type { Credentials } from "../credentials/store.ts";
import { AuthenticationError } from "../errors.ts";
import { serviceUrl } from "../http/base_urls.ts";
import type { SignInMethod, SignInRequest } from "./sign_in_method.ts";

/** What is told to a server for a device to be paired with it. */
export interface PairingOptions {
  /** As the server shows it; a server may need none of its own machine. */
  readonly code?: string | undefined;
  /** What the others see; not needed where the code was made for an account. */
  readonly name?: string | undefined;
  /** What the server lists the device as: 1 to 80 characters. */
  readonly device: string;
}

/** A device that was let in. */
export interface Paired {
  readonly credentials: Credentials;
  /** Who the user is there. */
  readonly login: string;
  /** The server's fingerprint as the server itself says it, for {@link Network.pin}. */
  readonly fingerprint: string | undefined;
}

/**
 * Pairs a device. Send it to a server that is known already: by its pin, or on this machine.
 *
 * @throws {AuthenticationError} the server said no, or pairs nobody; the message is for the user.
 * @throws {ConnectError} there was no answer.
 */
export async function pairDevice(
  { serverUrl, http, signal }: SignInRequest,
  { code = "", name = "", device }: PairingOptions,
): Promise<Paired> {
  const url = serviceUrl(serverUrl, "site", "/local/pair");
  const response = await http.request(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code, name, device }),
    // The code is for this server and for no other.
    redirects: 0,
    signal,
  });
  const text = await response.text();
  const answer = fieldsOf(text);
  const { user_id: userId, access_token: token, login, fingerprint, error } = answer;
  if (response.status !== 200) {
    throw new AuthenticationError(
      typeof error === "string" ? error : `Cannot pair: ${url} answers ${response.status}`,
    );
  }
  if (!isId(userId) || typeof token !== "string" || typeof login !== "string") {
    throw new AuthenticationError(`Cannot pair: what ${url} answers holds no login`);
  }
  return {
    credentials: { userId, token },
    login,
    fingerprint: typeof fingerprint === "string" ? fingerprint : undefined,
  };
}

/** Pairs this device when a login is needed: its code is good for once. */
export function withPairingCode(options: PairingOptions): SignInMethod {
  return {
    asksUser: true,
    signIn: async (request) => (await pairDevice(request, options)).credentials,
  };
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 2 ** 31;
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // What is no JSON has no fields; whoever reads them says so.
  }
  return {};
}
