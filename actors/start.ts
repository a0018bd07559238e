/** Brings the actors of one server to life on a store, and lets them go again. [design 1] */
import { type AgentPolicy, agentPolicy } from "../lib/agent_policy.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Metrics } from "../lib/metrics.ts";
import { OwnedClock } from "../lib/owned_clock.ts";
import type { ProtocolTimes } from "../lib/times.ts";
import type { Store } from "../db/store.ts";
import type { MediaServer } from "../media/port.ts";
import { peerKey } from "../rpc/peer_id.ts";
import { AgentDesk, AgentJanitor } from "./agents/mod.ts";
import { AgentThread } from "./thread/mod.ts";
import { type AccountPolicy, plainAccounts } from "./account_policy.ts";
import { type ClientSocket, Connection, type Principal } from "./connection/mod.ts";
import { restoreChannel, restoreChannels } from "./channel/mod.ts";
import { Ids } from "./ids.ts";
import { Journal } from "./journal.ts";
import { Memberships } from "./memberships.ts";
import { openNotes, staleNotes } from "./notes/mod.ts";
import { OpenNotes } from "./open_notes.ts";
import { ConnectionPool } from "./pool.ts";
import { PresenceTable } from "./presence.ts";
import { Pressure } from "./pressure.ts";
import type { AgentDeskRef, NotesRef, RoomRef, ThreadRef, UserRef } from "./refs/mod.ts";
import { Registry, threadKey } from "./registry.ts";
import { createRoom, restoreRoom, restoreRooms } from "./room/mod.ts";
import { Supervisor } from "./supervisor.ts";
import { type Listeners, noListeners, StoredEvents } from "./stored_events.ts";
import type { ActorSystem } from "./system.ts";
import { User } from "./user/mod.ts";
import { UserDirectory } from "./user_directory.ts";

export interface ActorsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly times: ProtocolTimes;
  readonly media: MediaServer;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Nobody connects to this process: it takes no epoch and brings nothing back. */
  readonly idle?: boolean;
  /** What the configuration decides about accounts; without it nobody is staff, no models. */
  readonly accounts?: AccountPolicy;
  /** What the configuration decides about agents. */
  readonly agents?: AgentPolicy;
  /** Who hears of events. */
  readonly listeners?: Listeners;
  avatarUrl(userId: number): string;
  /** The database takes nothing any more: nothing further is spoken, the server must stop. */
  failed(error: Error): void;
}

/** Connections closed in one go when the server stops. */
const DRAIN_BATCH = 500;

/** The actors of one server. */
export class Actors implements ActorSystem {
  readonly epoch: number;
  readonly clock: OwnedClock;
  readonly times: ProtocolTimes;
  readonly store: Store;
  readonly journal: Journal;
  readonly registry = new Registry();
  readonly supervisor: Supervisor;
  readonly presence = new PresenceTable();
  readonly pool = new ConnectionPool();
  readonly memberships = new Memberships();
  readonly openNotes = new OpenNotes();
  readonly directory: UserDirectory;
  readonly ids: Ids;
  readonly media: MediaServer;
  readonly events: StoredEvents;
  readonly accounts: AccountPolicy;
  readonly agents: AgentPolicy;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly pressure: Pressure;
  draining = false;
  readonly #options: ActorsOptions;
  #lastConnection = -1;

  private constructor(options: ActorsOptions, epoch: number, ids: Ids) {
    this.#options = options;
    this.epoch = epoch;
    this.ids = ids;
    this.clock = new OwnedClock(options.clock);
    this.times = options.times;
    this.store = options.store;
    this.media = options.media;
    this.accounts = options.accounts ?? plainAccounts;
    this.agents = options.agents ?? agentPolicy;
    this.metrics = options.metrics;
    this.log = options.log;
    this.supervisor = new Supervisor(this.clock);
    this.directory = new UserDirectory(options.store);
    this.pressure = new Pressure(this.clock, options.times.stuck);
    this.journal = new Journal(options.store, this.clock, {
      committed: (rows, milliseconds) => {
        options.metrics.journalRows.inc(rows);
        options.metrics.journalCommit.observe(milliseconds / 1000);
      },
      refused: (actor, error) => {
        options.metrics.journalRefusedGroups.inc();
        this.#refused(actor, error);
      },
      away: (error) => {
        options.log.error("The database is away, its writes wait: {error}", { error });
      },
      back: (milliseconds) => {
        options.log.warn("The database is back after {seconds} s, nothing was lost", {
          seconds: (milliseconds / 1000).toFixed(1),
        });
      },
      failed: (error) => {
        options.metrics.journalFailures.inc();
        options.log.error("The database takes no writes any more: {error}", { error });
        options.failed(error);
      },
    }, options.times.recovery);
    this.events = new StoredEvents(options.listeners ?? noListeners(), this.journal, this.clock);
  }

  /** Takes a new epoch, brings rooms of earlier ones back, and plans what nobody rejoins. [rooms 15] */
  static async start(options: ActorsOptions): Promise<Actors> {
    // Another process has the rooms and channels of this database, and its epochs.
    if (options.idle === true) return new Actors(options, 0, await Ids.load(options.store));
    const epoch = await options.store.startEpoch();
    const actors = new Actors(options, epoch, await Ids.load(options.store));
    await restoreChannels(actors);
    const rooms = await restoreRooms(actors);
    if (rooms.length > 0) actors.#planCleanUp();
    const notes = await staleNotes(actors);
    if (notes.length > 0) actors.#planNotesCleanUp(notes);
    await AgentJanitor.start(actors);
    return actors;
  }

