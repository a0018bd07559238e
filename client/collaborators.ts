/** Who takes part in a project, as the server tells it. [projects 6] */
import type { Collaborator } from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import { samePeer } from "./same_peer.ts";

/** The other participants of one project. */
export class Collaborators {
  #all: Collaborator[] = [];

  /** Everybody but this client. */
  get all(): readonly Collaborator[] {
    return this.#all;
  }

  /** The host; undefined for the host itself. */
  get host(): Collaborator | undefined {
    return this.#all.find(({ isHost }) => isHost);
  }

  /** Takes a whole list. */
  reset(all: readonly Collaborator[]): void {
    this.#all = [...all];
  }

  /** Adds one, in place of one of the same id. */
  add(collaborator: Collaborator): void {
    this.#all = this.#all.filter(({ peerId }) => !samePeer(peerId, collaborator.peerId));
    this.#all.push(collaborator);
  }

  /** Takes one away. @returns who; undefined for an unknown one. [projects 6.7] */
  remove(peer: PeerId | undefined): Collaborator | undefined {
    const found = this.#all.find(({ peerId }) => samePeer(peerId, peer));
    this.#all = this.#all.filter(({ peerId }) => !samePeer(peerId, peer));
    return found;
  }

  /** Somebody goes on under another id. @returns who; undefined for an unknown one. */
  rename(oldPeer: PeerId | undefined, newPeer: PeerId | undefined): Collaborator | undefined {
    const at = this.#all.findIndex(({ peerId }) => samePeer(peerId, oldPeer));
    const found = this.#all[at];
    if (found === undefined || newPeer === undefined) return undefined;
    const renamed = { ...found, peerId: newPeer };
    this.#all = this.#all.with(at, renamed);
    return renamed;
  }
}
