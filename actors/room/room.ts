/** One room: the actor whose turns give its state, and its projects' state, one order. [projects 3] */
import { RpcError } from "../../rpc/errors.ts";
import { errorField } from "../../rpc/outbox.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import { type Route, routes } from "../../rpc/routes.ts";
import type { Phase } from "../cell.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import {
  ask,
  checkAccess,
  type ProjectContext,
  type ProjectEvent,
  projectFacts,
  projectHandlers,
  type ProjectPhase,
  type ProjectState,
  removeProjectRows,
  startProjectLife,
  tell,
  tellOthers,
} from "../project/mod.ts";
import { type Handling, timed } from "../handling.ts";
import { refuse } from "../refuse.ts";
import type { ConnectionRef, Inbound, ProjectRef, RoomMessage, RoomRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf, type Turn } from "../turn.ts";
import {
  dropFollowers,
  type RequestContext,
  type RoomContext,
  tellChannel,
  updateRoom,
} from "./context.ts";
import { orderIn } from "./administering.ts";
import { roomHandlers, roomMessages } from "./handlers.ts";
import { addFollower, handleFollow } from "./following.ts";
import { Rings } from "./rings.ts";
import { loadRoom } from "./rows.ts";
import { RoomState } from "./state.ts";

const ACK = fieldOf("Ack", {});

/** What a host may answer to a forwarded `UpdateBuffer`. */
const UPDATE_BUFFER = routes.find(({ message }) => message === "UpdateBuffer") as Route;

/** A live project of the room: its address and its lifecycle. */
class ProjectActor implements ProjectRef {
  readonly id: number;
  phase: ProjectPhase = "shared";
  readonly send: (event: ProjectEvent) => void;
  /** Whether it is in the number of shared projects. [rooms 17a] */
  readonly counted: boolean;
  readonly #room: Room;

  constructor(room: Room, project: ProjectState, hostIsThere: boolean, hostIsAdmin: boolean) {
    this.id = project.id;
    this.counted = !hostIsAdmin;
    this.#room = room;
    this.send = startProjectLife(hostIsThere ? "shared" : "host away", (phase) => {
      this.phase = phase;
    });
  }

  receive(inbound: Inbound): void {
    this.#room.receiveForProject(this.id, inbound);
  }

  updateBuffer(
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
    handling: Handling | undefined,
  ): void {
    this.#room.updateBuffer(this.id, connection, requestId, original, writes, handling);
  }
}

export class Room extends Entity implements RoomRef {
  readonly kind = "room";
  readonly id: number;
  readonly address: string;
  readonly #loaded = Promise.withResolvers<void>();
  #state: RoomState;
  readonly #projects = new Map<number, ProjectActor>();
  readonly #rings = new Rings();
  /** What it must still hear: it was out of order. */
  readonly #owed: RoomMessage[] = [];
  /** The chart has entered `live`, and nobody has been told yet. */
  #arrived = false;
  /** Users whom the database still has in the room, though a turn that was taken back had not. */
  #returned: number[] = [];
  /** Somebody left whom the database does not have here, and the turn that said so may be lost. */
  #goneElsewhere = false;

  /** @param fresh the state of a room that is made now; without it the room is read from the store */
  constructor(system: ActorSystem, id: number, fresh: RoomState | undefined) {
    super(system);
    this.id = id;
    this.address = `/rooms/${id}`;
    this.#state = fresh ?? new RoomState(id, "", undefined);
    system.registry.rooms.set(id, this);
    this.begin({
      first: fresh === undefined ? "loading" : "live",
      load: (signal) => this.#load(signal),
      failed: "out of order",
      dispose: () => this.#dispose(),
    });
  }

  /** Resolves when the room is live for the first time, or could not be loaded. */
  whenLoaded(): Promise<void> {
    return this.#loaded.promise;
  }

