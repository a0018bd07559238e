/** Opens a connection to a server and signs in. [transport 1] */
import { PROTOCOL_VERSION } from "../proto/mod.ts";
import { discoverRpcUrl, webSocketUrl } from "./discovery.ts";
import { ConnectError } from "./errors.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import type { Transport } from "./transport.ts";

/** From the first request to `Hello`, in milliseconds. [transport 1.7] */
export const CONNECT_TIMEOUT = 20_000;

/** Who signs in. */
export interface Credentials {
  readonly userId: bigint | number;
  readonly token: string;
}

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
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(
      new ConnectError(`Cannot connect to ${options.serverUrl}: no hello within ${timeout} ms`),
    );
  }, timeout);
  const signal = options.signal ? AbortSignal.any([limit.signal, options.signal]) : limit.signal;
  try {
    const url = options.rpcUrl === undefined
      ? await discoverRpcUrl(options.serverUrl, { signal, releaseChannel })
      : webSocketUrl(options.rpcUrl);
    const socket = await transport.connect(url, handshakeHeaders(options), signal);
    const peer = new Peer(socket, options);
    const abort = () => peer.close(String(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    try {
      await peer.hello;
      return peer;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Headers of the handshake. [transport 1.2.2] */
export function handshakeHeaders(
  { credentials, appVersion = "1.0.0", releaseChannel = "stable" }: Pick<
    ConnectOptions,
    "credentials" | "appVersion" | "releaseChannel"
  >,
): Record<string, string> {
  const { userId, token } = credentials;
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConnectError("Cannot sign in: the token has characters that no header can hold");
  }
  return {
    "authorization": `${userId} ${token}`,
    "x-zed-protocol-version": String(PROTOCOL_VERSION),
    "x-zed-app-version": appVersion,
    "x-zed-release-channel": releaseChannel,
  };
}
