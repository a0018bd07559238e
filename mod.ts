/**
 * `@parley/server`: a Parley inside of another program. See docs/EMBEDDING.md.
 *
 * It installs no handler of signals, ends no process, configures no logging and reads no environment.
 * [local 7]
 */
export { createServer, Server, type ServerParts } from "./server.ts";
export {
  type EventFacts,
  type EventKind,
  eventKinds,
  type EventOf,
  type ServerEvent,
} from "./actors/events.ts";
export type { Config } from "./lib/config.ts";
export { ConfigError } from "./lib/read_settings.ts";
export { DataDirError } from "./lib/data_dir.ts";
export type { EventStream, Lagged, StreamOptions } from "./lib/event_streams.ts";
export type { Log, LogProperties } from "./lib/log.ts";
export { serverConfig, type ServerOptions } from "./lib/options.ts";
export type { AccountToken } from "./db/accounts.ts";
export { InvalidLoginError } from "./db/login.ts";
export { LoginTakenError, StoreTooNewError, StoreUnavailableError } from "./db/store.ts";
export { VERSION } from "./version.ts";
