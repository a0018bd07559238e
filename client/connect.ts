/** Opens a connection to a server and signs in. [transport 1] */
import { systemClock } from "../lib/clock.ts";
import { PROTOCOL_VERSION } from "../proto/mod.ts";
import type { Credentials } from "./credentials/store.ts";
import { discoverRpcUrl, webSocketUrl } from "./discovery.ts";
import { ConnectError } from "./errors.ts";
import { serviceUrl } from "./http/base_urls.ts";
import { fetchClient } from "./http/fetch_client.ts";
import type { HttpClient } from "./http/http_client.ts";
import { keepAlive } from "./keep_alive.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import type { Socket, Transport } from "./transport.ts";

/** From the first request to `Hello`, in milliseconds. [transport 1.7] */
const CONNECT_TIMEOUT = 20_000;

export type { Credentials };

/** Where to connect to, as whom, and as what. */
export interface ConnectOptions extends PeerOptions {
  readonly transport: Transport;
  readonly credentials: Credentials;
  /** The server's address, asked for the WebSocket's URL. */
  readonly serverUrl: string;
  /** The http: or https: URL of the WebSocket itself, where it is known. [transport 1.1.1] */
  readonly rpcUrl?: string | undefined;
  /** The version that the client claims to have; see transport 12.2. */
  readonly appVersion?: string | undefined;
  readonly releaseChannel?: string | undefined;
  /** The installation's id, where the program has one. */
  readonly systemId?: string | undefined;
  /** The account's id for telemetry, while that is switched on. */
  readonly metricsId?: string | undefined;
  /** The client's name and version for the server's log. */
  readonly userAgent?: string | undefined;
  /** Asks for the WebSocket's address. */
  readonly http?: HttpClient | undefined;
  /** Called once the WebSocket is open, before `Hello`: the server took the credentials. */
  readonly onOpen?: (() => void | Promise<void>) | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Limit of the whole attempt, in milliseconds. */
  readonly timeout?: number | undefined;
}

/**
 * Connects, and waits for `Hello`.
 *
 * @returns a peer that has its id.
 * @throws {ConnectError} or a subclass that tells what to do.
 */
export async function connect(options: ConnectOptions): Promise<Peer> {
  const { transport, releaseChannel = "stable", timeout = CONNECT_TIMEOUT } = options;
  const { clock = systemClock, http = fetchClient() } = options;
  const limit = new AbortController();
  const timer = clock.setTimeout(() => {
    limit.abort(
      new ConnectError(`Cannot connect to ${options.serverUrl}: no hello within ${timeout} ms`),
    );
  }, timeout);
  const signal = options.signal ? AbortSignal.any([limit.signal, options.signal]) : limit.signal;
  try {
    const { rpcUrl = knownRpcUrl(options) } = options;
    const url = rpcUrl === undefined
      ? await discoverRpcUrl(options.serverUrl, { signal, releaseChannel, http })
      : webSocketUrl(rpcUrl);
    const socket = await transport.connect(url, handshakeHeaders(options), signal);
    return await greet(socket, options, signal);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Where no question is possible the WebSocket is where the question would go. [transport 12.1] */
function knownRpcUrl({ transport, serverUrl }: ConnectOptions): string | undefined {
  return transport.canDiscover === false ? serviceUrl(serverUrl, "site", "/rpc") : undefined;
}

/** Waits for `Hello`; what the socket receives before somebody listens is kept. */
async function greet(socket: Socket, options: ConnectOptions, signal: AbortSignal): Promise<Peer> {
  let peer: Peer | undefined;
  const abort = () => peer === undefined ? socket.close() : peer.close(String(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await options.onOpen?.();
    signal.throwIfAborted();
    peer = new Peer(socket, options);
    await peer.hello;
    if (!socket.noticesSilence) keepAlive(peer, options.clock ?? systemClock);
    return peer;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Headers of the handshake. [transport 1.2.2] */
export function handshakeHeaders(
  options: Pick<
    ConnectOptions,
    "credentials" | "appVersion" | "releaseChannel" | "systemId" | "metricsId" | "userAgent"
  >,
): Record<string, string> {
  const { credentials, appVersion = "1.0.0", releaseChannel = "stable" } = options;
  const { systemId, metricsId, userAgent } = options;
  const { userId, token } = credentials;
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConnectError("Cannot sign in: the token has characters that no header can hold");
  }
  return {
    "authorization": `${userId} ${token}`,
    "x-zed-protocol-version": String(PROTOCOL_VERSION),
    "x-zed-app-version": appVersion,
    "x-zed-release-channel": releaseChannel,
    ...(systemId !== undefined && { "x-zed-system-id": systemId }),
    ...(metricsId !== undefined && { "x-zed-metrics-id": metricsId }),
    ...(userAgent !== undefined && { "user-agent": userAgent }),
  };
}
