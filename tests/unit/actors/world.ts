import { assert } from "@std/assert";
import { Actors } from "../../../actors/start.ts";
import { type Listeners, noListeners } from "../../../actors/stored_events.ts";
import type { Connection } from "../../../actors/connection/mod.ts";
import { openSqlite } from "../../../db/sqlite/open.ts";
import type { Store } from "../../../db/store.ts";
import { type AgentPolicy, agentPolicy } from "../../../lib/agent_policy.ts";
import { type AppVersion, parseAppVersion } from "../../../lib/app_version.ts";
import { createMetrics } from "../../../lib/metrics.ts";
import { protocolTimes } from "../../../lib/times.ts";
import { mediaOff } from "../../../media/off.ts";
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../../../proto/mod.ts";
import { message, payloadField } from "../../../rpc/frame.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeSocket, type ReadMessage } from "../rpc/fake_socket.ts";
import { FakeLog } from "./fake_system.ts";

/** A signed-in client: what it sends arrives at once, what it is told stays in its socket. */
export class Client {
  readonly socket = new FakeSocket();
  readonly connection: Connection;
  #nextId = 0;

  constructor(actors: Actors, readonly userId: number, version: string) {
    this.connection = actors.connect(this.socket, {
      userId,
      admin: false,
      version: parseAppVersion(version) as AppVersion,
    });
  }

  /** Sends a message; returns its envelope id. */
  send<N extends MessageName>(name: N, value: Init<MessageTypes[N]>, respondingTo = -1): number {
    return this.sendPayload(name, encode(name, value), respondingTo);
  }

  /** Sends a payload as it is. */
  sendPayload(name: MessageName, payload: Uint8Array, respondingTo = -1): number {
    const id = this.#nextId++;
    this.connection.receive(frame(name, payload, id, respondingTo));
    return id;
  }

  /** What this client was told since the last call. */
  take(): ReadMessage[] {
    return this.socket.take();
  }

  /** The first message of that name in what was not taken yet. */
  find(name: MessageName): ReadMessage {
    const found = this.socket.messages.find((one) => one.name === name);
    assert(found !== undefined, `No ${name} among ${this.socket.names.join(", ")}`);
    return found;
  }
}

/** A WebSocket message. */
export function frame(
  name: MessageName,
  payload: Uint8Array,
  id = 0,
  respondingTo = -1,
): Uint8Array {
  const field = payloadField(messageInfo(name).tag as number, payload);
  return message(id, respondingTo, -1, 0, field).slice();
}

/** All actors of a server on a database in memory, with a clock that stands and fake sockets. */
export class World implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly log: FakeLog;
  readonly store: Store;
  readonly actors: Actors;
  readonly failures: string[];
  readonly #users = new Map<string, number>();

  private constructor(parts: Pick<World, "clock" | "log" | "store" | "actors" | "failures">) {
    this.clock = parts.clock;
    this.log = parts.log;
    this.store = parts.store;
    this.actors = parts.actors;
    this.failures = parts.failures;
  }

  static async start(
    wrap: (store: Store) => Store = (store) => store,
    { listeners = noListeners(), agents = {} }: {
      readonly listeners?: Listeners;
      readonly agents?: Partial<AgentPolicy>;
    } = {},
  ): Promise<World> {
    const clock = new FakeClock();
    const log = new FakeLog();
    const store = wrap(await openSqlite({ path: ":memory:", clock }));
    const failures: string[] = [];
    const actors = await Actors.start({
      store,
      clock,
      times: protocolTimes,
      media: mediaOff,
      metrics: createMetrics(),
      log,
      listeners,
      agents: { ...agentPolicy, ...agents },
      avatarUrl: (id) => `http://test/avatars/${id}.png`,
      failed: (error) => void failures.push(error.message),
    });
    return new World({ clock, log, store, actors, failures });
  }

  /** Connects; the account is made when it is not there. */
  async connect(login: string, version = "1.0.0"): Promise<Client> {
    const client = new Client(this.actors, await this.#userOf(login), version);
    await this.settle();
    return client;
  }

  async #userOf(login: string): Promise<number> {
    const known = this.#users.get(login);
    if (known !== undefined) return known;
    const { id } = await this.store.createUser({ login, admin: false });
    this.#users.set(login, id);
    return id;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await this.clock.advanceAsync(0);
  }

  /** Connects several users who are in one room of the first one; they have been told nothing yet. */
  async meet(...logins: readonly string[]): Promise<{ roomId: bigint; clients: Client[] }> {
    const clients: Client[] = [];
    for (const login of logins) clients.push(await this.connect(login));
    const [host, ...guests] = clients as [Client, ...Client[]];
    host.send("CreateRoom", {});
    await this.settle();
    const room = host.find("CreateRoomResponse").value.room as { id: bigint };
    for (const guest of guests) {
      guest.send("RequestContact", { responderId: BigInt(host.userId) });
      await this.settle();
      host.send("RespondToContactRequest", { requesterId: BigInt(guest.userId), response: 0 });
      host.send("Call", { roomId: room.id, calledUserId: BigInt(guest.userId) });
      await this.settle();
      guest.send("Ack", {}, guest.find("IncomingCall").id);
      guest.send("JoinRoom", { id: room.id });
      await this.settle();
      guest.find("JoinRoomResponse");
    }
    for (const client of clients) client.take();
    return { roomId: room.id, clients };
  }

  /** As {@link meet}, in a project of the first one. */
  async share(
    ...logins: readonly string[]
  ): Promise<{ roomId: bigint; projectId: bigint; clients: Client[] }> {
    const { roomId, clients } = await this.meet(...logins);
    const [host, ...guests] = clients as [Client, ...Client[]];
    host.send("ShareProject", {
      roomId,
      worktrees: [{ id: 1n, rootName: "root", absPath: "/root", visible: true }],
    });
    await this.settle();
    const projectId = host.find("ShareProjectResponse").value.projectId as bigint;
    for (const guest of guests) {
      guest.send("JoinProject", { projectId });
      await this.settle();
      guest.find("JoinProjectResponse");
    }
    for (const client of clients) client.take();
    return { roomId, projectId, clients };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.actors.drain();
    await this.settle();
    await this.store.close();
  }
}