  user(id: number): UserRef {
    return this.registry.users.get(id) ?? new User(this, id);
  }

  desk(userId: number): AgentDeskRef {
    return this.registry.desks.get(userId) ?? new AgentDesk(this, userId);
  }

  thread(userId: number, threadId: string): ThreadRef {
    return this.registry.threads.get(threadKey(userId, threadId)) ??
      new AgentThread(this, userId, threadId);
  }

  createRoom(id: number, channelId?: number): RoomRef {
    return createRoom(this, id, channelId);
  }

  notes(channelId: number): NotesRef {
    return this.registry.notes.get(channelId) ?? openNotes(this, channelId);
  }

  avatarUrl(userId: number): string {
    return this.#options.avatarUrl(userId);
  }

  /**
   * A new connection of somebody who has proved who they are.
   *
   * @param handshakeOver hears that the initial pushes are queued, or never will be
   */
  connect(
    socket: ClientSocket,
    principal: Principal,
    handshakeOver: () => void = () => {},
  ): Connection {
    const key = peerKey(this.epoch, ++this.#lastConnection);
    return new Connection(this, key, socket, principal, handshakeOver);
  }

  /** Ends what a removed account has open: connections, seat in a room, place among contacts. */
  removeUser(userId: number): void {
    this.directory.forget(userId);
    const message = { type: "user.account_removed", userId } as const;
    // Out of the room first, then out of everybody's contacts.
    this.registry.users.get(userId)?.tell(message, 0);
    for (const user of [...this.registry.users.values()]) {
      if (user.id !== userId) user.tell(message, 0);
    }
    for (const tree of new Set(this.registry.channels.values())) {
      tree.tell({ type: "channel.account_removed", userId }, 0);
    }
    for (const notes of [...this.registry.notes.values()]) {
      notes.tell({ type: "notes.account_removed", userId }, 0);
    }
    this.registry.desks.get(userId)?.accountRemoved();
    for (const thread of [...this.registry.threads.values()]) {
      if (thread.userId === userId) thread.tell({ type: "thread.account_removed" }, 0);
    }
    this.#dropConnectionsOf(userId, "user_removed");
  }

  /** Ends the connections of a user who signed out; clients whose token is still good come back. */
  signOutUser(userId: number): void {
    this.#dropConnectionsOf(userId, "signed_out");
  }

  /** Ends the connections that a token has opened: one device's. */
  signOutToken(tokenId: number): void {
    for (const connection of [...this.registry.connections.values()]) {
      if (connection.tokenId === tokenId) connection.drop("signed_out");
    }
  }

  #dropConnectionsOf(userId: number, reason: "user_removed" | "signed_out"): void {
    for (const connection of [...this.registry.connections.values()]) {
      if (connection.userId === userId) connection.drop(reason);
    }
  }

  /**
   * Closes all connections in batches and waits until everything is stored. Nobody leaves a room:
   * the state is for the next epoch. [rooms 16]
   */
  async drain(): Promise<void> {
    this.draining = true;
    let count = 0;
    for (const connection of [...this.registry.connections.values()]) {
      connection.drain();
      if (++count % DRAIN_BATCH === 0) {
        await new Promise<void>((resolve) => this.clock.setImmediate(resolve));
      }
    }
    if (this.journal.failure !== undefined) return;
    // Shorter than a stop may take: nobody has been told of what waits for a database that is away.
    const limit = this.clock.setTimeout(() => this.journal.giveUp(), this.times.drain / 2);
    await this.journal.settled().catch((error) => {
      this.log.error("The last changes are not stored, nobody was told of them: {error}", {
        error,
      });
    });
    this.clock.clearTimeout(limit);
  }

  #planCleanUp(): void {
    this.clock.setTimeout(() => {
      this.#tellRooms({ type: "room.clean_up" });
    }, this.times.cleanup);
    this.clock.setTimeout(() => {
      this.#tellRooms({ type: "room.drop_absent_callees" });
    }, this.times.reconnectGrace);
  }

  /** [channels 8.7] */
  #planNotesCleanUp(channelIds: readonly number[]): void {
    this.clock.setTimeout(() => {
      if (this.draining) return;
      for (const id of channelIds) {
        if (this.registry.channels.has(id)) this.notes(id).tell({ type: "notes.clean_up" }, 0);
      }
    }, this.times.cleanup);
  }

  #tellRooms(message: Parameters<RoomRef["tell"]>[0]): void {
    if (this.draining) return;
    for (const room of [...this.registry.rooms.values()]) room.tell(message, 0);
  }

  #refused(address: string, error: Error): void {
    this.log.error("{address} starts over, its change is not stored: {error}", { address, error });
    const actor = this.registry.lookup(address);
    const [, kind, name, part] = address.split("/");
    if (actor !== undefined && "refusedByStore" in actor) actor.refusedByStore();
    else if (kind === "rooms") restoreRoom(this, Number(name));
    else if (kind === "channels" && part === undefined) restoreChannel(this, Number(name));
    else if (part === "notes") openNotes(this, Number(name));
  }
}
