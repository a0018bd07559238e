/** What every actor of one server shares. Nothing of it is module-level: two servers fit one process. */
import type { Clock } from "../lib/clock.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { ProtocolTimes } from "../lib/times.ts";
import type { Store } from "../db/store.ts";
import type { MediaServer } from "../media/port.ts";
import type { Log } from "../lib/log.ts";
import type { PressureMonitor } from "../rpc/outbox.ts";
import type { AccountPolicy } from "./account_policy.ts";
import type { Ids } from "./ids.ts";
import type { Memberships } from "./memberships.ts";
import type { OpenNotes } from "./open_notes.ts";
import type { ConnectionPool } from "./pool.ts";
import type { Journal } from "./journal.ts";
import type { PresenceTable } from "./presence.ts";
import type { Registry } from "./registry.ts";
import type { StoredEvents } from "./stored_events.ts";
import type { Supervisor } from "./supervisor.ts";
import type { AgentDeskRef, NotesRef, RoomRef, ThreadRef, UserRef } from "./refs/mod.ts";
import type { AgentPolicy } from "../lib/agent_policy.ts";
import type { UserDirectory } from "./user_directory.ts";

export interface ActorSystem {
  /** Number of this start of the server; every own peer id carries it. [rooms 1.1] */
  readonly epoch: number;
  readonly clock: Clock;
  readonly times: ProtocolTimes;
  readonly store: Store;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly supervisor: Supervisor;
  readonly presence: PresenceTable;
  readonly pool: ConnectionPool;
  readonly memberships: Memberships;
  readonly openNotes: OpenNotes;
  readonly directory: UserDirectory;
  readonly ids: Ids;
  readonly media: MediaServer;
  /** For programs that embed the server. */
  readonly events: StoredEvents;
  readonly accounts: AccountPolicy;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly pressure: PressureMonitor;
  /** Where clients find a user's picture. */
  avatarUrl(userId: number): string;
  /** The user's actor, made when it is not there. */
  user(id: number): UserRef;
  /** The actor of a channel's notes, made when it is not there. */
  notes(channelId: number): NotesRef;
  readonly agents: AgentPolicy;
  /** The user's desk for agents, made when it is not there. */
  desk(userId: number): AgentDeskRef;
  /** A thread of the user's, made when it is not there: it may turn out that there is none. */
  thread(userId: number, threadId: string): ThreadRef;
  /** A new, empty room under an id that was given out for it; of a channel, when one is named. */
  createRoom(id: number, channelId?: number): RoomRef;
  /** True once the server drains: losses no longer start a grace, state stays for the next epoch. */
  readonly draining: boolean;
}
