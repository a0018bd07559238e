/** Where a server takes connections: it says so itself. [transport 1.1] */
import { parseUrl } from "./platform.ts";
import { ConnectError } from "./errors.ts";
import { serviceUrl } from "./http/base_urls.ts";
import { fetchClient } from "./http/fetch_client.ts";
import type { HttpClient } from "./http/http_client.ts";

/** How {@link discoverRpcUrl} asks. */
export interface DiscoveryOptions {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** Preview and nightly clients may be sent elsewhere. */
  readonly releaseChannel?: string | undefined;
  /** How to ask; the platform's `fetch` if not given. */
  readonly http?: HttpClient | undefined;
}

/**
 * Asks `GET {serverUrl}/rpc` for the URL of the WebSocket. Not for browsers, which hide where a
 * redirect goes: give them the URL itself.
 *
 * @returns with the scheme ws: or wss:
 * @throws {ConnectError}
 */
export async function discoverRpcUrl(
  serverUrl: string,
  { signal, releaseChannel, http = fetchClient() }: DiscoveryOptions,
): Promise<URL> {
  const query = releaseChannel === "preview" || releaseChannel === "nightly"
    ? `?${releaseChannel}=1`
    : "";
  const address = `${serviceUrl(serverUrl, "site", "/rpc")}${query}`;
  const response = await http.request(address, { redirects: 0, signal });
  // Left unread, the body would keep its connection.
  await response.body?.cancel();
  const { status } = response;
  if (status < 300 || status > 399) {
    throw new ConnectError(`Unexpected /rpc response status ${status} from ${address}`);
  }
  const location = response.headers.get("location");
  if (location === null) {
    throw new ConnectError(`Missing location header in /rpc response from ${address}`);
  }
  return webSocketUrl(location);
}

/**
 * The WebSocket's URL for an absolute http: or https: URL. [transport 1.1.6]
 *
 * @throws {ConnectError} it is no such URL.
 */
export function webSocketUrl(text: string): URL {
  const url = /^[\x21-\x7e]+$/.test(text) ? parseUrl(text) : null;
  if (url === null) {
    throw new ConnectError(`Invalid rpc url ${JSON.stringify(text)}: it is not absolute`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new ConnectError(`Invalid rpc url ${text}: its scheme must be http or https`);
  }
  // Setting `protocol` does nothing from http: to ws: in some runtimes.
  return new URL(url.href.replace(/^http/, "ws"));
}
