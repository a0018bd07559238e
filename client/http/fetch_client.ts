/** Requests through the platform's own `fetch`: for browsers, and wherever no proxy is set. */
import { ConnectError } from "../errors.ts";
import type { HttpClient, HttpRequest } from "./http_client.ts";
import { followRedirects } from "./redirects.ts";

/** How a {@link fetchClient} asks. */
export interface FetchOptions {
  /** Sent as `User-Agent`, where the platform lets it. [transport 8.2.2] */
  readonly userAgent?: string;
  /** In place of the platform's. */
  readonly fetch?: typeof fetch;
}

/** A client without cookies or cache. [transport 8.2.5] */
export function fetchClient({ userAgent, fetch: ask = fetch }: FetchOptions = {}): HttpClient {
  const once = async (url: string, { method = "GET", headers, body, signal }: HttpRequest) => {
    try {
      return await ask(url, {
        method,
        headers: { ...(userAgent !== undefined && { "user-agent": userAgent }), ...headers },
        ...(body !== undefined && { body }),
        ...(body instanceof ReadableStream && { duplex: "half" }),
        redirect: "manual",
        credentials: "omit",
        cache: "no-store",
        signal: signal ?? null,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ConnectError(`Cannot reach ${url}; check the server's address`, { cause });
    }
  };
  return {
    request: (url, request = {}) => followRedirects(once, url, request),
    close() {},
  };
}
