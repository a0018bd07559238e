/** The client library: connections, rooms, projects. For Deno add `transport_deno.ts`. */
export { Buffer } from "./buffer.ts";
export { CollabClient } from "./collab_client.ts";
export { connect, type ConnectOptions, type Credentials } from "./connect.ts";
export {
  Dispatcher,
  type EntityHandlers,
  type EntityKind,
  EntitySubscription,
  type MessageContext,
  type MessageHandler,
  type RequestHandler,
} from "./dispatcher.ts";
export {
  ConnectError,
  ConnectionClosedError,
  OverloadedError,
  RequestError,
  UnauthorizedError,
  UpgradeRequiredError,
  WrongResponseError,
} from "./errors.ts";
export { GuestProject, type JoinOptions } from "./guest_project.ts";
export { HostProject, type ShareOptions } from "./host_project.ts";
export { Peer, type PeerOptions } from "./peer.ts";
export { type FileInfo, NoSuchFileError, type ProjectFiles } from "./project_files.ts";
export type { RequestName, ResponseOf } from "./responses_table.ts";
export { Room } from "./room.ts";
export type { Socket, SocketListener, Transport } from "./transport.ts";
