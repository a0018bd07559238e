/** One room: the actor whose turns give its state, and its projects' state, one order. [projects 3] */
import { RpcError } from "../../rpc/errors.ts";
import type { Phase } from "../cell.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import { type Handling, timed } from "../handling.ts";
import {
  checkAccess,
  type ProjectContext,
  projectFacts,
  projectHandlers,
  type ProjectState,
  removeProjectRows,
} from "../project/mod.ts";
import type { ConnectionRef, Inbound, RoomMessage, RoomRef } from "../refs/mod.ts";
import { answerError, refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import { canceled } from "./calls.ts";
import {
  dropFollowers,
  type RequestContext,
  type RoomContext,
  tellChannel,
  updateRoom,
} from "./context.ts";
import { roomHandlers, roomMessages } from "./handlers.ts";
import { passOn, passUpdateBuffer, projectOf } from "./passing.ts";
import { ProjectActors, type ProjectsOwner } from "./project_actors.ts";
import { Rings } from "./rings.ts";
import { loadRoom } from "./rows.ts";
import { RoomState } from "./state.ts";
import { unheard, type Unhearing } from "./unheard.ts";

export class Room extends Entity implements RoomRef, ProjectsOwner, Unhearing {
  readonly kind = "room";
  readonly id: number;
  readonly address: string;
  readonly #loaded = Promise.withResolvers<void>();
  #state: RoomState;
  readonly rings = new Rings();
  readonly #projects: ProjectActors;
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
    this.#projects = new ProjectActors(system, this);
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
      refused: (error) => unheard(this, message, error),
    }, gate);
  }

  get hasEnded(): boolean {
    return this.phase === "closed";
  }

  owe(message: RoomMessage): void {
    if (this.phase === "failed") this.#owed.push(message);
  }

  receive(inbound: Inbound): void {
    const handler = roomHandlers[inbound.route.message];
    const kept = this.keep(inbound);
    this.enqueue({
      run: (turn) => {
        const context: RequestContext = { ...this.#context(turn), inbound: kept };
        decoding(inbound, () => handler?.(context));
      },
      refused: (error) => refuse(this.system, inbound, error),
    });
  }

  /** A message for one of the room's projects, in the room's turn. */
  receiveForProject(projectId: number, inbound: Inbound): void {
    if (!this.ready || inbound.route.treatment === "handle") {
      const kept = this.keep(inbound);
      this.enqueue({
        run: (turn) => this.#handleForProject(turn, projectId, kept),
        refused: (error) => refuse(this.system, inbound, error),
      });
      return;
    }
    // What passes through needs no turn: it changes nothing and is spoken at once. [style A5]
    try {
      timed(inbound, () => this.#passOn(projectId, inbound));
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
      passUpdateBuffer(
        this.system,
        this.#state,
        projectId,
        connection,
        requestId,
        original,
        writes,
        handling,
      );
    if (!this.ready) {
      this.enqueue({
        run: () => timed({ handling }, update),
        refused: (error) => answerError({ connection, requestId }, error),
      });
    } else timed({ handling }, update);
  }

  #handleForProject(turn: Turn, projectId: number, inbound: Inbound): void {
    const { route, connection } = inbound;
    if (route.treatment !== "handle") {
      timed(inbound, () => this.#passOn(projectId, inbound));
      return;
    }
    const state = this.#state;
    const project = projectOf(state, projectId);
    checkAccess(route.access, project, connection.key, state.roleOf(connection.key));
    const room = this.#context(turn);
    const context: ProjectContext = {
      system: this.system,
      turn,
      project,
      inbound,
      roleOf: (key) => state.roleOf(key),
      updateRoom: () => updateRoom(room),
      dropFollowers: (key) => dropFollowers(room, (one) => one === key, project.id),
      end: () => room.endProject(project),
    };
    decoding(inbound, () => projectHandlers[route.message]?.(context));
  }

  #passOn(projectId: number, inbound: Inbound): void {
    passOn(this.system, this.#state, projectOf(this.#state, projectId), inbound);
  }

  #context(turn: Turn): RoomContext {
    return {
      system: this.system,
      turn,
      room: this.#state,
      ref: this,
      rings: this.rings,
      addProject: (project) => {
        this.#state.projects.set(project.id, project);
        const host = this.system.registry.connections.get(project.hostKey);
        this.#projects.add(project, host?.admin ?? false);
      },
      endProject: (project) => this.#endProject(turn, project),
      hostMoved: (key) => this.#projects.hostMoved(key),
      later: (run, refused) =>
        this.enqueue({ run: (later) => run(this.#context(later)), ...refused && { refused } }),
      end: () => turn.then(() => this.rest()),
    };
  }

  #endProject(turn: Turn, project: ProjectState): void {
    this.#state.projects.delete(project.id);
    this.#state.followers = this.#state.followers.filter((one) => one.projectId !== project.id);
    turn.remove("followers", { room_id: this.id, project_id: project.id });
    removeProjectRows(turn, project.id);
    turn.happened("project.unshared", () => projectFacts(project));
    this.#projects.end(project.id);
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
    this.#projects.endAll();
    const before = this.#state;
    for (const userId of before.participants.keys()) {
      if (state?.participants.has(userId) === true) continue;
      const user = this.system.user(userId);
      user.tell({ type: "user.unseated", roomId: this.id }, 0);
      user.tell({ type: "user.publish" }, 0);
    }
    this.#stopRinging(before, state);
    if (state === undefined) return false;
    this.#state = state;
    this.#goneElsewhere ||= [...before.departed].some((userId) => !state.participants.has(userId));
    // Those whose leaving was taken back: others believe them free.
    this.#returned = this.generation === 1
      ? []
      : [...state.participants.keys()].filter((userId) => !before.participants.has(userId));
    for (const project of state.projects.values()) {
      this.#projects.add(project, admins.some(({ id }) => id === project.hostUserId));
    }
    return true;
  }

  /** Who answered a call, which was taken back, and is elsewhere now is rung on no device any more. */
  #stopRinging(before: RoomState, now: RoomState | undefined): void {
    const field = canceled(this.id);
    for (const userId of before.rung) {
      // A call that was taken back itself has rung nowhere.
      if (before.pendingParticipants().some((one) => one.userId === userId)) continue;
      if (now?.participants.has(userId) === true) continue;
      this.system.registry.users.get(userId)?.tell({ type: "user.push", field }, 0);
    }
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
    this.#projects.endAll();
    this.system.registry.rooms.delete(this.id);
    this.#endCall();
  }
}
