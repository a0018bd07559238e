/** What the handlers of notes work with in one turn, and what several of them do. */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import { peerIdOf } from "../../rpc/peer_id.ts";
import { lamportKey, type Operation, VersionVector } from "../../text/mod.ts";
import { isNewer, type NotesVersion } from "../notes_version.ts";
import type { Inbound } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf, type Turn } from "../turn.ts";
import { bufferRow, collaboratorRow, observedRow, operationKey, snapshotRow } from "./rows.ts";
import type { Collaborator, NotesState } from "./state.ts";

export interface NotesContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly notes: NotesState;
}

/** A context with the client's message that the turn is about. */
export interface RequestContext extends NotesContext {
  readonly inbound: Inbound;
}

/** [channels 8.3.5] */
export function wireCollaborators(notes: NotesState): Init<MessageTypes["Collaborator"]>[] {
  return notes.inOrder().map(({ key, userId, replicaId }) => ({
    peerId: peerIdOf(key),
    userId: BigInt(userId),
    replicaId,
    isHost: false,
  }));
}

/** Everybody who has the notes open, as one field of an envelope. [channels 8.3.6] */
export function collaboratorsField(notes: NotesState): Uint8Array {
  return fieldOf("UpdateChannelBufferCollaborators", {
    channelId: BigInt(notes.channelId),
    collaborators: wireCollaborators(notes),
  });
}

/** Tells everybody who has the notes open, but for one, who that is. [channels 8.3.6] */
export function tellCollaborators({ turn, notes }: NotesContext, except?: PeerKey): void {
  const field = collaboratorsField(notes);
  for (const { key } of notes.collaborators.values()) if (key !== except) turn.push(key, field);
}

/**
 * Tells the channel's tree how far the notes have come, who keeps it for those who subscribe later;
 * with `announce` all who see the channel hear of it now. [channels 8.4.5]
 */
export function tellTree(
  { system, turn, notes }: NotesContext,
  { announce }: { readonly announce: boolean },
): void {
  const tree = system.registry.channels.get(notes.channelId);
  if (tree === undefined) return;
  turn.tellChannel(tree, {
    type: "channel.notes_changed",
    channelId: notes.channelId,
    latest: notes.latest,
    ...(announce && {
      announceExcept: new Set([...notes.collaborators.values()].map(({ key }) => key)),
    }),
  });
}

/** The user has seen the notes up to an operation; it never goes back. [channels 8.9] */
export function observe(
  { turn, notes }: NotesContext,
  userId: number,
  version: NotesVersion,
): void {
  if (!isNewer(version, notes.observed.get(userId))) return;
  notes.observed.set(userId, version);
  turn.put("observed_buffer_edits", observedRow(notes, userId, version));
  turn.tellLiveUser(userId, {
    type: "user.notes_observed",
    channelId: notes.channelId,
    version,
  });
}

/** A collaborator is on that connection from now on. */
export function place(
  { system, turn, notes }: NotesContext,
  collaborator: Collaborator,
  key: PeerKey,
): void {
  system.openNotes.remove(collaborator.key, notes.channelId);
  collaborator.key = key;
  notes.collaborators.set(collaborator.replicaId, collaborator);
  system.openNotes.add(key, notes.channelId);
  turn.put("channel_buffer_collaborators", collaboratorRow(notes, collaborator));
}

/**
 * Two collaborators of one user have each other's place, as it turns out. Who was thought lost for that
 * has his place again, and comes back to it for what he has missed.
 */
export function exchange(context: NotesContext, one: Collaborator, other: Collaborator): void {
  const { system, turn, notes } = context;
  const { key } = one;
  const [owner] = [...notes.displaced].find(([, replicaId]) => replicaId === one.replicaId) ?? [];
  place(context, one, owner ?? other.key);
  place(context, other, key);
  if (owner !== undefined) {
    notes.displaced.delete(owner);
    turn.then(() => system.registry.connections.get(owner)?.drop("error"));
  }
  system.openNotes.add(one.key, notes.channelId);
  tellCollaborators(context);
}

/** A collaborator is on another one's place, and his own is free. */
export function move(context: NotesContext, from: Collaborator, replicaId: number): Collaborator {
  const to = { replicaId, userId: from.userId, key: from.key };
  vacate(context, from);
  place(context, to, from.key);
  tellCollaborators(context);
  return to;
}

/**
 * Collaborators leave; the rest are told, and the last one out ends the epoch. [channels 8.5]
 *
 * @param keepEpoch the epoch goes on with whoever comes next [channels 8.7]
 */
export function leave(
  context: NotesContext,
  leavers: readonly Collaborator[],
  { keepEpoch = false }: { readonly keepEpoch?: boolean } = {},
): void {
  const { notes } = context;
  if (leavers.length === 0) return;
  for (const one of leavers) vacate(context, one);
  if (notes.collaborators.size > 0) tellCollaborators(context);
  else if (!keepEpoch) endEpoch(context);
}

/** A place is free from now on; nobody is told yet. */
function vacate(context: NotesContext, { replicaId, key, userId }: Collaborator): void {
  const { system, turn, notes } = context;
  notes.collaborators.delete(replicaId);
  const { connections } = system.registry;
  const [isUnsure, isGone] = [notes.unsure.delete(key), !connections.has(key)];
  // Another client of the user may be the one that writes under this id, and has not said so yet.
  const isDoubtful = (other: Collaborator) =>
    other.userId === userId &&
    (notes.unsure.has(other.key) ? isUnsure || isGone : isUnsure && !connections.has(other.key));
  if (notes.inOrder().some(isDoubtful)) notes.spoilt.add(replicaId);
  system.openNotes.remove(key, notes.channelId);
  turn.remove("channel_buffer_collaborators", {
    channel_id: notes.channelId,
    replica_id: replicaId,
  });
  // Whoever gets the replica id next answers for none of it.
  forget(
    context,
    notes.document.dropWaiting((one) =>
      one.replicaId === replicaId || notes.senderOf(one) === replicaId
    ),
  );
}

/** Operations that were stored while they waited, and will never be applied. [channels 9.9] */
export function forget({ turn, notes }: NotesContext, operations: Iterable<Operation>): void {
  for (const one of operations) {
    notes.senders.delete(lamportKey(one));
    notes.spoilt.add(one.replicaId);
    turn.remove("buffer_operations", operationKey(notes, one));
  }
}

/** The text becomes the base of the next epoch, if there was any change in this one. [channels 8.5] */
function endEpoch({ turn, notes }: NotesContext): void {
  notes.spoilt.clear();
  if (notes.latestOfEpoch === undefined) return;
  const ended = { channel_id: notes.channelId, epoch: notes.epoch };
  // Nobody reads them again.
  turn.remove("buffer_operations", ended);
  turn.remove("buffer_snapshots", ended);
  notes.begin(notes.epoch + 1, notes.document.text());
  turn.put("buffer_snapshots", snapshotRow(notes));
  turn.put("buffers", bufferRow(notes));
}

/** All of the epoch's operations by timestamp, those that wait too. */
export function allOperations({ document }: NotesState): Operation[] {
  return document.missingOperations(new VersionVector());
}
