/** `@parley/server/local`: a server of the local mode inside of another program. See docs/EMBEDDING.md. */
export * from "./mod.ts";
export { createLocalServer, type LocalPlace, LocalServer } from "./local_server.ts";
export type { LocalConfig } from "./lib/local_config.ts";
export { localConfig, type LocalOptions } from "./lib/options.ts";
