import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { Scene } from "./scene.ts";
import type { Received, TestPeer } from "./test_peer.ts";

/** A worktree as a host lists it. */
export const tree = (id: bigint, rootName: string) => ({
  id,
  rootName,
  visible: true,
  absPath: `/${rootName}`,
});

/** What a guest has of the scene's project, as it says at a rejoin. */
export function known(
  scene: Scene,
  more: Init<MessageTypes["RejoinProject"]> = {},
): Init<MessageTypes["RejoinRoom"]> {
  const project = {
    id: scene.projectId,
    worktrees: [{ id: 100n, scanId: 0n }],
    repositories: [],
    ...more,
  };
  return { id: scene.roomId, rejoinedProjects: [project] };
}

/** What the host of the scene says at a rejoin. */
export function reshared(
  scene: Scene,
  worktrees: readonly Init<MessageTypes["WorktreeMetadata"]>[] = [tree(100n, "app")],
): Init<MessageTypes["RejoinRoom"]> {
  return { id: scene.roomId, resharedProjects: [{ projectId: scene.projectId, worktrees }] };
}

/** A new connection of a user; what it is told at its begin is not fresh any more. */
export async function reconnect(scene: Scene, login: string): Promise<TestPeer> {
  const peer = await scene.connect(login);
  await scene.quiet();
  return peer;
}

/** As {@link Scene.told}, without what contacts are told, which is not about projects. */
export async function toldOfProjects(
  scene: Scene,
  peer: TestPeer,
  ...senders: TestPeer[]
): Promise<string[]> {
  return (await scene.told(peer, ...senders)).filter((line) => line !== "UpdateContacts");
}

/** Whether an answer is an `Error` with the code `Internal`. */
export function isError({ name, value }: Received): boolean {
  return name === "Error" && (value as MessageTypes["Error"]).code === 0;
}

/** Applies all that a guest was told of the worktree 100 onto what it had: paths by id. */
export function applied(
  peer: TestPeer,
  had: ReadonlyMap<bigint, string> = new Map(),
): [bigint, string][] {
  const now = new Map(had);
  for (const update of peer.all("UpdateWorktree")) {
    if (update.worktreeId !== 100n) continue;
    for (const { id, path } of update.updatedEntries) now.set(id, path);
    for (const id of update.removedEntries) now.delete(id);
  }
  return [...now].sort(([a], [b]) => Number(a - b));
}
