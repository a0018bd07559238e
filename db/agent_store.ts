/** The part of the port to the database that finds threads of agents, and what is due about them. */
import type { RowOf } from "./tables.ts";

/** Payloads that are read at a time: events may be large, and many. */
export const PAGE_BYTES = 1 << 20;

/** The id of an event that is stored, and its place. */
export interface EventId {
  readonly seq: number;
  readonly eventId: string;
}

/** Where a list of threads goes on. */
export interface ThreadPosition {
  /** Unix milliseconds. */
  readonly updatedAt: number;
  readonly number: number;
}

/** A thread by its owner. */
export interface ThreadName {
  readonly userId: number;
  readonly id: string;
}

/** What is due before which moments, Unix milliseconds. */
export interface RetentionLimits {
  /** Events stored earlier are cut. */
  readonly cutBefore: number;
  /** Messages completed earlier are folded. */
  readonly foldBefore: number;
}

/** Reads only: all of it is written through the journal. */
export interface AgentStore {
  /**
   * Events of a thread behind `after`, the oldest first: at most `limit`, and no more than
   * {@link PAGE_BYTES} of payloads behind the first. None means that there are none.
   */
  events(thread: number, after: number, limit: number): Promise<RowOf<"agent_events">[]>;
  /** The same of events before `before`, the newest first. */
  eventsBefore(thread: number, before: number, limit: number): Promise<RowOf<"agent_events">[]>;
  /** Ids of the newest events of a thread, the newest first. [agents R2] */
  newestIds(thread: number, limit: number): Promise<EventId[]>;
  /** The seq of each of the events that is stored. [agents R2] */
  seqsOf(thread: number, eventIds: readonly string[]): Promise<Map<string, number>>;
  /** The last event of a thread that is older than `timestamp`; 0 for none. */
  lastSeqBefore(thread: number, timestamp: number): Promise<number>;

  /** Threads that are not deleted, newest activity first. */
  threads(
    userId: number,
    options: {
      readonly before: ThreadPosition | undefined;
      readonly limit: number;
      readonly archived: boolean;
    },
  ): Promise<RowOf<"agent_threads">[]>;

  /** Threads of which something is to be cut or folded, or whose trace is to go. [agents R8] */
  threadsDue(limits: RetentionLimits, limit: number): Promise<ThreadName[]>;
  /** Threads with commands from before that moment. [agents R7] */
  threadsWithCommandsBefore(createdBefore: number): Promise<ThreadName[]>;
  /** Subscriptions without a sign of life since then. [agents R4] */
  subscriptionsBefore(seenBefore: number): Promise<RowOf<"agent_subscriptions">[]>;
}
