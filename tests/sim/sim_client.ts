/** One simulated user at one device: connects, comes back, and keeps what the server tells. */
import { Contacts } from "../../client/contacts.ts";
import { Dispatcher } from "../../client/dispatcher.ts";
import { ConnectionClosedError, RequestError } from "../../client/errors.ts";
import { Peer } from "../../client/peer.ts";
import type { RequestName, ResponseOf } from "../../client/responses_table.ts";
import { samePeer } from "../../client/same_peer.ts";
import {
  ChannelRoleEnum,
  type Init,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import type { RandomSource } from "../support/random.ts";
import { ChannelMembership } from "./channel_membership.ts";
import { handleMessages } from "./client_messages.ts";
import type { GuestProject } from "./guest_project.ts";
import type { HostProject } from "./host_project.ts";
import { Link } from "./network.ts";
import type { Simulation } from "./simulation.ts";

/** How a request ended. */
export type Outcome = "done" | "refused" | "lost";

/** The call that the client is in. */
export interface RoomView {
  readonly id: bigint;
  snapshot: MessageTypes["Room"];
  /** The server knows this connection as the participant's. */
  attached: boolean;
  /** When the connection was lost that was in it. */
  lostAt: number | undefined;
}

/** A client gives a lost call up after this, in milliseconds. [rooms 18] */
const GRACE = 30_000;

const { Admin: ADMIN, Member: MEMBER, Guest: GUEST } = ChannelRoleEnum;

export class SimClient {
  readonly dispatcher = new Dispatcher();
  readonly contacts = new Contacts();
  readonly notifications = new Map<bigint, MessageTypes["Notification"]>();
  /** Channels, with the notes and chats that are open. */
  readonly channels: ChannelMembership;
  /** Calls that ring here, by room. */
  readonly rings = new Map<bigint, MessageTypes["IncomingCall"]>();
  readonly hosted = new Map<bigint, HostProject>();
  readonly joined = new Map<bigint, GuestProject>();
  /** Projects whose `JoinProject` has no answer yet. */
  readonly joining = new Set<bigint>();
  /** Projects of the searches that were asked for, by their handles. */
  readonly searches: bigint[] = [];
  room: RoomView | undefined;
  link: Link | undefined;
  /** Requests that have no end yet. */
  pending = 0;
  /** Leaving was refused: the server lets go only of a connection that is lost. */
  stalled = false;
  /** A way into a channel's call has failed: the call before it may be left already. [channels 7.12.1] */
  mayBeEvicted = false;
  #peer: Peer | undefined;
  #isOnline = false;
  #order = 0;
  readonly #random: RandomSource;

  constructor(
    readonly sim: Simulation,
    readonly index: number,
    readonly name: string,
    readonly userId: bigint,
    readonly version: string,
    random: RandomSource,
  ) {
    this.#random = random;
    this.channels = new ChannelMembership(this);
    handleMessages(this);
  }

  /** Before the versions of 2026. */
  get is2025(): boolean {
    return this.version.startsWith("0.");
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get peer(): Peer {
    if (this.#peer === undefined) throw new Error(`${this.name} has never been connected`);
    return this.#peer;
  }

  /** In a call, and the server knows where. */
  get isInCall(): boolean {
    return this.#isOnline && this.room?.attached === true;
  }

  /** Its role in the call lets it edit. [projects 4] */
  get mayEdit(): boolean {
    const role = this.room?.snapshot.participants.find(({ userId }) => userId === this.userId)
      ?.role;
    return role === ADMIN || role === MEMBER;
  }

  /** Place in the order of what this client sends. */
  nextOrder(): number {
    return ++this.#order;
  }

  /** Connects, and goes on trying. */
  async connect(): Promise<void> {
    const link = new Link(this.sim.clock, this.#random.fork());
    const connection = this.sim.server.accept(
      link,
      Number(this.userId),
      this.version,
      ({ key }) => {
        const user = Number(this.userId);
        this.sim.wire.belongs(key, user);
        const watch = this.sim.channelRecord.watch(key, user, this.name);
        return this.sim.wire.watch(key, this.name, watch);
      },
    );
    if (connection === undefined) return this.#connectLater();
    this.link = link;
    this.stalled = false;
    this.contacts.clear();
    this.rings.clear();
    const peer = new Peer(link.client, { dispatcher: this.dispatcher, clock: this.sim.clock });
    this.#peer = peer;
    peer.closed.then(() => this.#lost(peer));
    try {
      await peer.hello;
    } catch {
      return;
    }
    this.#isOnline = true;
    this.#hello();
  }

  /** Sends a request; its outcome is counted. */
  async ask<N extends RequestName>(
    name: N,
    value: Init<MessageTypes[N]>,
  ): Promise<ResponseOf<N>> {
    const order = this.nextOrder();
    const { peer } = this;
    this.pending++;
    try {
      const answer = await peer.request(name, value);
      this.sim.count(`${name} done`);
      if (FENCES.has(name) && peer === this.#peer) {
        for (const project of this.hosted.values()) project.confirm(order);
      }
      return answer;
    } catch (error) {
      if (error instanceof RequestError) {
        this.sim.count(`${name} refused: ${error.reason.replaceAll(/\d+/g, "n")}`);
        this.sim.trace(() => `${this.name}: ${error.message}`);
      } else if (error instanceof ConnectionClosedError) this.sim.count(`${name} lost`);
      throw error;
    } finally {
      this.pending--;
    }
  }

  async outcome(request: Promise<unknown>): Promise<Outcome> {
    try {
      await request;
      return "done";
    } catch (error) {
      if (error instanceof RequestError) return "refused";
      if (error instanceof ConnectionClosedError) return "lost";
      throw error;
    }
  }

  /** Nobody waits for it. */
  quietly(request: Promise<unknown>): void {
    this.outcome(request).catch((error) => this.sim.fail(`${this.name}: ${error.stack ?? error}`));
  }

  send<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): void {
    this.nextOrder();
    this.peer.send(name, value);
  }

  /** It is in that call now. */
  enter(room: MessageTypes["Room"] | undefined): void {
    if (room === undefined) return this.sim.fail(`${this.name} entered a room without description`);
    this.room = { id: room.id, snapshot: room, attached: true, lostAt: undefined };
    this.mayBeEvicted = false;
    this.rings.delete(room.id);
  }

  /** Leaves the call: hosted projects first. [rooms 18] */
  leave(): void {
    for (const { id } of this.hosted.values()) this.send("UnshareProject", { projectId: id });
    this.forgetRoom();
    this.quietly(this.#leaveRoom());
  }

  async #leaveRoom(): Promise<void> {
    const { peer } = this;
    const outcome = await this.outcome(this.ask("LeaveRoom", {}));
    if (outcome === "refused" && peer === this.#peer) this.stalled = true;
  }

  forgetRoom(): void {
    this.room = undefined;
    for (const project of [...this.hosted.values(), ...this.joined.values()]) this.forget(project);
  }

  /** The project is nothing to this client any more. */
  forget(project: HostProject | GuestProject): void {
    project.detach();
    this.hosted.delete(project.id);
    this.joined.delete(project.id);
  }

  /** The newest description of its call. */
  roomUpdated(room: MessageTypes["Room"] | undefined): void {
    if (this.room === undefined || room === undefined || room.id !== this.room.id) return;
    for (const project of this.joined.values()) {
      const host = room.participants.find((one) => samePeer(one.peerId, project.host?.peerId));
      const isShared = host === undefined || host.projects.some(({ id }) => id === project.id);
      if (!isShared && project.attached) this.forget(project);
    }
    this.room.snapshot = room;
    for (const project of this.hosted.values()) project.rolesChanged(room.participants);
    const own = room.participants.find(({ userId }) => userId === this.userId);
    if (own?.role !== GUEST) return;
    // Who may only read shares nothing. [projects 4]
    for (const project of this.hosted.values()) {
      this.send("UnshareProject", { projectId: project.id });
      this.forget(project);
    }
  }

  #connectLater(): void {
    const pause = 200 + this.#random.int(1_500);
    this.sim.clock.setTimeout(() => this.quietly(this.connect()), pause);
  }

  #lost(peer: Peer): void {
    if (peer !== this.#peer) return;
    this.#isOnline = false;
    this.sim.lossAt = this.sim.clock.now();
    this.rings.clear();
    if (this.room !== undefined) {
      this.room.attached = false;
      this.room.lostAt ??= this.sim.clock.now();
    }
    for (const project of this.hosted.values()) project.detach();
    for (const project of this.joined.values()) project.detach();
    this.channels.lost();
    this.#connectLater();
  }

  /** What clients do right after `Hello`. [rooms 4.7] */
  #hello(): void {
    this.quietly(this.#loadNotifications());
    this.channels.connected();
    if (this.room === undefined) return;
    if (this.sim.clock.now() - (this.room.lostAt as number) > GRACE) this.forgetRoom();
    else this.quietly(this.#rejoin(this.room));
  }

  /** Page by page, the newest first. [channels 4.5] */
  async #loadNotifications(): Promise<void> {
    const { peer } = this;
    let answer = await this.ask("GetNotifications", {});
    this.notifications.clear();
    while (peer === this.#peer) {
      for (const one of answer.notifications) this.notifications.set(one.id, one);
      const [first] = answer.notifications;
      if (answer.done || first === undefined) return;
      answer = await this.ask("GetNotifications", { beforeId: first.id });
    }
  }

  async #rejoin(room: RoomView): Promise<void> {
    const listed = new Map(
      [...this.hosted.values()].map((one) => [one.id, new Set(one.worktrees.keys())]),
    );
    const joined = [...this.joined.values()];
    const { peer } = this;
    let answer: MessageTypes["RejoinRoomResponse"];
    try {
      answer = await this.ask("RejoinRoom", {
        id: room.id,
        resharedProjects: [...this.hosted.values()].map((one) => ({
          projectId: one.id,
          worktrees: one.metadata(),
        })),
        rejoinedProjects: joined.map((one) => one.known()),
      });
    } catch (error) {
      if (!(error instanceof RequestError) || this.room !== room) return;
      this.forgetRoom();
      return await this.#leaveRoom();
    }
    if (this.room !== room || peer !== this.#peer) return;
    this.enter(answer.room);
    for (const project of [...this.hosted.values()]) {
      const reshared = answer.resharedProjects.find(({ id }) => id === project.id);
      if (reshared === undefined) this.forget(project);
      else project.attach(reshared.collaborators, listed.get(project.id) ?? new Set());
    }
    for (const project of joined) {
      const rejoined = answer.rejoinedProjects.find(({ id }) => id === project.id);
      if (rejoined === undefined) this.forget(project);
      else if (this.joined.has(project.id)) project.attach(rejoined);
    }
  }
}

/** Requests that the room handles: their answer says that what was told before has arrived. */
const FENCES: ReadonlySet<string> = new Set([
  "UpdateParticipantLocation",
  "UpdateWorktree",
  "UpdateProject",
  "UpdateRepository",
]);