  tell(message: RoomMessage, gate: number): void {
    this.enqueue({
      run: (turn) => roomMessages(this.#context(turn), message),
      refused: (error) => this.#unheard(message, error),
    }, gate);
  }

  /** Somebody waits for an answer to a message that this room does not take any more. */
  #unheard(message: RoomMessage, error: RpcError): void {
    orderIn(message)?.(error, 0);
    switch (message.type) {
      case "room.create": {
        const { connection, requestId } = message;
        this.system.user(connection.userId).tell({ type: "user.unseated", roomId: this.id }, 0);
        connection.outbox.push(errorField(error.code, error.message), requestId, 0);
        return;
      }
      case "room.leave":
        if (message.request === undefined) this.#owe(message);
        else {
          const { connection, requestId } = message.request;
          connection.outbox.push(
            this.phase === "closed" ? ACK : errorField(error.code, error.message),
            requestId,
            0,
          );
        }
        return;
      case "room.call_allowed":
        this.system.user(message.userId).tell({ type: "user.unseated", roomId: this.id }, 0);
        this.#failRing(message.ticket, error);
        return;
      case "room.call_refused":
      case "room.ring_ended":
        this.#failRing(message.ticket, error);
        return;
      case "room.evict":
      case "room.join_channel":
        this.#unjoined(message, error);
        return;
      case "room.role_allowed": {
        const { connection, requestId } = message.change;
        connection.outbox.push(errorField(error.code, error.message), requestId, 0);
        return;
      }
      case "room.callee_gone":
      case "room.clean_up":
      case "room.drop_absent_callees":
        this.#owe(message);
    }
  }

