/** Sharing a project into a room. [projects 5.1] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import {
  applyWorktreeList,
  checkWorktreeList,
  collaboratorRow,
  projectRow,
  ProjectState,
  sharedFacts,
} from "../project/mod.ts";
import { mayEdit, Role } from "../roles.ts";
import { type RequestContext, updateRoom } from "./context.ts";

/** Replica id of a host whose project lives on a remote machine; else it is 0. */
const REMOTE_HOST_REPLICA = 1;

export function handleShareProject(context: RequestContext): void {
  const { system, turn, room, inbound } = context;
  const { connection, requestId } = inbound;
  const request = decode("ShareProject", inbound.payload);
  const host = room.active.get(connection.key);
  if (host === undefined) throw RpcError.internal("could not find participant");
  if (!mayEdit(host.role ?? Role.Member)) throw RpcError.internal("guests cannot share projects");
  checkWorktreeList(request.worktrees);
  const { id, write } = system.ids.next("project");
  turn.writes.push(write);
  const project = new ProjectState({
    id,
    roomId: room.id,
    hostUserId: connection.userId,
    hostKey: connection.key,
    windowsPaths: request.windowsPaths ?? false,
    features: request.features,
  });
  const collaborator = {
    key: connection.key,
    userId: connection.userId,
    replicaId: request.isSshProject ? REMOTE_HOST_REPLICA : 0,
    isHost: true,
    committerName: undefined,
    committerEmail: undefined,
  };
  project.add(collaborator);
  turn.put("projects", projectRow(project));
  turn.put("project_collaborators", collaboratorRow(id, collaborator));
  applyWorktreeList(turn, project, request.worktrees);
  context.addProject(project);
  turn.happened("project.shared", () => sharedFacts(project));
  turn.reply(connection, requestId, "ShareProjectResponse", { projectId: BigInt(id) });
  updateRoom(context);
}
