/** Which redirects a request follows, and what it takes along. [transport 8.2.3] */
import { parseUrl } from "../platform.ts";
import { ConnectError } from "../errors.ts";
import { DEFAULT_REDIRECTS, type HttpRequest } from "./http_client.ts";

/** Credentials, which no other host may see. */
const SECRETS: readonly string[] = ["authorization", "cookie", "proxy-authorization"];

/**
 * Asks, and asks again where the answer says so: at most {@link HttpRequest.redirects} times, with the
 * method and body of the request for 307 and 308, else with GET.
 *
 * @throws {ConnectError} it is sent on too often, or to no http or https address.
 */
export async function followRedirects(
  ask: (url: string, request: HttpRequest) => Promise<Response>,
  url: string,
  request: HttpRequest,
): Promise<Response> {
  const { redirects = DEFAULT_REDIRECTS } = request;
  let at = url;
  let next = request;
  for (let followed = 0;; followed++) {
    const response = await ask(at, next);
    const location = isRedirect(response.status) ? response.headers.get("location") : null;
    if (location === null || redirects === 0) return response;
    await response.body?.cancel();
    if (followed === redirects) {
      throw new ConnectError(`Cannot get ${url}: it was sent on more than ${redirects} times`);
    }
    const target = parseUrl(location, at);
    if (target === null || !/^https?:$/.test(target.protocol)) {
      throw new ConnectError(`Cannot get ${url}: it was sent on to ${JSON.stringify(location)}`);
    }
    next = follow(next, response.status, target.origin === new URL(at).origin);
    at = target.href;
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function follow(request: HttpRequest, status: number, isSameHost: boolean): HttpRequest {
  const { method, body, headers = {}, ...rest } = request;
  const isKept = status === 307 || status === 308;
  if (isKept && body instanceof ReadableStream) {
    throw new ConnectError("Cannot follow a redirect: the body was a stream and is sent already");
  }
  const kept = Object.entries(headers).filter(([name]) =>
    (isSameHost || !SECRETS.includes(name.toLowerCase())) &&
    (isKept || !name.toLowerCase().startsWith("content-"))
  );
  return {
    ...rest,
    headers: Object.fromEntries(kept),
    ...(isKept && method !== undefined && { method }),
    ...(isKept && body !== undefined && { body }),
  };
}
