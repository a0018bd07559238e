/** The client library: connections, rooms, projects. For Deno add `transport_deno.ts`. */
export { AgentHost, type AgentHostOptions } from "./agent_host.ts";
export type { AgentEventInit, OutgoingAgentEvent } from "./agent_events.ts";
export type { AgentLink } from "./agent_link.ts";
export { type AgentOutbox, type KeptByHost, MemoryOutbox } from "./agent_outbox.ts";
export {
  type AgentGap,
  AgentSubscription,
  type AgentSubscriptionOptions,
} from "./agent_subscription.ts";
export { Buffer } from "./buffer.ts";
export { ChannelChat, type SayOptions } from "./channel_chat.ts";
export { ChannelNotes, type NotesOptions } from "./channel_notes.ts";
export { type ClientOptions, CollabClient } from "./collab_client.ts";
export { connect, type ConnectOptions, type Credentials } from "./connect.ts";
export type { Account, AccountDocument, AccountUser, Organization } from "./connection/account.ts";
export type { Generation, Random } from "./connection/backoff.ts";
export type { Connection } from "./connection/connection.ts";
export type { Rejoinable } from "./connection/rejoin.ts";
export {
  isConnected,
  isSignedOut,
  isSigningIn,
  type Status,
  type StatusName,
  wasConnected,
} from "./connection/status.ts";
export { MemoryStore } from "./credentials/memory_store.ts";
export type { CredentialStore } from "./credentials/store.ts";
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
  AuthenticationError,
  CanceledError,
  ConnectError,
  ConnectionClosedError,
  OverloadedError,
  RequestError,
  UnauthorizedError,
  UpgradeRequiredError,
  WrongResponseError,
} from "./errors.ts";
export { fetchClient, type FetchOptions } from "./http/fetch_client.ts";
export type { HttpClient, HttpRequest } from "./http/http_client.ts";
export { Following, type Shown } from "./following.ts";
export { type DiffBases, GuestGit } from "./guest_git.ts";
export { GuestProject, type JoinOptions } from "./guest_project.ts";
export { HostGit } from "./host_git.ts";
export { HostProject, type ShareOptions } from "./host_project.ts";
export { Peer, type PeerOptions } from "./peer.ts";
export {
  AgentDeliveryEnum,
  AgentRoleEnum,
  AgentThreadStatusEnum,
  type MessageName,
  type MessageTypes,
} from "../proto/mod.ts";
export type { GitBranch, GitStatusLine, ProjectGit } from "./project_git.ts";
export { type FileInfo, NoSuchFileError, type ProjectFiles } from "./project_files.ts";
export type { RequestName, ResponseOf } from "./responses_table.ts";
export { Room } from "./room.ts";
export {
  pairDevice,
  type Paired,
  type PairingOptions,
  withPairingCode,
} from "./sign_in/pairing.ts";
export { type SignInMethod, type SignInRequest, withToken } from "./sign_in/sign_in_method.ts";
export { withImpersonation } from "./sign_in/impersonation.ts";
export type { Selection } from "./selections.ts";
export { telemetryEndpoint, type TelemetryEndpointOptions } from "./telemetry/endpoint.ts";
export {
  Telemetry,
  type TelemetryAccount,
  type TelemetryEvent,
  type TelemetryOptions,
  type TelemetryProperties,
  type TelemetrySink,
} from "./telemetry/telemetry.ts";
export type { Socket, SocketListener, Transport } from "./transport.ts";
