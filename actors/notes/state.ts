/** What the notes of a channel consist of, without I/O and timers. [channels 8] */
import { Document, lamportKey, type Operation, type VersionVector } from "../../text/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { NotesVersion } from "../notes_version.ts";

/** Ids below are reserved by clients of 2026. [channels 8.3.2] */
const FIRST_REPLICA = 8;
/** Ids from here on are reserved by clients of 2025. [channels 8.3.2] */
const END_OF_REPLICAS = 65_534;

/** Whether clients may be given that replica id. */
export function isReplica(id: number): boolean {
  return id >= FIRST_REPLICA && id < END_OF_REPLICAS;
}

/** Somebody who has the notes open, or had until a connection was lost. [channels 8.7] */
export interface Collaborator {
  readonly replicaId: number;
  readonly userId: number;
  key: PeerKey;
}

export class NotesState {
  readonly channelId: number;
  /** The channel at the top of the tree; 0 while {@link stored} is false. */
  rootId = 0;
  /** Somebody has opened the notes before. */
  stored = false;
  epoch = 0;
  /** The text at the begin of the epoch. */
  baseText = "";
  document = new Document();
  /** The greatest operation that there has been, of whatever epoch. [channels Q-21] */
  latest: NotesVersion | undefined;
  /** By replica id. */
  readonly collaborators = new Map<number, Collaborator>();
  /** Connections that kept silent, and lost their place to another one; with its replica id. */
  readonly displaced = new Map<PeerKey, number>();
  /** Connections that came back to a place, and have not said yet whether it is their own. */
  readonly unsure = new Set<PeerKey>();
  /** How far users have seen the notes. [channels 8.9] */
  readonly observed = new Map<number, NotesVersion>();
  /** By whose replica id operations came that wait, by {@link lamportKey}. */
  readonly senders = new Map<number, number>();
  /**
   * Replica ids of which something waits with others for ever: clients hold back all that comes of
   * them. [channels 9.7] And those under which somebody may write who has another place. A restart
   * forgets them.
   */
  readonly spoilt = new Set<number>();
  /** The greatest value of a timestamp that collaborators have heard of in this epoch. */
  clock = 1;
  /** By user: how far he has moved the clock on in this epoch by leaps that are none of typing. */
  readonly leaps = new Map<number, number>();

  constructor(channelId: number) {
    this.channelId = channelId;
  }

  /** Begins an epoch, with what there is of it already. */
  begin(epoch: number, baseText: string, operations: readonly Operation[] = []): void {
    this.epoch = epoch;
    this.baseText = baseText;
    this.document = new Document(baseText, operations);
    this.senders.clear();
    this.spoilt.clear();
    this.leaps.clear();
    this.displaced.clear();
    this.unsure.clear();
    this.clock = operations.reduce((most, { timestamp }) => Math.max(most, timestamp), 1);
  }

  /** The epoch's greatest operation; none while nothing was changed in it. */
  get latestOfEpoch(): NotesVersion | undefined {
    return this.latest?.epoch === this.epoch ? this.latest : undefined;
  }

  /** Whose message brought an operation that waits; of one that was read back its author's. */
  senderOf(waiting: Operation): number {
    return this.senders.get(lamportKey(waiting)) ?? waiting.replicaId;
  }

  collaboratorOn(key: PeerKey): Collaborator | undefined {
    for (const one of this.collaborators.values()) if (one.key === key) return one;
    return undefined;
  }

  /** By replica id. */
  inOrder(): Collaborator[] {
    return [...this.collaborators.values()].sort((a, b) => a.replicaId - b.replicaId);
  }

  /** The smallest free replica id, spoilt ones last; undefined when there is none. [channels 8.3.2] */
  freeReplica(): number | undefined {
    let spoilt: number | undefined;
    for (let id = FIRST_REPLICA; id < END_OF_REPLICAS; id++) {
      if (this.collaborators.has(id)) continue;
      if (!this.spoilt.has(id)) return id;
      spoilt ??= id;
    }
    return spoilt;
  }

  /**
   * Whose place a client takes that comes back: its own, else a lost one of its user. A client has
   * seen all that its own replica made, and perhaps made more: a place whose replica has made
   * something that the client does not know is another one's. Nobody takes the place of a connection
   * that seems to live, unless he brings what only its owner can have: then the loss was not noticed
   * yet. [channels 8.6] [channels Q-12]
   *
   * @param version what the client has seen
   * @param isGone whether a connection is gone
   * @param isSilent whether nobody answers on it
   */
  placeOf(
    userId: number,
    key: PeerKey,
    version: VersionVector,
    isGone: (key: PeerKey) => boolean,
    isSilent: (key: PeerKey) => boolean,
  ): Collaborator | undefined {
    const own = this.collaboratorOn(key);
    if (own !== undefined) return own;
    const applied = this.document.version;
    const isAhead = ({ replicaId }: Collaborator) =>
      version.get(replicaId) > applied.get(replicaId);
    const places = this.placesFor(userId, version);
    return places.find(isAhead) ?? places.find((one) => isGone(one.key)) ??
      places.find((one) => isSilent(one.key));
  }

  /** Places that may be those of a client of the user that has seen so much, by replica id. */
  placesFor(userId: number, version: VersionVector): Collaborator[] {
    const applied = this.document.version;
    return this.inOrder().filter((one) =>
      one.userId === userId && version.get(one.replicaId) >= applied.get(one.replicaId)
    );
  }
}
