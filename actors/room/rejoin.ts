/** Coming back after a lost connection or a restart of the server. [rooms 10.9] [projects 12] */
import { decode, encode, messageInfo } from "../../proto/mod.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { knowsBatchedDiagnostics } from "../../lib/app_version.ts";
import { RpcError } from "../../rpc/errors.ts";
import { concatBytes, lengthDelimited } from "../../rpc/fields.ts";
import { frameOf, payloadField } from "../../rpc/frame.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import {
  applyWorktreeList,
  checkWorktreeList,
  type Collaborator,
  type Known,
  projectRow,
  type ProjectState,
  rebind,
  rejoinedProject,
  rejoinStream,
  removeGuest,
  resharedProject,
  sharedFacts,
  tellSettings,
  tellUnshared,
  updatedCollaborator,
} from "../project/mod.ts";
import { fieldOf } from "../turn.ts";
import {
  dropFollowers,
  type RequestContext,
  saveParticipant,
  tellChannel,
  updateRoom,
} from "./context.ts";

const REJOIN_ROOM_RESPONSE = messageInfo("RejoinRoomResponse").tag as number;
/** `RejoinRoomResponse.rejoined_projects`. */
const REJOINED_PROJECTS = 3;

interface Reshared {
  readonly project: ProjectState;
  readonly host: Collaborator;
  readonly request: MessageTypes["UpdateProject"];
}

interface Rejoined {
  readonly project: ProjectState;
  readonly guest: Collaborator;
  readonly known: Known;
}

export function handleRejoinRoom(context: RequestContext): void {
  const { turn, room, inbound } = context;
  const { connection, requestId } = inbound;
  const { key, userId } = connection;
  const request = decode("RejoinRoom", inbound.payload);

  // Look at everything first: an error undoes everything.
  const participant = room.participants.get(userId);
  if (participant?.key === undefined) {
    throw RpcError.internal("room does not exist or was already left");
  }
  const reshared = distinct(request.resharedProjects, (one) => one.projectId)
    .map((one) => findReshared(context, one));
  const rejoined = distinct(request.rejoinedProjects, (one) => one.id)
    .map((one) => findRejoined(context, one, participant.key as PeerKey))
    .filter((one) => one !== undefined);

  const old = participant.key;
  room.bind(participant, key);
  saveParticipant(context, participant);
  dropFollowers(context, (one) => one === old && old !== key);

  const moves: (() => void)[] = [];
  for (const { project, host, request } of reshared) {
    const before = host.key;
    project.hostKey = key;
    rebind(turn, project, host, key);
    turn.put("projects", projectRow(project));
    applyWorktreeList(turn, project, request.worktrees);
    turn.happened("project.changed", () => sharedFacts(project));
    moves.push(() => tellReshared(context, project, before, request));
  }
  const listed = new Set(reshared.map(({ project }) => project));
  for (const project of [...room.projects.values()]) {
    if (project.hostUserId === userId && !listed.has(project)) {
      tellUnshared(turn, project);
      context.endProject(project);
    }
  }
  const streams: (() => void)[] = [];
  for (const { project, guest, known } of rejoined) {
    if (!room.projects.has(project.id)) continue;
    const before = guest.key;
    rebind(turn, project, guest, key);
    moves.push(() => {
      const field = updatedCollaborator(project, before, key);
      for (const one of project.collaborators.values()) {
        if (one !== guest) turn.push(one.key, field);
      }
    });
    streams.push(() =>
      turn.stream(
        connection,
        rejoinStream(project, known, knowsBatchedDiagnostics(connection.version)),
      )
    );
  }
  const present = new Set(rejoined.map(({ guest }) => guest));

  if (old !== key) turn.then(() => failAskedOf(context, old));
  turn.replyField(
    connection,
    requestId,
    payloadField(
      REJOIN_ROOM_RESPONSE,
      concatBytes([
        encode("RejoinRoomResponse", {
          room: room.snapshot(),
          resharedProjects: reshared.map(({ project }) => resharedProject(project)),
        }),
        ...rejoined.filter(({ project }) => room.projects.has(project.id)).map(({ project }) =>
          lengthDelimited(REJOINED_PROJECTS, rejoinedProject(project, key))
        ),
      ]),
    ),
  );
  updateRoom(context);
  for (const move of moves) move();
  removeUnlisted(context, old, present);
  for (const stream of streams) stream();
  turn.then(() => context.hostMoved(key));
  turn.tellUser(userId, { type: "user.seated", roomId: room.id, active: true });
  tellChannel(context, { announce: true });
  turn.tellUser(userId, { type: "user.publish" });
}

/**
 * A socket may seem alive long after its client has come back over another: whoever waits for an answer
 * over the old one hears at once that none comes, and goes on with the new. [projects 8.1] [projects 15.5]
 */
function failAskedOf({ system, room }: RequestContext, old: PeerKey): void {
  for (const key of room.active.keys()) {
    for (const request of [...system.registry.connections.get(key)?.asking ?? []]) {
      if (request.target === old) request.moved();
    }
  }
}

/** Whoever names a project many times would be sent its tree as often. */
function distinct<T>(list: readonly T[], id: (one: T) => bigint): T[] {
  return [...new Map(list.map((one) => [id(one), one])).values()];
}

function findReshared(
  { room, inbound }: RequestContext,
  request: MessageTypes["UpdateProject"],
): Reshared {
  const project = room.projects.get(Number(request.projectId));
  if (project === undefined) {
    throw RpcError.internal(`project does not exist: ${request.projectId}`);
  }
  const host = [...project.collaborators.values()].find((one) => one.isHost);
  if (project.hostUserId !== inbound.connection.userId || host === undefined) {
    throw RpcError.internal(`no such project: ${request.projectId}`);
  }
  checkWorktreeList(request.worktrees);
  return { project, host, request };
}

/** Left out of the answer when the project is gone or the user is not in it any more. */
function findRejoined(
  { room, inbound }: RequestContext,
  request: MessageTypes["RejoinProject"],
  old: PeerKey,
): Rejoined | undefined {
  const project = room.projects.get(Number(request.id));
  if (project === undefined) return undefined;
  const own = project.guests.filter((one) => one.userId === inbound.connection.userId);
  const guest = own.find((one) => one.key === old) ?? own[0];
  if (guest === undefined) return undefined;
  return {
    project,
    guest,
    known: {
      worktrees: new Map(request.worktrees.map((one) => [one.id, one.scanId])),
      repositories: new Map(request.repositories.map((one) => [one.id, one.scanId])),
    },
  };
}

function tellReshared(
  { turn, inbound }: RequestContext,
  project: ProjectState,
  before: PeerKey,
  request: MessageTypes["UpdateProject"],
): void {
  const { key } = inbound.connection;
  const moved = updatedCollaborator(project, before, key);
  const update = frameOf(fieldOf("UpdateProject", request)).slice();
  for (const guest of project.guests) {
    turn.push(guest.key, moved);
    turn.forward(guest.key, update, key);
  }
  tellSettings(turn, project);
}

/** Projects that the user had joined and does not name lose the guest. [projects 12.3] [rooms Q-14] */
function removeUnlisted(
  { turn, room, inbound }: RequestContext,
  old: PeerKey,
  present: ReadonlySet<Collaborator>,
): void {
  if (old === inbound.connection.key) return;
  for (const project of room.projects.values()) {
    for (const guest of project.guests) {
      if (guest.key === old && !present.has(guest)) removeGuest(turn, project, guest);
    }
  }
}
