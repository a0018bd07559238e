/** Connections over the sockets of Node, in Node and in Deno: with proxies and own authorities. */
import { openRawSocket } from "../raw_socket.ts";
import type { Transport } from "../transport.ts";
import { dial } from "./dial.ts";
import { DuplexStream } from "./duplex_stream.ts";
import { environmentOf, type Network, trustOf } from "./network.ts";
import { parseProxy, proxyAddress } from "./proxy.ts";

/**
 * A transport that goes through the proxy of the setting or of the environment, if one is named.
 * `NO_PROXY` is not asked. A proxy that cannot be understood fails every attempt. [transport 1.4]
 */
export function nodeTransport(network: Network = {}): Transport {
  return {
    connect(url, headers, signal) {
      const connect = async () => {
        const address = proxyAddress(network.proxy, environmentOf(network));
        const isSecure = url.protocol === "wss:";
        const target = {
          host: url.hostname.replace(/^\[|\]$/g, ""),
          port: Number(url.port || (isSecure ? 443 : 80)),
          isSecure,
        };
        const proxy = address === undefined ? undefined : parseProxy(address);
        return new DuplexStream(
          await dial(target, { proxy, ca: trustOf(network), pin: network.pin }, signal),
        );
      };
      return openRawSocket(connect, url, headers, signal);
    },
  };
}
