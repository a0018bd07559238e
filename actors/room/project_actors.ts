/** The projects of a room as others find them: each has an address and a lifecycle of its own. */
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { Handling } from "../handling.ts";
import {
  type ProjectEvent,
  type ProjectPhase,
  type ProjectState,
  startProjectLife,
} from "../project/mod.ts";
import type { ConnectionRef, Inbound, ProjectRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";

/** What takes the messages for a room's projects: the room. */
export interface ProjectsOwner {
  receiveForProject(projectId: number, inbound: Inbound): void;
  updateBuffer(
    projectId: number,
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
    handling: Handling | undefined,
  ): void;
}

class ProjectActor implements ProjectRef {
  readonly id: number;
  readonly project: ProjectState;
  phase: ProjectPhase = "shared";
  readonly send: (event: ProjectEvent) => void;
  /** Whether it is in the number of shared projects. [rooms 17a] */
  readonly counted: boolean;
  readonly #owner: ProjectsOwner;

  constructor(
    owner: ProjectsOwner,
    project: ProjectState,
    hostIsThere: boolean,
    hostIsAdmin: boolean,
  ) {
    this.id = project.id;
    this.project = project;
    this.counted = !hostIsAdmin;
    this.#owner = owner;
    this.send = startProjectLife(hostIsThere ? "shared" : "host away", (phase) => {
      this.phase = phase;
    });
  }

  receive(inbound: Inbound): void {
    this.#owner.receiveForProject(this.id, inbound);
  }

  updateBuffer(
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
    handling: Handling | undefined,
  ): void {
    this.#owner.updateBuffer(this.id, connection, requestId, original, writes, handling);
  }
}

/** Those of one room, in the registry and in the count of shared projects. */
export class ProjectActors {
  readonly #system: ActorSystem;
  readonly #owner: ProjectsOwner;
  readonly #byId = new Map<number, ProjectActor>();

  constructor(system: ActorSystem, owner: ProjectsOwner) {
    this.#system = system;
    this.#owner = owner;
  }

  add(project: ProjectState, hostIsAdmin: boolean): void {
    const { registry, metrics } = this.#system;
    const hostIsThere = registry.connections.has(project.hostKey);
    const actor = new ProjectActor(this.#owner, project, hostIsThere, hostIsAdmin);
    this.#byId.set(project.id, actor);
    registry.projects.set(project.id, actor);
    if (actor.counted) metrics.sharedProjects.inc();
  }

  end(projectId: number): void {
    const actor = this.#byId.get(projectId);
    if (actor === undefined) return;
    const { registry, metrics } = this.#system;
    actor.send({ type: "project.ended" });
    this.#byId.delete(projectId);
    registry.projects.delete(projectId);
    if (actor.counted) metrics.sharedProjects.dec();
  }

  endAll(): void {
    for (const id of [...this.#byId.keys()]) this.end(id);
  }

  /** A host's connection is gone or has come back. */
  hostMoved(key: PeerKey): void {
    const there = this.#system.registry.connections.has(key);
    for (const { project, send } of this.#byId.values()) {
      if (project.hostKey !== key) continue;
      send({ type: there ? "project.host_returned" : "project.host_lost" });
    }
  }
}
