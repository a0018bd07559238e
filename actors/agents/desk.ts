/**
 * Where one user's agents and devices meet: which hosts are connected, which devices hear of what.
 * What it knows by heart is about connections only; everything else is in the database or in the
 * threads. [agents 1]
 */
import type { RowOf } from "../../db/tables.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import type { AgentDeskRef, ConnectionRef, Inbound, ThreadRef } from "../refs/mod.ts";
import { refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import { deskHandlers } from "./handlers.ts";
import { publish } from "./publishing.ts";
import { Subscriber } from "./subscriber.ts";
import { TokenBucket } from "./token_bucket.ts";

/** What the handlers of a desk work with. */
export interface DeskContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly inbound: Inbound;
  readonly desk: AgentDesk;
}

export class AgentDesk extends Entity implements AgentDeskRef {
  readonly kind = "agents";
  readonly userId: number;
  readonly address: string;
  readonly hosts = new Map<string, ConnectionRef>();
  readonly subscribers = new Map<string, Subscriber>();
  readonly #bucket: TokenBucket;

  constructor(system: ActorSystem, userId: number) {
    super(system);
    this.userId = userId;
    this.address = `/users/${userId}/agents`;
    this.#bucket = new TokenBucket(system.agents.eventsPerSecond);
    system.registry.desks.set(userId, this);
    // What it knows by heart is true after a crash too: nothing of it was read from the database.
    this.begin({ first: "live", failed: "forgotten", dispose: () => this.#dispose() });
  }

  get lag(): number {
    return Math.max(0, ...[...this.subscribers.values()].map(({ lag }) => lag));
  }

  receive(inbound: Inbound): void {
    if (inbound.route.message === "PublishAgentEvents") {
      this.#publish(inbound);
      return;
    }
    const kept = this.keep(inbound);
    this.enqueue({
      run: (turn) =>
        decoding(kept, () => {
          const handle = deskHandlers[kept.route.message];
          handle?.({ system: this.system, turn, inbound: kept, desk: this });
        }),
      refused: (error) => refuse(this.system, inbound, error),
    });
  }

  /** The hot path: nothing of it changes the desk. */
  #publish(inbound: Inbound): void {
    try {
      const hostId = this.hostOf(inbound.connection);
      decoding(inbound, () => publish(this.system, inbound, hostId, this.#bucket));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      refuse(this.system, inbound, error);
    }
  }

  advanced(thread: ThreadRef): void {
    for (const subscriber of this.subscribers.values()) subscriber.advanced(thread);
  }

  host(hostId: string): ConnectionRef | undefined {
    const connection = this.hosts.get(hostId);
    // One that is about to go takes nothing more.
    return connection && this.system.registry.connections.has(connection.key)
      ? connection
      : undefined;
  }

  /** As which host the connection has registered. */
  hostOf(connection: ConnectionRef): string | undefined {
    for (const [hostId, one] of this.hosts) if (one === connection) return hostId;
    return undefined;
  }

  /** The device over that connection; whatever connection it had before gets no more. [agents R4] */
  takeOver(subscriberId: string, connection: ConnectionRef): Subscriber {
    const before = this.subscribers.get(subscriberId);
    if (before?.connection === connection) return before;
    before?.end();
    const subscriber = new Subscriber(this.system, subscriberId, connection);
    this.subscribers.set(subscriberId, subscriber);
    return subscriber;
  }

  /** The device has unsubscribed from everything. */
  forget(subscriber: Subscriber): void {
    subscriber.end();
    if (this.subscribers.get(subscriber.id) === subscriber) this.subscribers.delete(subscriber.id);
  }

  /** Signs of life of a device, as rows. */
  seen(rows: readonly RowOf<"agent_subscriptions">[]): void {
    this.enqueue({
      run: (turn) => {
        for (const row of rows) turn.put("agent_subscriptions", row);
      },
    });
  }

  connectionLost(key: PeerKey): void {
    for (const [hostId, connection] of this.hosts) {
      if (connection.key === key) this.hosts.delete(hostId);
    }
    for (const [subscriberId, subscriber] of this.subscribers) {
      if (subscriber.connection.key !== key) continue;
      subscriber.end();
      this.subscribers.delete(subscriberId);
    }
    if (this.hosts.size === 0 && this.subscribers.size === 0 && this.ready) {
      this.rest();
    }
  }

  expireSubscription(subscriberId: string, threadId: string): void {
    this.enqueue({
      run: (turn) => {
        if (this.subscribers.has(subscriberId)) return;
        const key = { user_id: this.userId, subscriber_id: subscriberId };
        turn.remove("agent_subscriptions", { ...key, thread_id: threadId });
        turn.remove("agent_cursors", threadId === "" ? key : { ...key, thread_id: threadId });
      },
    });
  }

  accountRemoved(): void {
    for (const subscriber of this.subscribers.values()) subscriber.end();
    this.subscribers.clear();
    this.hosts.clear();
    if (this.ready) this.rest();
  }

  override refusedByStore(): void {
    this.system.log.warn("{address} goes on without what was not stored", {
      address: this.address,
    });
  }

  #dispose(): void {
    for (const subscriber of this.subscribers.values()) subscriber.end();
    if (this.system.registry.desks.get(this.userId) === this) {
      this.system.registry.desks.delete(this.userId);
    }
  }
}
