/** What a simulated client does with each message of the server. */
import { samePeer } from "../../client/same_peer.ts";
import type { MessageName, MessageTypes } from "../../proto/mod.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { handleChannels } from "./channel_messages.ts";
import type { GuestProject } from "./guest_project.ts";
import { hostKeys } from "./host_keys.ts";
import type { HostProject } from "./host_project.ts";
import { handleQueries } from "./project_queries.ts";
import type { SimClient } from "./sim_client.ts";

/** Registers the handlers of everything that comes to a client. */
export function handleMessages(client: SimClient): void {
  handlePeople(client);
  handleTold(client);
  handleCollaborators(client);
  handleAsked(client);
  handleBuffers(client);
  handleQueries(client);
  handleChannels(client);
}

function handlePeople(client: SimClient): void {
  const { dispatcher } = client;
  dispatcher.onMessage("UpdateContacts", (update) => client.contacts.apply(update));
  dispatcher.onMessage("ShowContacts", () => {});
  dispatcher.onMessage("UpdateUserPlan", () => {});
  dispatcher.onMessage("AddNotification", ({ notification }) => {
    if (notification !== undefined) client.notifications.set(notification.id, notification);
  });
  // An edited message that mentions this user: the client would read it again. [channels 4.7]
  dispatcher.onMessage("UpdateNotification", () => {});
  dispatcher.onMessage("DeleteNotification", ({ notificationId }) => {
    client.notifications.delete(notificationId);
  });
  dispatcher.onRequest("IncomingCall", (call) => {
    client.rings.set(call.roomId, call);
    return {};
  });
  dispatcher.onMessage("CallCanceled", ({ roomId }) => void client.rings.delete(roomId));
  dispatcher.onMessage("RoomUpdated", ({ room }) => client.roomUpdated(room));
  dispatcher.onRequest("Follow", () => ({}));
  dispatcher.onMessage("Unfollow", () => {});
}

/** What hosts tell their guests. */
function handleTold(client: SimClient): void {
  const { dispatcher } = client;
  const onGuest = <N extends ProjectMessage>(
    name: N,
    handle: (project: GuestProject, message: MessageTypes[N]) => void,
  ) =>
    dispatcher.onMessage(name, (message) => {
      const project = client.joined.get((message as { projectId: bigint }).projectId);
      if (project !== undefined) handle(project, message);
    });
  onGuest("UpdateProject", (project, { worktrees }) => project.setWorktrees(worktrees));
  onGuest("UpdateWorktree", (project, update) => project.updateTree(update));
  onGuest("UpdateRepository", (project, update) => project.updateRepository(update));
  onGuest("RemoveRepository", (project, { id }) => void project.repositories.delete(id));
  onGuest("UpdateDiagnosticSummary", (project, update) => project.updateDiagnostics(update));
  onGuest("UpdateWorktreeSettings", (project, { worktreeId, path, kind, content }) => {
    const key = hostKeys.setting(worktreeId, path, kind ?? 0);
    if (content === undefined) project.facts.delete(key);
    else project.facts.set(key, content);
  });
  onGuest("StartLanguageServer", (project, { server, capabilities }) => {
    if (server !== undefined) {
      project.facts.set(hostKeys.server(server.id), `${server.name} ${capabilities}`);
    }
  });
  onGuest("UpdateLanguageServer", (project, { languageServerId, removed }) => {
    if (removed !== undefined) project.facts.delete(hostKeys.server(languageServerId));
  });
  onGuest("UnshareProject", (project) => client.forget(project));
  onGuest("CreateBufferForPeer", (project, message) => project.createBuffer(message));
  onGuest("LspQueryResponse", (project, message) => project.languageServerAnswered(message));
  onGuest("BufferSaved", () => {});
}

