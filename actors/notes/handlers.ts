/** Opening notes, coming back to them, leaving them, having seen them. [channels 8.3] [channels 8.5–8.9] */
import { decode, type Init, type MessageName, type MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { BASE, fromWireVersion, toWireOperation, toWireVersion } from "../../text/mod.ts";
import type { NotesMessage } from "../refs/mod.ts";
import { keyOwner, type PeerKey } from "../../rpc/peer_id.ts";
import {
  allOperations,
  collaboratorsField,
  leave,
  type NotesContext,
  observe,
  place,
  type RequestContext,
  tellCollaborators,
  tellTree,
  wireCollaborators,
} from "./context.ts";
import { bufferRow } from "./rows.ts";
import { findSilent } from "./silence.ts";
import { handleUpdateChannelBuffer } from "./updating.ts";

export const notesHandlers: Partial<Record<MessageName, (context: RequestContext) => void>> = {
  JoinChannelBuffer: handleJoinChannelBuffer,
  LeaveChannelBuffer: handleLeaveChannelBuffer,
  UpdateChannelBuffer: handleUpdateChannelBuffer,
  AckBufferOperation: handleAckBufferOperation,
};

/** What is not here changes the notes' life, not their state. */
export function notesMessages(context: NotesContext, message: NotesMessage): void {
  const { system, notes } = context;
  switch (message.type) {
    case "notes.rejoin":
      return rejoin(context, message);
    case "notes.rejoin_told":
      return tellLater(context, message);
    case "notes.leave": {
      const collaborator = notes.collaboratorOn(message.key);
      if (collaborator !== undefined) leave(context, [collaborator]);
      return;
    }
    case "notes.clean_up":
      return leave(
        context,
        notes.inOrder().filter(({ key }) => keyOwner(key) !== system.epoch),
        { keepEpoch: true },
      );
    case "notes.expel":
      return leave(context, notes.inOrder().filter((one) => message.userIds.includes(one.userId)));
    case "notes.account_removed":
      // The row has gone with the account.
      notes.observed.delete(message.userId);
      leave(context, notes.inOrder().filter(({ userId }) => userId === message.userId));
  }
}

/** [channels 8.3] */
function handleJoinChannelBuffer(context: RequestContext): void {
  const { system, turn, notes, inbound } = context;
  const { connection, requestId } = inbound;
  const { key, userId } = connection;
  // It was lost while the notes were read: nobody would ever take it out again.
  if (!system.registry.connections.has(key)) return;
  if (notes.collaboratorOn(key) !== undefined) {
    throw RpcError.internal("this connection has these notes open already");
  }
  const replicaId = notes.freeReplica();
  if (replicaId === undefined) throw RpcError.internal("too many people have these notes open");
  const rootId = system.registry.channels.get(notes.channelId)?.rootId;
  if (rootId === undefined) throw RpcError.coded("NoSuchChannel");
  if (!notes.stored) {
    notes.stored = true;
    notes.rootId = rootId;
    turn.put("buffers", bufferRow(notes));
    tellTree(context, { announce: false });
  }
  place(context, { replicaId, userId, key }, key);
  if (notes.latestOfEpoch !== undefined) observe(context, userId, notes.latestOfEpoch);
  turn.reply(connection, requestId, "JoinChannelBufferResponse", {
    bufferId: BigInt(notes.channelId),
    replicaId,
    baseText: notes.baseText,
    operations: allOperations(notes).map(toWireOperation),
    epoch: BigInt(notes.epoch),
    collaborators: wireCollaborators(notes),
  });
  tellCollaborators(context, key);
}

/** [channels 8.5] */
function handleLeaveChannelBuffer(context: RequestContext): void {
  const { turn, notes, inbound } = context;
  const { connection, requestId } = inbound;
  const collaborator = notes.collaboratorOn(connection.key);
  if (collaborator === undefined) throw notOpen();
  turn.ack(connection, requestId);
  leave(context, [collaborator]);
}

/** [channels 8.5] [channels 18] */
export function notOpen(): RpcError {
  return RpcError.internal("this connection does not have these notes open");
}

/** [channels 8.9] The largest timestamp counts, the last of equal ones. [channels Q-13] */
function handleAckBufferOperation(context: RequestContext): void {
  const { notes, inbound } = context;
  const { version, epoch } = decode("AckBufferOperation", inbound.payload);
  const [first] = version;
  // Nobody can have seen an epoch that has not begun.
  if (first === undefined || !notes.stored || epoch > BigInt(notes.epoch)) return;
  const top = version.reduce((a, b) => (b.timestamp >= a.timestamp ? b : a), first);
  const { timestamp, replicaId } = top;
  observe(context, inbound.connection.userId, { epoch: Number(epoch), timestamp, replicaId });
}

/**
 * [channels 8.6] A place whose connection seems to live is asked for: a client often comes back before
 * the server has noticed the loss.
 */
function rejoin(
  context: NotesContext,
  message: Extract<NotesMessage, { type: "notes.rejoin" }>,
): void {
  const { system, turn, notes } = context;
  const { connection: { key, userId }, known, silent, answer } = message;
  const { connections } = system.registry;
  const version = fromWireVersion(known.version);
  const comes = notes.stored && known.epoch === BigInt(notes.epoch) && connections.has(key);
  const isGone = (one: PeerKey) => !connections.has(one);
  const isSilent = (one: PeerKey) => silent?.has(one) === true;
  const collaborator = comes ? notes.placeOf(userId, key, version, isGone, isSilent) : undefined;
  if (collaborator === undefined) {
    const doubtful = comes && silent === undefined ? notes.placesFor(userId, version) : [];
    if (doubtful.length === 0) turn.then((gate) => answer(undefined, gate));
    else {
      findSilent(context, doubtful.map(({ key }) => key), (silent) => {
        system.notes(notes.channelId).tell({ ...message, silent }, 0);
      });
    }
    return;
  }
  const displaced = collaborator.key === key ? undefined : connections.get(collaborator.key);
  if (displaced !== undefined && isSilent(displaced.key)) {
    notes.displaced.set(displaced.key, collaborator.replicaId);
  } else if (displaced !== undefined) {
    // It was on a place that is none of its own, or nobody is there any more: its client comes again.
    turn.then(() => displaced.drop("error"));
  }
  notes.displaced.delete(key);
  notes.unsure.add(key);
  if (collaborator.key !== key) place(context, collaborator, key);
  tellCollaborators(context, key);
  const rejoined = {
    channelId: BigInt(notes.channelId),
    // The base text is no operation. [channels 8.6]
    version: toWireVersion(notes.document.version)
      .filter((one) => one.replicaId !== BASE.replicaId || one.timestamp !== BASE.timestamp),
    operations: notes.document.missingOperations(version).map(toWireOperation),
    collaborators: wireCollaborators(notes),
  };
  turn.then((gate) => answer(rejoined, gate));
}

/** Who came back is not left with a list that is older than what was said before it. [channels 8.3.6] */
function tellLater(
  { turn, notes }: NotesContext,
  { key, collaborators }: Extract<NotesMessage, { type: "notes.rejoin_told" }>,
): void {
  if (notes.collaboratorOn(key) === undefined) return;
  if (placesText(wireCollaborators(notes)) === placesText(collaborators)) return;
  turn.push(key, collaboratorsField(notes));
}

function placesText(collaborators: readonly Init<MessageTypes["Collaborator"]>[]): string {
  return collaborators
    .map(({ replicaId, peerId }) => `${replicaId} on ${peerId?.ownerId}:${peerId?.id}`)
    .join();
}
