/** One signed-in connection, and what comes from it. */
import type { AppVersion } from "../../lib/app_version.ts";
import type { DroppedReason } from "../../lib/metrics.ts";
import type { Outbox } from "../../rpc/outbox.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { Route } from "../../rpc/routes.ts";
import type { ForwardedRequest } from "../forwarded_request.ts";
import type { Handling } from "../handling.ts";

/** A message from a client, on its way to the actor that handles it. */
export interface Inbound {
  readonly route: Route;
  readonly connection: ConnectionRef;
  /** Envelope id: what an answer responds to. */
  readonly requestId: number;
  /** The WebSocket message as it came, to be passed on. */
  readonly original: Uint8Array;
  /** The payload's plain bytes; valid until the turn ends. */
  readonly payload: Uint8Array;
  /** The peer that the payload's routing field names, `NO_PEER` without one. */
  readonly peer: PeerKey;
  /** It holds operations that only editors may send, where its route asks for that. */
  readonly writes: boolean;
  /** Where its times are told. [rooms 5.8] */
  readonly handling?: Handling | undefined;
}

/** One signed-in connection. */
export interface ConnectionRef {
  readonly key: PeerKey;
  readonly ownerId: number;
  readonly id: number;
  readonly userId: number;
  readonly admin: boolean;
  readonly version: AppVersion;
  /** Whether it counts as staff's: of an administrator who acts as a user it always does. [rooms 3.8] */
  readonly staff: boolean;
  /** Whether its clients are told of the plan that costs: staff's, or paid for. [rooms 4.5] */
  readonly pro: boolean;
  /** The access token that opened it; null for what else the server accepts. */
  readonly tokenId: number | null;
  /** The administrator who acts as the user. [rooms 3.8] */
  readonly impersonatorId: number | null;
  /** Network address of the client, or of the proxy before it, where it is known. */
  readonly clientAddress: string | null;
  /** Unix milliseconds. */
  readonly connectedAt: number;
  readonly outbox: Outbox;
  /** Requests of this connection that wait for another client. */
  readonly asking: Set<ForwardedRequest>;
  /** Reads of the database that its requests wait for. */
  reads: number;
  /** Who hears of its end at once, beside its user. [channels 11.3] */
  readonly watchers: Set<ConnectionWatcher>;
  /** Channels whose notes it had open when they ended for it, before its user had subscribed. */
  readonly closedNotes: Set<number>;
  /** The initial pushes are queued: the connection's own messages may be handled. [rooms 4.2] */
  opened(): void;
  /** Ends it: the socket is closed, the loss procedure runs. */
  drop(reason: DroppedReason): void;
  /** Ends it without a reason to tell: the server stops. */
  drain(): void;
}

/** An actor that connections have joined as such, not as their users. */
export interface ConnectionWatcher {
  connectionLost(key: PeerKey): void;
}