function handleCollaborators(client: SimClient): void {
  const { dispatcher } = client;
  const of = (id: bigint): GuestProject | HostProject | undefined =>
    client.joined.get(id) ?? client.hosted.get(id);
  dispatcher.onMessage("AddProjectCollaborator", ({ projectId, collaborator }) => {
    if (collaborator === undefined) return;
    of(projectId)?.collaborators.push(collaborator);
    client.hosted.get(projectId)?.forget(collaborator.peerId as PeerId);
  });
  dispatcher.onMessage("RemoveProjectCollaborator", ({ projectId, peerId }) => {
    const project = of(projectId);
    if (project === undefined) return;
    client.sim.expect(
      project.collaborators.some((one) => samePeer(one.peerId, peerId)),
      () => `${client.name} was told to remove ${peerId?.id}, whom it does not know`,
    );
    project.collaborators = project.collaborators.filter((one) => !samePeer(one.peerId, peerId));
    client.hosted.get(projectId)?.forget(peerId as PeerId);
  });
  dispatcher.onMessage("UpdateProjectCollaborator", ({ projectId, oldPeerId, newPeerId }) => {
    client.joined.get(projectId)?.moved(oldPeerId, newPeerId);
    const hosted = client.hosted.get(projectId);
    const guest = hosted?.collaborators.find(({ peerId }) => samePeer(peerId, oldPeerId));
    if (guest !== undefined) guest.peerId = newPeerId;
  });
}

/** What guests ask of a host. */
function handleAsked(client: SimClient): void {
  const { dispatcher } = client;
  const hosted = (id: bigint): HostProject => {
    const project = client.hosted.get(id);
    if (project === undefined) throw new Error(`${client.name} does not share project ${id}`);
    return project;
  };
  dispatcher.onRequest("OpenBufferByPath", ({ projectId, path }, { originalSenderId }) => {
    const project = hosted(projectId);
    const buffer = project.open(path);
    project.share(buffer, originalSenderId as PeerId);
    return { bufferId: buffer.id };
  });
  dispatcher.onRequest(
    "SynchronizeBuffers",
    ({ projectId, buffers }, { originalSenderId }) =>
      hosted(projectId).synchronize(originalSenderId as PeerId, buffers),
  );
  dispatcher.onRequest(
    "SaveBuffer",
    async ({ projectId, bufferId, version }, { originalSenderId }) => {
      const project = hosted(projectId);
      const buffer = project.buffers.get(bufferId);
      if (buffer === undefined) throw new Error(`No buffer ${bufferId} is open`);
      await buffer.until(version, originalSenderId as PeerId);
      project.disk.set(buffer.path, buffer.text);
      const saved = { projectId, bufferId, version: buffer.version };
      client.send("BufferSaved", saved);
      return saved;
    },
  );
  dispatcher.onRequest("CreateProjectEntry", ({ projectId, worktreeId, path }) => {
    const worktree = hosted(projectId).worktrees.get(worktreeId);
    if (worktree === undefined) throw new Error(`No worktree ${worktreeId}`);
    hosted(projectId).changeTree(worktree, [path], []);
    const entry = worktree.entries.get(worktree.ids.get(path) as bigint);
    return { entry, worktreeScanId: worktree.scanId };
  });
  dispatcher.onRequest("LspQuery", ({ projectId, lspRequestId }) => {
    hosted(projectId);
    Promise.resolve().then(() =>
      client.send("LspQueryResponse", { projectId, lspRequestId, responses: [] })
    );
    return {};
  });
}

function handleBuffers(client: SimClient): void {
  client.dispatcher.onRequest("UpdateBuffer", ({ projectId, bufferId, operations }) => {
    client.joined.get(projectId)?.updateBuffer(bufferId, operations);
    const host = client.hosted.get(projectId);
    if (host !== undefined) {
      const buffer = host.buffers.get(bufferId);
      if (buffer === undefined) throw new Error(`No buffer ${bufferId} is open`);
      buffer.apply(operations);
    }
    return {};
  });
}

/** Messages about one project. */
type ProjectMessage =
  & MessageName
  & { [N in MessageName]: MessageTypes[N] extends { projectId: bigint } ? N : never }[MessageName];
