/** Connections of Node, which Deno has too: TCP, a proxy if there is one, then TLS. [transport 1.2.1] */
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { chainText, ConnectError } from "../errors.ts";
import type { Proxy } from "./proxy.ts";
import { type Target, tunnel } from "./tunnel.ts";

/** How to get somewhere. */
export interface DialOptions {
  /** Undefined to go directly. */
  readonly proxy: Proxy | undefined;
  /** Authorities trusted beside, or in place of, the runtime's own: PEM. */
  readonly ca: readonly string[] | undefined;
}

/**
 * Connects, and ends what it began when that fails or is aborted.
 *
 * @throws {ConnectError}
 */
export async function dial(
  target: Target & { readonly isSecure: boolean },
  { proxy, ca }: DialOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const begun: Duplex[] = [];
  const abandon = () => begun.forEach((stream) => stream.destroy());
  signal.addEventListener("abort", abandon, { once: true });
  try {
    let stream = await ready(tcp(proxy ?? target, begun), "connect");
    if (proxy !== undefined) {
      if (proxy.kind === "https") stream = await secure(stream, proxy.host, ca, begun);
      stream = await tunnel(stream, proxy, target);
    }
    if (target.isSecure) stream = await secure(stream, target.host, ca, begun);
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

async function secure(
  stream: Duplex,
  host: string,
  ca: readonly string[] | undefined,
  begun: Duplex[],
): Promise<Duplex> {
  const socket = tls.connect({
    socket: stream as net.Socket,
    host,
    ...(net.isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca: [...ca] }),
  });
  begun.push(socket);
  return await ready(socket, "secureConnect");
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
