/** The client library for Node and Deno: all of `mod.ts`, with sockets, proxies and files. */
export * from "./mod.ts";
export { browserSignIn, type BrowserSignInOptions } from "./node/browser_sign_in.ts";
export { DevelopmentStore } from "./node/development_store.ts";
export {
  environmentChecksumSeed,
  type EnvironmentOptions,
  environmentOptions,
} from "./node/environment.ts";
export { FileStore, type KeySource, passphraseKey } from "./node/file_store.ts";
export { keyringKey, type KeyringOptions } from "./node/keyring.ts";
export { nodeHttpClient, type NodeHttpOptions } from "./node/http_client.ts";
export type { Network } from "./node/network.ts";
export { readFingerprint } from "./node/read_fingerprint.ts";
export { normalizePin } from "./node/pin.ts";
export { nodeTransport } from "./node/transport.ts";
