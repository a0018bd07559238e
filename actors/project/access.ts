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
      if (sender !== project.hostKey && project.collaborator(sender) === undefined) {
        throw RpcError.internal(`can only send updates to a project you are in: ${project.id}`);
      }
      return;
    case "reader":
      if (!mayRead(role)) throw RpcError.internal("not authorised to read projects");
      return;
    case "editor":
      if (!mayEdit(role)) throw RpcError.internal("not authorised to edit projects");
      return;
    case "participant":
    case "anyone":
      return;
  }
}