  /** A user on the way to a channel's call cannot leave this room, or cannot enter it. */
  #unjoined(
    { type, join }: Extract<RoomMessage, { type: "room.evict" | "room.join_channel" }>,
    error: RpcError,
  ): void {
    const user = this.system.user(join.connection.userId);
    if (this.phase !== "closed") user.tell({ type: "user.join_ended", join, error }, 0);
    else user.tell({ type: type === "room.evict" ? "user.evicted" : "user.join_again", join }, 0);
  }

  /** Nobody says it twice: a room that is out of order hears of it when it is back. */
  #owe(message: RoomMessage): void {
    if (this.phase === "failed") this.#owed.push(message);
  }

  #failRing(ticket: number, error: RpcError): void {
    const ring = this.#rings.take(ticket);
    ring?.caller.outbox.push(errorField(error.code, error.message), ring.requestId, 0);
  }

  receive(inbound: Inbound): void {
    const handler = roomHandlers[inbound.route.message];
    const kept = this.ready ? inbound : { ...inbound, payload: inbound.payload.slice() };
    this.enqueue({
      run: (turn) => {
        const context: RequestContext = { ...this.#context(turn), inbound: kept };
        decoding(inbound, () => {
          if (inbound.route.message === "Follow") {
            handleFollow(context, (pair) => this.#follow(pair));
          } else handler?.(context);
        });
      },
      refused: (error) => refuse(this.system, inbound, error),
    });
  }

  /** A message for one of the room's projects, in the room's turn. */
  receiveForProject(projectId: number, inbound: Inbound): void {
    if (!this.ready) {
      const kept = { ...inbound, payload: inbound.payload.slice() };
      this.enqueue({
        run: (turn) => this.#handleForProject(turn, projectId, kept),
        refused: (error) => refuse(this.system, inbound, error),
      });
      return;
    }
    if (inbound.route.treatment === "handle") {
      this.enqueue({
        run: (turn) => this.#handleForProject(turn, projectId, inbound),
        refused: (error) => refuse(this.system, inbound, error),
      });
      return;
    }
    // What passes through needs no turn: it changes nothing and is spoken at once. [style A5]
    try {
      timed(inbound, () => this.#pass(this.#project(projectId), inbound));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      refuse(this.system, inbound, error);
    }
  }

  /** The hot path. [projects 9.3] */
  updateBuffer(
    projectId: number,
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
    handling: Handling | undefined,
  ): void {
    const update = () =>
      this.#updateBuffer(projectId, connection, requestId, original, writes, handling);
    if (!this.ready) {
      this.enqueue({
        run: () => timed({ handling }, update),
        refused: (error) =>
          connection.outbox.push(errorField(error.code, error.message), requestId, 0),
      });
    } else timed({ handling }, update);
  }

  #updateBuffer(
    projectId: number,
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
    handling: Handling | undefined,
  ): void {
    let project: ProjectState;
    try {
      project = this.#project(projectId);
      checkAccess(
        writes ? "editor" : "reader",
        project,
        connection.key,
        this.#roleOf(connection.key),
      );
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      connection.outbox.push(errorField(error.code, error.message), requestId, 0);
      return;
    }
    const { connections } = this.system.registry;
    let slow: ConnectionRef[] | undefined;
    let receivers = 0;
    for (const guest of project.guests) {
      if (guest.key === connection.key) continue;
      const receiver = connections.get(guest.key);
      if (receiver === undefined) continue;
      receiver.outbox.forward(original, -1, connection.ownerId, connection.id);
      receivers++;
      if (receiver.outbox.congested) (slow ??= []).push(receiver);
    }
    this.system.metrics.messagesForwarded.inc(receivers);
    if (project.hostKey !== connection.key) {
      const question = { connection, requestId, original, route: UPDATE_BUFFER, handling };
      ask(this.system, question, project.hostKey);
    } else if (slow === undefined) connection.outbox.push(ACK, requestId, 0);
    else acknowledgeWhenRelieved(connection, requestId, slow);
  }

  #handleForProject(turn: Turn, projectId: number, inbound: Inbound): void {
    const project = this.#project(projectId);
    const { route, connection } = inbound;
    if (route.treatment !== "handle") {
      timed(inbound, () => this.#pass(project, inbound));
      return;
    }
    checkAccess(route.access, project, connection.key, this.#roleOf(connection.key));
    const room = this.#context(turn);
    const context: ProjectContext = {
      system: this.system,
      turn,
      project,
      inbound,
      roleOf: (key) => this.#roleOf(key),
      updateRoom: () => updateRoom(room),
      dropFollowers: (key) => dropFollowers(room, (one) => one === key, project.id),
      end: () => room.endProject(project),
    };
    decoding(inbound, () => projectHandlers[route.message]?.(context));
  }

  #pass(project: ProjectState, inbound: Inbound): void {
    const { route, connection, requestId } = inbound;
    const { registry } = this.system;
    checkAccess(route.access, project, connection.key, this.#roleOf(connection.key));
    this.system.metrics.messagesForwarded.inc();
    switch (route.treatment) {
      case "ask host":
      case "ask host for a stream":
        ask(this.system, inbound, project.hostKey);
        return;
      case "tell host":
        tell(registry, inbound, project.hostKey);
        if (route.answers.length > 0) connection.outbox.push(ACK, requestId, 0);
        return;
      case "tell others":
        tellOthers(registry, project, inbound);
        return;
      case "tell peer":
      case "ask peer": {
        const target = project.collaborator(inbound.peer);
        if (target === undefined) throw RpcError.internal("no such connection in this project");
        if (route.treatment === "tell peer") tell(registry, inbound, target.key);
        else ask(this.system, inbound, target.key);
        return;
      }
      default:
        throw new Error(`Cannot pass ${route.message} on: its treatment is "${route.treatment}"`);
    }
  }

  #project(id: number): ProjectState {
    const project = this.#state.projects.get(id);
    if (project === undefined) throw RpcError.internal(`no such project: ${id}`);
    return project;
  }

  #roleOf(key: PeerKey): number | undefined {
    return this.#state.active.get(key)?.role;
  }

  #follow(pair: Parameters<typeof addFollower>[1]): void {
    this.enqueue({ run: (turn) => addFollower(this.#context(turn), pair) });
  }

  #context(turn: Turn): RoomContext {
    return {
      system: this.system,
      turn,
      room: this.#state,
      ref: this,
      rings: this.#rings,
      addProject: (project) => {
        this.#state.projects.set(project.id, project);
        const host = this.system.registry.connections.get(project.hostKey);
        this.#address(project, host?.admin ?? false);
      },
      endProject: (project) => this.#endProject(turn, project),
      hostMoved: (key) => this.#hostMoved(key),
      later: (task) => this.enqueue(task),
      end: () => turn.then(() => this.rest()),
    };
  }

  #endProject(turn: Turn, project: ProjectState): void {
    this.#state.projects.delete(project.id);
    this.#state.followers = this.#state.followers.filter((one) => one.projectId !== project.id);
    turn.remove("followers", { room_id: this.id, project_id: project.id });
    removeProjectRows(turn, project.id);
    turn.happened("project.unshared", () => projectFacts(project));
    this.#unaddress(project.id);
  }

  /** Tells the projects' charts that a host's connection is gone or has come back. */
  #hostMoved(key: PeerKey): void {
    for (const project of this.#state.projects.values()) {
      if (project.hostKey !== key) continue;
      const there = this.system.registry.connections.has(key);
      this.#projects.get(project.id)?.send({
        type: there ? "project.host_returned" : "project.host_lost",
      });
    }
  }

  #address(project: ProjectState, hostIsAdmin: boolean): void {
    const there = this.system.registry.connections.has(project.hostKey);
    const actor = new ProjectActor(this, project, there, hostIsAdmin);
    this.#projects.set(project.id, actor);
    this.system.registry.projects.set(project.id, actor);
    if (actor.counted) this.system.metrics.sharedProjects.inc();
  }

  #unaddress(projectId: number): void {
    const actor = this.#projects.get(projectId);
    if (actor === undefined) return;
    actor.send({ type: "project.ended" });
    this.#projects.delete(projectId);
    this.system.registry.projects.delete(projectId);
    if (actor.counted) this.system.metrics.sharedProjects.dec();
  }

  override entered(phase: Phase): void {
    super.entered(phase);
    this.#arrived = phase === "live";
    if (phase !== "loading") this.#loaded.resolve();
  }

  /** A room that is live again, or for the first time, tells its people so before anything else. */
  override settled(): void {
    const arrived = this.#arrived;
    this.#arrived = false;
    if (arrived) {
      for (const one of this.#state.participants.values()) {
        this.system.user(one.userId).tell({
          type: "user.seated",
          roomId: this.id,
          active: one.key !== undefined,
          key: one.key,
        }, 0);
      }
    }
    super.settled();
    if (!arrived) return;
    this.#tellAnew();
    for (const userId of this.#returned.splice(0)) {
      this.system.user(userId).tell({ type: "user.publish" }, 0);
    }
    for (const message of this.#owed.splice(0)) this.tell(message, 0);
  }

  /** A room that is not stored has lost the turn that made it, or ended it: it is over. */
  async #load(signal: AbortSignal): Promise<boolean> {
    await this.system.journal.settled();
    const state = await loadRoom(this.system.store, this.id);
    const hosts = [...state?.projects.values() ?? []].map(({ hostUserId }) => hostUserId);
    const admins = (await this.system.directory.find(hosts)).filter(({ admin }) => admin);
    if (signal.aborted) return false;
    for (const id of [...this.#projects.keys()]) this.#unaddress(id);
    const before = this.#state;
    for (const userId of before.participants.keys()) {
      if (state?.participants.has(userId) === true) continue;
      const user = this.system.user(userId);
      user.tell({ type: "user.unseated", roomId: this.id }, 0);
      user.tell({ type: "user.publish" }, 0);
    }
    if (state === undefined) return false;
    this.#state = state;
    this.#goneElsewhere ||= [...before.departed].some((userId) => !state.participants.has(userId));
    // Those whose leaving was taken back: others believe them free.
    this.#returned = this.generation === 1
      ? []
      : [...state.participants.keys()].filter((userId) => !before.participants.has(userId));
    for (const project of state.projects.values()) {
      this.#address(project, admins.some(({ id }) => id === project.hostUserId));
    }
    return true;
  }

  /**
   * The channel may have heard of what was taken back. And the people may have missed what was said of it
   * together with something that is stored, or who is gone: a user whose leaving was taken back here has
   * lost this seat all the same to one that he took elsewhere.
   */
  #tellAnew(): void {
    const { missed } = this;
    this.missed = false;
    const goneElsewhere = this.#goneElsewhere;
    this.#goneElsewhere = false;
    if (this.#state.participants.size === 0) return;
    this.enqueue({
      run: (turn) => {
        const context = this.#context(turn);
        if (goneElsewhere || missed) updateRoom(context);
        tellChannel(context, { announce: true });
      },
    });
  }

  /** A room that ends otherwise than by its last one's leaving has not told the channel. */
  #endCall(): void {
    const { channelId } = this.#state;
    if (channelId === undefined) return;
    this.system.registry.channels.get(channelId)?.tell({
      type: "channel.call_changed",
      channelId,
      roomId: this.id,
      active: [],
      seated: [],
      ended: true,
      announce: this.generation > 1,
    }, 0);
  }

  #dispose(): void {
    for (const id of [...this.#projects.keys()]) this.#unaddress(id);
    this.system.registry.rooms.delete(this.id);
    this.#endCall();
  }
}

/** [design 1.8] */
function acknowledgeWhenRelieved(
  connection: ConnectionRef,
  requestId: number,
  slow: readonly ConnectionRef[],
): void {
  let waiting = slow.length;
  for (const one of slow) {
    one.outbox.whenRelieved(() => {
      if (--waiting === 0) connection.outbox.push(ACK, requestId, 0);
    });
  }
}
