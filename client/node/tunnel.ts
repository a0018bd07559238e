/** A way through a proxy: to the proxy, and from there to the target. [transport 1.4] */
import { Buffer } from "node:buffer";
import { lookup } from "node:dns/promises";
import net from "node:net";
import type { Duplex } from "node:stream";
import { SocksClient } from "socks";
import { ConnectError } from "../errors.ts";
import type { Proxy } from "./proxy.ts";
import { deferred } from "../platform.ts";

/** What the head of a proxy's answer may have: bytes, and headers. [transport 1.4.3] */
const MAX_HEAD = 4096;
const MAX_HEADERS = 16;

/** Where a tunnel ends. */
export interface Target {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Asks the proxy at the other end of `socket` for the target.
 *
 * @returns a stream to the target.
 * @throws {ConnectError} it refuses, or is no such proxy.
 */
export async function tunnel(socket: Duplex, proxy: Proxy, target: Target): Promise<Duplex> {
  if (proxy.kind === "http" || proxy.kind === "https") {
    return await byConnect(socket, proxy, target);
  }
  return await bySocks(socket as net.Socket, proxy, target);
}

async function bySocks(socket: net.Socket, proxy: Proxy, target: Target): Promise<Duplex> {
  const { kind, username, password } = proxy;
  const isLocal = kind === "socks4" || kind === "socks5";
  const host = isLocal && net.isIP(target.host) === 0
    ? (await lookup(target.host, { family: kind === "socks4" ? 4 : 0 })).address
    : target.host;
  const isFour = kind === "socks4" || kind === "socks4a";
  const hasLogin = isFour ? username !== "" : password !== undefined;
  const { socket: through } = await SocksClient.createConnection({
    command: "connect",
    existing_socket: socket,
    destination: { host, port: target.port },
    proxy: {
      host: proxy.host,
      port: proxy.port,
      type: isFour ? 4 : 5,
      ...(hasLogin && { userId: username }),
      ...(hasLogin && password !== undefined && { password }),
    },
  });
  return through;
}

async function byConnect(socket: Duplex, proxy: Proxy, { host, port }: Target): Promise<Duplex> {
  const authority = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const { username, password = "" } = proxy;
  const login = new TextEncoder().encode(`${username}:${password}`);
  const lines = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    "Proxy-Connection: Keep-Alive",
    ...(login.length > 1
      ? [`Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}`]
      : []),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const head = await readHead(socket);
  const [first = "", ...headers] = head.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
  if (headers.length > MAX_HEADERS) {
    throw new ConnectError(`Cannot use the proxy ${proxy.host}: its answer has too many headers`);
  }
  if (status !== "200") {
    const what = status === undefined ? "it does not speak HTTP" : `it answers ${status}`;
    throw new ConnectError(`Cannot reach ${authority} through the proxy ${proxy.host}: ${what}`);
  }
  return socket;
}

/** Reads up to the end of a head; what comes behind it stays in the stream. */
function readHead(socket: Duplex): Promise<string> {
  const { promise, resolve, reject } = deferred<string>();
  let bytes = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end >= 0 && end + 4 <= MAX_HEAD) {
      stop();
      socket.pause();
      const rest = bytes.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      resolve(bytes.toString("latin1", 0, end));
    } else if (bytes.length > MAX_HEAD) fail(`its answer is longer than ${MAX_HEAD} bytes`);
  };
  const onEnd = () => fail("it ended the connection");
  const onError = (error: Error) => fail(error.message, error);
  const stop = () => {
    socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
  };
  const fail = (why: string, cause?: Error) => {
    stop();
    reject(new ConnectError(`Cannot use the proxy: ${why}`, { cause }));
  };
  socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", onError);
  return promise;
}
