/** What a leader shows to those who follow. [rooms 11.3] */
import { decode } from "../../proto/mod.ts";
import { type PeerKey, peerKey } from "../../rpc/peer_id.ts";
import type { Inbound } from "../refs/mod.ts";
import type { Turn } from "../turn.ts";
import { checkAccess } from "./access.ts";
import type { ProjectContext } from "./context.ts";

/** [projects 10] Everybody in the project gets it, its host too. */
export function handleUpdateFollowers({ turn, project, inbound }: ProjectContext): void {
  checkAccess("collaborator", project, inbound.connection.key, undefined);
  const receivers = [...project.collaborators.values()].map((one) => one.key);
  tellFollowers(turn, inbound, receivers);
}

/** Passes it on to all but its sender and, so that nothing echoes, whose view it repeats. [rooms 11.3a] */
export function tellFollowers(turn: Turn, inbound: Inbound, receivers: Iterable<PeerKey>): void {
  const { key } = inbound.connection;
  const repeated = decode("UpdateFollowers", inbound.payload).updateView?.leaderId;
  const skipped = repeated === undefined ? undefined : peerKey(repeated.ownerId, repeated.id);
  for (const receiver of receivers) {
    if (receiver !== key && receiver !== skipped) turn.forward(receiver, inbound.original, key);
  }
}
