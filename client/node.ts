/** The client library for Node and Deno: all of `mod.ts`, with sockets, proxies and files. */
export * from "./mod.ts";
export { nodeHttpClient, type NodeHttpOptions } from "./node/http_client.ts";
export type { Network } from "./node/network.ts";
export { nodeTransport } from "./node/transport.ts";
