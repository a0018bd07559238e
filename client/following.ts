/** Looking where somebody else looks. [rooms 11] */
import type { Init, UpdateFollowers, View } from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import type { CollabClient } from "./collab_client.ts";
import { Condition } from "./condition.ts";
import { samePeer } from "./same_peer.ts";

/** What somebody has on the screen: a buffer of a project. */
export interface Shown {
  readonly projectId: bigint;
  readonly bufferId: bigint;
}

interface Leader {
  readonly peer: PeerId;
  readonly projectId: bigint | undefined;
  view: View | undefined;
}

/** Whom this client follows in a room, and what it shows to those who follow it. */
export class Following implements Disposable {
  readonly #client: CollabClient;
  readonly #roomId: bigint;
  readonly #state = new Condition();
  readonly #unsubscribe: readonly (() => void)[];
  #leaders: Leader[] = [];
  #shown: Shown | undefined;
  /** Number of the last view that was made here. */
  #viewId = 0n;

  constructor(client: CollabClient, roomId: bigint) {
    this.#client = client;
    this.#roomId = roomId;
    this.#unsubscribe = [
      client.onRequest("Follow", ({ projectId }) => this.#views(projectId)),
      // The server tells the room who follows whom; there is nothing else to do.
      client.onMessage("Unfollow", () => {}),
      client.onMessage("UpdateFollowers", (update, { originalSenderId }) => {
        if (originalSenderId !== undefined) this.#take(originalSenderId, update);
      }),
    ];
  }

  /** Follows a participant; resolves with what he shows, if it is of that project. */
  async follow(peer: PeerId, projectId?: bigint): Promise<Shown | undefined> {
    this.#leaders = this.#leaders.filter((leader) => !samePeer(leader.peer, peer));
    const leader: Leader = { peer, projectId, view: undefined };
    this.#leaders.push(leader);
    const { activeView } = await this.#client.request("Follow", {
      roomId: this.#roomId,
      leaderId: peer,
      ...(projectId !== undefined && { projectId }),
    });
    leader.view = activeView;
    return this.shownBy(peer);
  }

  /** Follows a participant no more. */
  unfollow(peer: PeerId): void {
    const leader = this.#leaders.find((one) => samePeer(one.peer, peer));
    if (leader === undefined) return;
    this.#leaders = this.#leaders.filter((one) => one !== leader);
    this.#client.send("Unfollow", {
      roomId: this.#roomId,
      leaderId: peer,
      ...(leader.projectId !== undefined && { projectId: leader.projectId }),
    });
  }

  /** What somebody who is followed shows. */
  shownBy(peer: PeerId): Shown | undefined {
    const leader = this.#leaders.find((one) => samePeer(one.peer, peer));
    const bufferId = leader?.view?.editor?.excerpts[0]?.bufferId;
    if (leader?.projectId === undefined || bufferId === undefined) return undefined;
    return { projectId: leader.projectId, bufferId };
  }

  /** Resolves once somebody who is followed shows this. */
  async until(peer: PeerId, { projectId, bufferId }: Shown): Promise<void> {
    await this.#state.until(() => {
      const shown = this.shownBy(peer);
      return shown?.projectId === projectId && shown.bufferId === bufferId;
    });
  }

  /** Shows a buffer here, and so to those who follow in that project. */
  show(shown: Shown): void {
    this.#shown = shown;
    this.#viewId++;
    this.#client.send("UpdateFollowers", {
      roomId: this.#roomId,
      projectId: shown.projectId,
      updateActiveView: { view: this.#view(shown) },
    });
  }

  /** The connection is another: nobody is followed under the old ids. [rooms 11.4] */
  reset(): void {
    this.#leaders = [];
  }

  /** Takes its handlers back. */
  [Symbol.dispose](): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#state.fail(new Error("The room was left"));
  }

  #views(projectId: bigint | undefined): { activeView?: Init<View>; views: Init<View>[] } {
    if (this.#shown === undefined || this.#shown.projectId !== projectId) return { views: [] };
    const view = this.#view(this.#shown);
    return { activeView: view, views: [view] };
  }

  #view({ bufferId }: Shown): Init<View> {
    const creator = this.#client.peerId;
    return {
      id: { creator, id: this.#viewId },
      editor: { singleton: true, excerpts: [{ id: 1n, bufferId }] },
    };
  }

  #take(peer: PeerId, { projectId, updateActiveView, createView }: UpdateFollowers): void {
    const leader = this.#leaders.find((one) => samePeer(one.peer, peer));
    const view = updateActiveView?.view ?? createView;
    if (leader === undefined || leader.projectId !== projectId || view === undefined) return;
    leader.view = view;
    this.#state.changed();
  }
}
