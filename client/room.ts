/** A call, with the projects that this client shares and has joined in it. [rooms 10] */
import { ChannelRoleEnum, type Participant, type Room as RoomSnapshot } from "../proto/mod.ts";
import type { CollabClient } from "./collab_client.ts";
import { Condition } from "./condition.ts";
import { Following } from "./following.ts";
import { GuestProject, type JoinOptions } from "./guest_project.ts";
import { HostProject, type ShareOptions } from "./host_project.ts";
import { deferred } from "./platform.ts";

/** A room that this client takes part in. A client is in one room at a time. */
export class Room {
  readonly client: CollabClient;
  readonly id: bigint;
  /** Whom this client follows, and what it shows. */
  readonly following: Following;
  #snapshot: RoomSnapshot;
  readonly #hosted = new Map<bigint, HostProject>();
  readonly #joined = new Map<bigint, GuestProject>();
  readonly #state = new Condition();
  /** Resolves with the reason when this client is in the room no more. */
  readonly left: Promise<string>;
  readonly #left = deferred<string>();
  readonly #stops: (() => void)[];

  private constructor(client: CollabClient, snapshot: RoomSnapshot) {
    this.client = client;
    this.id = snapshot.id;
    this.#snapshot = snapshot;
    this.following = new Following(client, this.id);
    this.left = this.#left.promise;
    this.#stops = [
      () => this.following[Symbol.dispose](),
      client.onMessage("RoomUpdated", ({ room }) => this.#take(room)),
      client.keepOpen({
        suspend: () => this.#suspend(),
        rejoin: () => this.#rejoin(),
        abandon: (reason) => this.#close(reason),
      }),
    ];
  }

  /** Makes a room with this client in it. */
  static async create(client: CollabClient): Promise<Room> {
    const { room } = await client.request("CreateRoom", {});
    return new Room(client, required(room));
  }

  /** Joins a room that this user is called into. */
  static async join(client: CollabClient, id: bigint): Promise<Room> {
    const { room } = await client.request("JoinRoom", { id });
    return new Room(client, required(room));
  }

  /** Who takes part. */
  get participants(): readonly Participant[] {
    return this.#snapshot.participants;
  }

  /** The room as the server described it last. */
  get snapshot(): RoomSnapshot {
    return this.#snapshot;
  }

  /** This user's role, of `ChannelRoleEnum`; undefined if he is not in the room. */
  get role(): number | undefined {
    return this.#snapshot.participants.find(({ userId }) => userId === this.client.userId)?.role;
  }

  /** Resolves once the room is as `test` wants it. */
  async until(test: (room: RoomSnapshot) => boolean): Promise<void> {
    await this.#state.until(() => test(this.#snapshot));
  }

  /** Rings a user, who has to be a contact; resolves once somebody's screen shows it. */
  async call(userId: bigint, initialProjectId?: bigint): Promise<void> {
    await this.client.request("Call", {
      roomId: this.id,
      calledUserId: userId,
      ...(initialProjectId !== undefined && { initialProjectId }),
    });
  }

  /** Gives a participant another role, for as long as he stays. [rooms 10.11] */
  async setRole(userId: bigint, role: number): Promise<void> {
    await this.client.request("SetRoomParticipantRole", { roomId: this.id, userId, role });
  }

  /** Shares folders with everybody in the room. */
  async share(options: Omit<ShareOptions, "roomId">): Promise<HostProject> {
    const project = await HostProject.share(this.client, { ...options, roomId: this.id });
    this.#hosted.set(project.id, project);
    return project;
  }

  /** Joins a project that somebody shares in the room. */
  async joinProject(id: bigint, options?: JoinOptions): Promise<GuestProject> {
    const project = await GuestProject.join(this.client, id, options);
    this.#joined.set(id, project);
    project.setReadOnly(!this.#mayEdit);
    project.closed.then(() => this.#joined.delete(id));
    return project;
  }

  /** Tells the others that this user looks at a project. */
  async showLocation(projectId: bigint): Promise<void> {
    await this.client.request("UpdateParticipantLocation", {
      roomId: this.id,
      location: { sharedProject: { id: projectId } },
    });
  }

  /** Ends what this client shares, leaves what it joined, and leaves the room. */
  async leave(): Promise<void> {
    for (const project of this.#hosted.values()) project.unshare();
    for (const project of this.#joined.values()) project.leave();
    this.#close("left");
    await this.client.request("LeaveRoom", {});
  }

  /** Ends it here only. */
  #close(reason: string): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const project of [...this.#hosted.values()]) project[Symbol.dispose]();
    for (const project of [...this.#joined.values()]) project.end(reason);
    this.#hosted.clear();
    this.#state.fail(new Error(`The room was left: ${reason}`));
    this.#left.resolve(reason);
  }

  #suspend(): void {
    this.following.reset();
    for (const project of this.#hosted.values()) project.suspend();
    for (const project of this.#joined.values()) project.suspend("rejoining");
  }

  /** Takes the seat again, and every project, over the client's new connection. [transport 3.10.2] */
  async #rejoin(): Promise<void> {
    for (const [id, project] of this.#hosted) if (!project.isShared) this.#hosted.delete(id);
    const response = await this.client.request("RejoinRoom", {
      id: this.id,
      resharedProjects: [...this.#hosted.values()].map((project) => project.description()),
      rejoinedProjects: [...this.#joined.values()].map((project) => project.description()),
    });
    const work: Promise<void>[] = [];
    for (const reshared of response.resharedProjects) {
      const project = this.#hosted.get(reshared.id);
      if (project !== undefined) work.push(project.reshared(reshared));
    }
    for (const rejoined of response.rejoinedProjects) {
      const project = this.#joined.get(rejoined.id);
      if (project !== undefined) work.push(project.rejoined(rejoined));
    }
    this.#take(response.room);
    await Promise.all(work);
  }

  #take(room: RoomSnapshot | undefined): void {
    if (room?.id !== this.id) return;
    this.#snapshot = room;
    this.#takeRole();
    for (const project of [...this.#joined.values()]) this.#checkShared(project);
    this.#state.changed();
  }

  get #mayEdit(): boolean {
    return this.role === ChannelRoleEnum.Admin || this.role === ChannelRoleEnum.Member;
  }

  /** Roles decide who edits; who has become a guest shares nothing any more. [projects 4] */
  #takeRole(): void {
    for (const project of this.#joined.values()) project.setReadOnly(!this.#mayEdit);
    if (this.role !== ChannelRoleEnum.Guest) return;
    for (const project of this.#hosted.values()) project.unshare();
    this.#hosted.clear();
  }

  /** A project that its host, who is present, does not list any more is over. [projects 5.3] */
  #checkShared(project: GuestProject): void {
    const host = project.collaborators.host;
    const participant = this.#snapshot.participants.find(({ userId }) => userId === host?.userId);
    if (participant === undefined) return;
    if (participant.projects.some(({ id }) => id === project.id)) return;
    project.end("the host does not share it any more");
  }
}

function required(room: RoomSnapshot | undefined): RoomSnapshot {
  if (room === undefined) throw new Error("The server answered without a room");
  return room;
}
