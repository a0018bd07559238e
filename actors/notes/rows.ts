/** The rows of notes: what is written for each change, and how they are read back. [channels 8.1] */
import type { Store } from "../../db/store.ts";
import type { RowOf } from "../../db/tables.ts";
import { decode, encode } from "../../proto/mod.ts";
import { keyId, keyOwner, peerKey } from "../../rpc/peer_id.ts";
import { fromWireOperation, type Operation, toWireOperation } from "../../text/mod.ts";
import { latestOf, type NotesVersion } from "../notes_version.ts";
import { type Collaborator, NotesState } from "./state.ts";

const utf8 = new TextEncoder();
/** A byte order mark is text like any other. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });

export function bufferRow(notes: NotesState): RowOf<"buffers"> {
  return {
    channel_id: notes.channelId,
    root_id: notes.rootId,
    epoch: notes.epoch,
    latest_epoch: notes.latest?.epoch ?? null,
    latest_timestamp: notes.latest?.timestamp ?? null,
    latest_replica_id: notes.latest?.replicaId ?? null,
  };
}

export function snapshotRow(notes: NotesState): RowOf<"buffer_snapshots"> {
  const { channelId, epoch, baseText } = notes;
  return { channel_id: channelId, epoch, base_text: utf8.encode(baseText) };
}

export function operationKey(
  { channelId, epoch }: NotesState,
  { timestamp, replicaId }: Operation,
): Omit<RowOf<"buffer_operations">, "operation"> {
  return { channel_id: channelId, epoch, lamport_timestamp: timestamp, replica_id: replicaId };
}

export function operationRow(notes: NotesState, one: Operation): RowOf<"buffer_operations"> {
  return {
    ...operationKey(notes, one),
    operation: encode("Operation", toWireOperation(one)),
  };
}

export function collaboratorRow(
  { channelId }: NotesState,
  { replicaId, userId, key }: Collaborator,
): RowOf<"channel_buffer_collaborators"> {
  return {
    channel_id: channelId,
    replica_id: replicaId,
    user_id: userId,
    connection_owner: keyOwner(key),
    connection_id: keyId(key),
  };
}

export function observedRow(
  { channelId }: NotesState,
  userId: number,
  { epoch, timestamp, replicaId }: NotesVersion,
): RowOf<"observed_buffer_edits"> {
  return {
    channel_id: channelId,
    user_id: userId,
    epoch,
    lamport_timestamp: timestamp,
    replica_id: replicaId,
  };
}

/** Reads the notes of a channel back; there may be none. */
export async function loadNotes(store: Store, channelId: number): Promise<NotesState> {
  const notes = new NotesState(channelId);
  const key = { channel_id: channelId };
  const [buffer] = await store.load("buffers", key);
  if (buffer === undefined) return notes;
  const { epoch } = buffer;
  const [[snapshot], operations, collaborators, observed] = await Promise.all([
    store.load("buffer_snapshots", { ...key, epoch }),
    store.load("buffer_operations", { ...key, epoch }),
    store.load("channel_buffer_collaborators", key),
    store.load("observed_buffer_edits", key),
  ]);
  notes.stored = true;
  notes.rootId = buffer.root_id;
  notes.latest = latestOf(buffer);
  notes.begin(
    epoch,
    snapshot === undefined ? "" : text.decode(snapshot.base_text),
    operations.map(({ operation }) => fromWireOperation(decode("Operation", operation)))
      .filter((one) => one !== undefined),
  );
  for (const row of collaborators) {
    notes.collaborators.set(row.replica_id, {
      replicaId: row.replica_id,
      userId: row.user_id,
      key: peerKey(row.connection_owner, row.connection_id),
    });
  }
  for (const row of observed) {
    notes.observed.set(row.user_id, {
      epoch: row.epoch,
      timestamp: row.lamport_timestamp,
      replicaId: row.replica_id,
    });
  }
  return notes;
}
