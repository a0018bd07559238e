/** Who may send what to a project, looked up anew at each message. [projects 4] */
import { RpcError } from "../../rpc/errors.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { Access } from "../../rpc/routes.ts";
import { mayEdit, mayRead } from "../roles.ts";
import type { ProjectState } from "./state.ts";

/**
 * @param role the sender's role as an active participant of the project's room
 * @throws {RpcError} with the text class of [projects 14]
 */
export function checkAccess(
  access: Access,
  project: ProjectState,
  sender: PeerKey,
  role: number | undefined,
): void {
  switch (access) {
    case "host":
      if (sender !== project.hostKey) {
        throw RpcError.internal(`no such project: ${project.id} is not hosted by this connection`);
      }
      return;
    case "collaborator":
      checkMember(project, sender);
      return;
    case "reader":
    case "editor":
      checkRole(access, role);
      checkMember(project, sender);
      return;
    case "participant":
    case "anyone":
      return;
  }
}

/** Whether a role may read or edit projects. @throws {RpcError} it may not */
export function checkRole(access: "reader" | "editor", role: number | undefined): void {
  if (access === "editor" ? mayEdit(role) : mayRead(role)) return;
  throw RpcError.internal(`not authorised to ${access === "editor" ? "edit" : "read"} projects`);
}

/** Being in the room is not enough: a project's messages are for those who have joined it. */
function checkMember(project: ProjectState, sender: PeerKey): void {
  if (project.collaborator(sender) !== undefined) return;
  throw RpcError.internal(`can only use a project you are in: ${project.id}`);
}
