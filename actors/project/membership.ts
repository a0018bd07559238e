/** Sharing, joining, leaving and coming back to a project. [projects 5] [projects 6] [projects 12] */
import { decode, encode, type Init, messageInfo, type MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { concatBytes, lengthDelimited } from "../../rpc/fields.ts";
import { payloadField } from "../../rpc/frame.ts";
import { peerIdOf, type PeerKey } from "../../rpc/peer_id.ts";
import { knowsBatchedDiagnostics } from "../../lib/app_version.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf, type Turn } from "../turn.ts";
import { checkRole } from "./access.ts";
import type { ProjectContext } from "./context.ts";
import { projectFacts } from "./facts.ts";
import { collaboratorRow } from "./rows.ts";
import { type Collaborator, type ProjectState, wireCollaborator, wireWorktree } from "./state.ts";
import { joinStream } from "./streams.ts";

/** Tables whose rows belong to one project. */
export const PROJECT_TABLES = [
  "project_collaborators",
  "worktrees",
  "worktree_entries",
  "repositories",
  "repository_statuses",
  "diagnostic_summaries",
  "worktree_settings",
  "language_servers",
] as const;

/** `JoinProjectResponse.language_servers`, `RejoinedProject.language_servers`. */
const LANGUAGE_SERVERS = 4;
const JOIN_PROJECT_RESPONSE = messageInfo("JoinProjectResponse").tag as number;

/** Removes everything of a project from the database. */
export function removeProjectRows(turn: Turn, projectId: number): void {
  turn.remove("projects", { id: projectId });
  for (const table of PROJECT_TABLES) turn.remove(table, { project_id: projectId });
}

/** Tells every guest that the project is over. [projects 5.3] */
export function tellUnshared(turn: Turn, project: ProjectState): void {
  const field = fieldOf("UnshareProject", { projectId: BigInt(project.id) });
  for (const guest of project.guests) turn.push(guest.key, field);
}

/** Removes a guest and tells the others, under the peer id that they know. [projects 6.5] */
export function removeGuest(turn: Turn, project: ProjectState, guest: Collaborator): void {
  project.delete(guest);
  turn.remove("project_collaborators", { project_id: project.id, replica_id: guest.replicaId });
  turn.happened("project.left", () => ({ ...projectFacts(project), userId: guest.userId }));
  const field = fieldOf("RemoveProjectCollaborator", {
    projectId: BigInt(project.id),
    peerId: peerIdOf(guest.key),
  });
  for (const one of project.collaborators.values()) turn.push(one.key, field);
}

/** Moves a collaborator to a new connection; the replica id stays. [projects 12.3] */
export function rebind(
  turn: Turn,
  project: ProjectState,
  one: Collaborator,
  key: PeerKey,
): void {
  project.rebind(one, key);
  turn.put("project_collaborators", collaboratorRow(project.id, one));
}

/** The field that tells of a collaborator's new connection. */
export function updatedCollaborator(project: ProjectState, old: PeerKey, key: PeerKey): Uint8Array {
  return fieldOf("UpdateProjectCollaborator", {
    projectId: BigInt(project.id),
    oldPeerId: peerIdOf(old),
    newPeerId: peerIdOf(key),
  });
}

/** [projects 5.3] */
export function handleUnshareProject(context: ProjectContext): void {
  const { turn, project } = context;
  tellUnshared(turn, project);
  context.end();
  context.updateRoom();
}

/** [projects 6.5] */
export function handleLeaveProject(context: ProjectContext): void {
  const { turn, project, inbound } = context;
  const leaver = project.collaborator(inbound.connection.key);
  if (leaver === undefined) throw RpcError.internal("not a collaborator of this project");
  if (leaver.isHost) {
    tellUnshared(turn, project);
    context.end();
  } else {
    context.dropFollowers(leaver.key);
    removeGuest(turn, project, leaver);
  }
  context.updateRoom();
}

/** [projects 6.1] [projects 6.3] */
export function handleJoinProject(context: ProjectContext): void {
  const { system, turn, project, inbound } = context;
  const { connection, requestId } = inbound;
  const request = decode("JoinProject", inbound.payload);
  // First of all: the text below tells whoever reads it the host's version.
  checkRole("reader", context.roleOf(connection.key));
  if (!sameSet(request.features, project.features)) {
    throw RpcError.internal(incompatible(system, project, connection.version.text));
  }
  if (project.collaborator(connection.key) !== undefined) {
    throw RpcError.internal(`this connection has already joined project ${project.id}`);
  }
  const replicaId = project.freeReplicaId();
  if (replicaId === undefined) {
    throw RpcError.internal(`project ${project.id} is full, try again when somebody has left`);
  }
  const others = [...project.collaborators.values()];
  const joiner: Collaborator = {
    key: connection.key,
    userId: connection.userId,
    replicaId,
    isHost: false,
    committerName: request.committerName,
    committerEmail: request.committerEmail,
  };
  project.add(joiner);
  turn.put("project_collaborators", collaboratorRow(project.id, joiner));
  const added = fieldOf("AddProjectCollaborator", {
    projectId: BigInt(project.id),
    collaborator: wireCollaborator(joiner),
  });
  for (const other of others) turn.push(other.key, added);
  turn.happened("project.joined", () => ({ ...projectFacts(project), userId: joiner.userId }));
  const answer = encode("JoinProjectResponse", {
    projectId: BigInt(project.id),
    replicaId,
    worktrees: project.sortedWorktrees().map(wireWorktree),
    collaborators: others.map(wireCollaborator),
    languageServerCapabilities: capabilities(project),
    role: context.roleOf(connection.key) ?? 0,
    windowsPaths: project.windowsPaths,
    features: [...project.features],
  });
  turn.replyField(
    connection,
    requestId,
    payloadField(JOIN_PROJECT_RESPONSE, concatBytes([answer, languageServers(project)])),
  );
  turn.stream(connection, joinStream(project, knowsBatchedDiagnostics(connection.version)));
}

/** One `RejoinedProject` of the answer, as a payload. [projects 12.5] */
export function rejoinedProject(project: ProjectState, rejoiner: PeerKey): Uint8Array {
  return concatBytes([
    encode("RejoinedProject", {
      id: BigInt(project.id),
      worktrees: project.sortedWorktrees().map(wireWorktree),
      collaborators: [...project.collaborators.values()]
        .filter((one) => one.key !== rejoiner)
        .map(wireCollaborator),
      languageServerCapabilities: capabilities(project),
    }),
    languageServers(project),
  ]);
}

/** One `ResharedProject` of the answer: collaborators without the host. [projects 12.5] */
export function resharedProject(
  project: ProjectState,
): Init<MessageTypes["ResharedProject"]> {
  return { id: BigInt(project.id), collaborators: project.guests.map(wireCollaborator) };
}

/** As many as there are servers, in their order: clients pair the two lists. [projects 6.3] */
function capabilities(project: ProjectState): string[] {
  return [...project.languageServers.values()].map((server) => server.capabilities);
}

function languageServers(project: ProjectState): Uint8Array {
  return concatBytes(
    [...project.languageServers.values()].map(({ bytes }) =>
      lengthDelimited(LANGUAGE_SERVERS, bytes)
    ),
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((one) => right.has(one));
}

function incompatible(system: ActorSystem, project: ProjectState, guest: string): string {
  const host = system.registry.connections.get(project.hostKey)?.version.text ?? "unknown";
  return `this project is shared from Zed ${host} and you use Zed ${guest}: these versions cannot ` +
    "edit together, the older one must be updated";
}
