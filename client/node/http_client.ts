/** Plain requests over Node's sockets: with proxies, own authorities, a limit for connecting. */
import { parseUrl } from "../platform.ts";
import type { Buffer } from "node:buffer";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { chainText, ConnectError } from "../errors.ts";
import type { HttpClient, HttpRequest } from "../http/http_client.ts";
import { followRedirects } from "../http/redirects.ts";
import { dial } from "./dial.ts";
import { environmentOf, type Network, trustOf } from "./network.ts";
import { bypassesProxy, parseProxy, proxyAddress } from "./proxy.ts";

/** Limit for the way to a server, up to TLS, in milliseconds. An answer has none. [transport 8.2.1] */
export const HTTP_CONNECT_TIMEOUT = 10_000;

/** What a {@link nodeHttpClient} is made with. */
export interface NodeHttpOptions extends Network {
  /** `Name/version (system; architecture)`. [transport 8.2.2] */
  readonly userAgent?: string | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * A client that goes through the proxy of the setting or of the environment, except to the hosts of
 * `NO_PROXY`; every request has a connection of its own. No cookies, no cache. [transport 8.2]
 */
export function nodeHttpClient(options: NodeHttpOptions = {}): HttpClient {
  const closing = new AbortController();
  return {
    request: (url, request = {}) => {
      const signal = request.signal === undefined
        ? closing.signal
        : AbortSignal.any([closing.signal, request.signal]);
      return followRedirects((at, next) => ask(at, next, signal, options), url, request);
    },
    close: () => closing.abort(new ConnectError("The HTTP client was closed")),
  };
}

async function ask(
  address: string,
  request: HttpRequest,
  signal: AbortSignal,
  options: NodeHttpOptions,
): Promise<Response> {
  const url = parseUrl(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConnectError(`Cannot reach ${address}: it is no http or https address`);
  }
  const stream = await open(url, signal, options);
  return await exchange(stream, url, request, signal, options.userAgent);
}

async function open(url: URL, signal: AbortSignal, options: NodeHttpOptions): Promise<Duplex> {
  const { clock = systemClock } = options;
  const environment = environmentOf(options);
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const named = proxyAddress(options.proxy, environment);
  const isDirect = named === undefined || bypassesProxy(host, environment);
  const limit = new AbortController();
  const timer = clock.setTimeout(
    () =>
      limit.abort(
        new ConnectError(`Cannot reach ${url.host}: no connection in ${HTTP_CONNECT_TIMEOUT} ms`),
      ),
    HTTP_CONNECT_TIMEOUT,
  );
  try {
    return await dial(
      { host, port: Number(url.port || (isSecure ? 443 : 80)), isSecure },
      {
        proxy: isDirect ? undefined : parseProxy(named),
        ca: trustOf(options),
        pin: options.pin,
      },
      AbortSignal.any([limit.signal, signal]),
    );
  } finally {
    clock.clearTimeout(timer);
  }
}

function exchange(
  stream: Duplex,
  url: URL,
  { method = "GET", headers = {}, body }: HttpRequest,
  signal: AbortSignal,
  userAgent: string | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      stream.destroy();
      if (signal.aborted) return reject(signal.reason);
      reject(new ConnectError(`Cannot reach ${url.host}: ${chainText(cause)}`, { cause }));
    };
    const outgoing = http.request({
      method,
      host: url.hostname,
      path: rawPath(url),
      headers: {
        host: url.host,
        connection: "close",
        ...(userAgent !== undefined && { "user-agent": userAgent }),
        ...headers,
        ...(typeof body === "string" &&
          { "content-length": `${new TextEncoder().encode(body).length}` }),
        ...(body instanceof Uint8Array && { "content-length": `${body.length}` }),
      },
      createConnection: () => stream as never,
    });
    // A proxy's answer was read from it, and then it was stopped.
    outgoing.on("socket", () => stream.resume());
    const abort = () => outgoing.destroy(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    outgoing.on("error", (error) => {
      signal.removeEventListener("abort", abort);
      fail(error);
    });
    outgoing.on("response", (message) => {
      message.on("close", () => signal.removeEventListener("abort", abort));
      try {
        resolve(responseOf(message));
      } catch (error) {
        // A status that no response has, or a header.
        fail(error);
      }
    });
    // Nobody asked for another protocol.
    outgoing.on("upgrade", () => fail(new ConnectError("It changes to another protocol")));
    if (body instanceof ReadableStream) {
      const source = Readable.fromWeb(body as never);
      source.on("error", (error: Error) => outgoing.destroy(error));
      source.pipe(outgoing);
    } else outgoing.end(body);
  });
}

/** A lone `?` stays, as Zed's requests have it. [transport 8.1.4] */
function rawPath(url: URL): string {
  const hasMark = url.search === "" && /\?(?:#|$)/.test(url.href);
  return `${url.pathname}${url.search}${hasMark ? "?" : ""}`;
}

function responseOf(message: IncomingMessage): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at] as string, message.rawHeaders[at + 1] as string);
  }
  const hasBody = status !== 204 && status !== 205 && status !== 304;
  if (!hasBody) message.resume();
  const body = hasBody ? bodyOf(message) : null;
  return new Response(body, { status, headers });
}

/** The body as it comes; a reader that stops ends the connection. */
function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    cancel: () => void message.destroy(),
  });
}
