/** What a thread is, as its turns change it. */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { ConnectionRef } from "../refs/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";

/** What clients are told of a thread, without what has a place of its own in {@link ThreadState}. */
export type ThreadDetails = {
  -readonly [F in keyof Init<MessageTypes["AgentThread"]>]: Init<MessageTypes["AgentThread"]>[F];
};

/** Somebody who waits for the answer to a command. */
export interface Waiter {
  readonly connection: ConnectionRef;
  readonly requestId: number;
}

/** One command in the order in which it was taken. [agents R7] */
export interface Command {
  readonly ordinal: number;
  readonly commandId: string;
  readonly hostId: string;
  readonly createdAt: number;
  readonly command: MessageTypes["AgentCommand"];
  state: "waiting" | "taken" | "failed";
  reason: string;
  /** The host's connection that it was sent over, while there may be an answer. */
  sentTo: PeerKey | undefined;
  waiters: Waiter[];
}

/** Ids of events that are kept in memory, besides those of events which are not stored yet. */
const RECENT_IDS = 4_096;

export class ThreadState {
  /** 0: there is no such thread. */
  number = 0;
  hostId = "";
  createdAt = 0;
  updatedAt = 0;
  archived = false;
  deletedAt: number | null = null;
  /** First event that is kept, and last one there is. */
  firstSeq = 1;
  lastSeq = 0;
  foldedSeq = 0;
  /** Up to here the host has its answers. */
  confirmedSeq = 0;
  details: ThreadDetails = {};
  /** Tools that wait for permission. */
  readonly waitingTools = new Set<string>();
  /** Of the last day. */
  readonly commands = new Map<string, Command>();
  lastOrdinal = 0;
  readonly #recentIds = new Map<string, number>();
  /** All ids of events from here on are in memory. */
  #recentFrom = 1;

  /** There is such a thread for its owner to see. */
  get exists(): boolean {
    return this.number !== 0 && this.deletedAt === null;
  }

  /** Whether the ids of all events that are kept are in memory. */
  get knowsAllIds(): boolean {
    return this.#recentFrom <= this.firstSeq;
  }

  /** The memory begins behind that event. */
  knowIdsFrom(seq: number): void {
    this.#recentFrom = seq;
  }

  /** The seq of an event that is known again. */
  recentSeq(eventId: string): number | undefined {
    return this.#recentIds.get(eventId);
  }

  remember(eventId: string, seq: number): void {
    this.#recentIds.set(eventId, seq);
  }

  /** Forgets old ids: the database knows those of events that are stored. */
  forgetIds(storedSeq: number): void {
    for (const [eventId, seq] of this.#recentIds) {
      if (this.#recentIds.size <= RECENT_IDS || seq > storedSeq) return;
      this.#recentIds.delete(eventId);
      this.#recentFrom = Math.max(this.#recentFrom, seq + 1);
    }
  }

  /** Commands that no host has taken, in their order. */
  waitingCommands(): Command[] {
    return [...this.commands.values()].filter(({ state }) => state === "waiting");
  }

  /** The command that has answered for a tool, if one has and the host has not refused it. */
  answerTo(toolUseId: string): Command | undefined {
    return this.waitingCommands().find(({ command }) =>
      (command.useTools ?? command.denyTools)?.toolUseIds.includes(toolUseId)
    );
  }
}
