/** What actors know of agents' threads and of the desks where hosts and devices meet. [agents 1] */
import type { RowOf } from "../../db/tables.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { ConnectionRef, Inbound } from "./connection.ts";

/** An event as a host sent it, not numbered yet. */
export interface IncomingEvent {
  readonly eventId: string;
  readonly threadId: string;
  /** Unix milliseconds, as the host said. */
  readonly timestamp: number;
  /** Number of the payload's field in `AgentEvent`. */
  readonly kind: number;
  /** The payload's field as it came. */
  readonly payload: Uint8Array;
  /** Why it cannot be taken, whatever its thread. */
  readonly fault?: string;
}

/** What became of an event: its seq, or why it has none. */
export type EventResult =
  | { readonly seq: number }
  | { readonly error: string; readonly retry?: boolean };

/** A command of a device, on its way into a thread. [agents R7] */
export interface AgentRequest {
  readonly connection: ConnectionRef;
  readonly requestId: number;
  readonly commandId: string;
  readonly command: Init<MessageTypes["AgentCommand"]>;
}

/** What a thread of an agent takes. */
export type ThreadMessage =
  /** `hostId`: as whom the sender is registered, if at all. */
  | {
    readonly type: "thread.publish";
    readonly events: readonly IncomingEvent[];
    readonly hostId: string | undefined;
    readonly answer: (results: readonly EventResult[], gate: number) => void;
  }
  /** Begin the thread on that host. */
  | { readonly type: "thread.create"; readonly request: AgentRequest; readonly hostId: string }
  | { readonly type: "thread.command"; readonly request: AgentRequest }
  /** That host runs the thread from now on. */
  | { readonly type: "thread.hosted"; readonly hostId: string }
  /** Its host has come: send what waits. */
  | { readonly type: "thread.deliver" }
  /** The host has answered a command; `error` is why it refused. */
  | {
    readonly type: "thread.command_answered";
    readonly commandId: string;
    readonly error: string | undefined;
  }
  /** The host's connection ended before it answered. */
  | { readonly type: "thread.command_lost"; readonly commandId: string; readonly key: PeerKey }
  /** Nobody waits any longer for the host to answer. */
  | { readonly type: "thread.answer_waiters"; readonly commandId: string }
  /** Commands from before that moment have waited long enough. */
  | { readonly type: "thread.expire_commands"; readonly createdBefore: number }
  /** Remove events up to that one. [agents R8] */
  | { readonly type: "thread.cut"; readonly upTo: number }
  /** Put messages together from their chunks. [agents R8] */
  | {
    readonly type: "thread.fold";
    readonly messages: readonly FoldedMessage[];
    readonly upTo: number;
  }
  /** Forget a thread that was deleted long ago. */
  | { readonly type: "thread.forget" }
  /** The owner's account is gone. */
  | { readonly type: "thread.account_removed" };

/** A completed message whose chunks are not needed any more. */
export interface FoldedMessage {
  /** The `message_completed`, with the text of the chunks. */
  readonly completed: RowOf<"agent_events">;
  /** Stretches of seqs that go: from, to below. */
  readonly chunks: readonly (readonly [from: number, to: number])[];
}

/** An event that is stored, as subscribers get it. */
export interface ThreadEvent {
  readonly seq: number;
  readonly eventId: string;
  readonly timestamp: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

export interface ThreadRef {
  readonly userId: number;
  readonly id: string;
  /** What its rows are found by; 0 for a thread that there is not. */
  readonly number: number;
  /** Last event that is stored. */
  readonly storedSeq: number;
  /** First event that is kept. */
  readonly firstSeq: number;
  /** Stored events behind `after`; undefined when they are not in memory any more. */
  stored(after: number, limit: number): readonly ThreadEvent[] | undefined;
  tell(message: ThreadMessage, gate: number): void;
  /** The database took nothing of what this actor wrote: it starts over from what is stored. */
  refusedByStore(): void;
}

/** Where a user's agents and devices meet: who is there, and who hears of what. */
export interface AgentDeskRef {
  readonly userId: number;
  receive(inbound: Inbound): void;
  /** A thread has stored more: whoever subscribed to it is sent it. */
  advanced(thread: ThreadRef): void;
  /** The connection of a host, when it is there. */
  host(hostId: string): ConnectionRef | undefined;
  connectionLost(key: PeerKey): void;
  /** A device has shown no sign of life for too long. */
  expireSubscription(subscriberId: string, threadId: string): void;
  /** The account is gone. */
  accountRemoved(): void;
  /** Events that the slowest subscriber has not been sent yet. */
  readonly lag: number;
  refusedByStore(): void;
}
