/** Connections of Node, which Deno has too: TCP, a proxy if there is one, then TLS. [transport 1.2.1] */
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { chainText, ConnectError } from "../errors.ts";
import { checkPin, presentedCertificates } from "./pin.ts";
import type { Proxy } from "./proxy.ts";
import { type Target, tunnel } from "./tunnel.ts";

/** How to get somewhere. */
export interface DialOptions {
  /** Undefined to go directly. */
  readonly proxy: Proxy | undefined;
  /** Authorities trusted beside, or in place of, the runtime's own: PEM. */
  readonly ca: readonly string[] | undefined;
  /** The target is known by this fingerprint, and by nothing else. [local 4a] */
  readonly pin?: string | undefined;
}

/**
 * Connects, and ends what it began when that fails or is aborted.
 *
 * @throws {ConnectError}
 */
export async function dial(
  target: Target & { readonly isSecure: boolean },
  { proxy, ca, pin }: DialOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const begun: Duplex[] = [];
  const abandon = () => begun.forEach((stream) => stream.destroy());
  signal.addEventListener("abort", abandon, { once: true });
  const reach = async () => {
    const stream = await ready(tcp(proxy ?? target, begun), "connect");
    if (proxy === undefined) return stream;
    const safe = proxy.kind === "https" ? await secure(stream, proxy.host, { ca }, begun) : stream;
    return await tunnel(safe, proxy, target);
  };
  try {
    let stream: Duplex;
    if (!target.isSecure) stream = await reach();
    else if (pin === undefined) stream = await secure(await reach(), target.host, { ca }, begun);
    else stream = await securePinned(reach, target.host, pin, begun);
    signal.throwIfAborted();
    return stream;
  } catch (cause) {
    abandon();
    signal.throwIfAborted();
    if (cause instanceof ConnectError) throw cause;
    const way = proxy === undefined ? "" : ` through the proxy ${proxy.host}:${proxy.port}`;
    throw new ConnectError(
      `Cannot reach ${target.host}:${target.port}${way}: ${chainText(cause)}`,
      { cause },
    );
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

function tcp({ host, port }: Target, begun: Duplex[]): Duplex {
  const socket = net.connect({ host, port });
  socket.setNoDelay(true);
  begun.push(socket);
  return socket;
}

/**
 * Looks first at what the server shows, without trusting it, then has the runtime verify exactly
 * that: a runtime told to verify nothing does not ask for proof of the key either.
 */
async function securePinned(
  reach: () => Promise<Duplex>,
  host: string,
  pin: string,
  begun: Duplex[],
): Promise<Duplex> {
  const look = await secure(await reach(), host, { rejectUnauthorized: false }, begun);
  checkPin(look, pin);
  const ca = presentedCertificates(look);
  look.destroy();
  const socket = await secure(await reach(), host, { ca }, begun);
  checkPin(socket, pin);
  return socket;
}

async function secure(
  stream: Duplex,
  host: string,
  { ca, ...options }: {
    readonly ca?: readonly string[] | undefined;
    readonly rejectUnauthorized?: false;
  },
  begun: Duplex[],
): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    socket: stream as net.Socket,
    host,
    ...(net.isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca: [...ca] }),
    ...options,
  });
  begun.push(socket);
  await ready(socket, "secureConnect");
  return socket;
}

function ready(stream: Duplex, event: "connect" | "secureConnect"): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const onReady = () => {
      stop();
      resolve(stream);
    };
    const onError = (error: Error) => {
      stop();
      reject(error);
    };
    const onClose = () => onError(new ConnectError("Cannot connect: the connection ended"));
    const stop = () => stream.off(event, onReady).off("error", onError).off("close", onClose);
    stream.on(event, onReady).on("error", onError).on("close", onClose);
  });
}
