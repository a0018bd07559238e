/**
 * Connections over Deno's TCP. Not over its WebSocket: that leaves Nagle's algorithm on and writes
 * head and content of a message of more than 1 KiB one after the other, so that each such message
 * waits 40 ms for the acknowledgement of its first bytes (measured, Deno 2.9.6; the upload of 50,000
 * entries took 9 s instead of 0.6 s). It also shows no pings and tells refusals in words only.
 */
import { chainText, ConnectError } from "./errors.ts";
import { type LivenessTimes, openRawSocket } from "./raw_socket.ts";
import type { Transport } from "./transport.ts";

/** Makes connections as Deno does. For a proxy see `nodeTransport`, which runs in Deno too. */
export const denoTransport: Transport = createDenoTransport();

/** How a {@link createDenoTransport} differs from {@link denoTransport}. */
export interface DenoTransportOptions {
  /** Certificate authorities (PEM) that are trusted besides the runtime's own. */
  readonly ca?: readonly string[];
  /** Other times than the specification's, for a server that has others too. */
  readonly times?: LivenessTimes;
}

/** A transport for servers that need something special. */
export function createDenoTransport({ ca = [], times }: DenoTransportOptions = {}): Transport {
  return {
    connect: (url, headers, signal) =>
      openRawSocket(() => open(url, ca, signal), url, headers, signal, times),
  };
}

async function open(url: URL, ca: readonly string[], signal: AbortSignal): Promise<Deno.Conn> {
  const isSecure = url.protocol === "wss:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (isSecure ? 443 : 80));
  try {
    const connection = await Deno.connect({ hostname, port, signal });
    connection.setNoDelay(true);
    if (!isSecure) return connection;
    return await Deno.startTls(connection, { hostname, caCerts: [...ca] });
  } catch (cause) {
    signal.throwIfAborted();
    throw new ConnectError(`Cannot reach ${url.host}: ${chainText(cause)}`, { cause });
  }
}
