/** What collaborators write: checked, stored, passed on. [channels 8.4] [channels 9.9] */
import { decode, encode, messageInfo, type MessageTypes } from "../../proto/mod.ts";
import { payloadField } from "../../rpc/frame.ts";
import { compareLamport, fromWireOperation, lamportKey, type Operation } from "../../text/mod.ts";
import { isNewer } from "../notes_version.ts";
import {
  exchange,
  forget,
  leave,
  move,
  type NotesContext,
  observe,
  type RequestContext,
  tellTree,
} from "./context.ts";
import { bufferRow, operationRow } from "./rows.ts";
import { type Collaborator, isReplica, type NotesState } from "./state.ts";

type WireOperation = MessageTypes["Operation"];

const UPDATE = messageInfo("UpdateChannelBuffer").tag as number;

/**
 * How far a timestamp may be ahead of all that were heard of: whoever hears of it moves his clock on,
 * and a clock has 32 bits. Clients count cursor moves too, so that gaps of thousands are usual.
 */
const MOST_AHEAD = 1 << 20;
/** Leaps up to here are usual, however many; of the others a user has so much in an epoch. */
const LEAP = 1 << 12;
const MOST_LEAPS = 1 << 24;

/** Operations that may wait for others which are missing: sound clients leave few. [channels 9.7] */
const MOST_WAITING = 10_000;

/** What became of the changes of one batch. */
interface Outcome {
  /** Those that are new: applied, or waiting for others. */
  readonly kept: readonly Operation[];
  /** Those that break a rule, or build on one that does. */
  readonly bad: ReadonlySet<Operation>;
  /** Replica ids of the collaborators whose part ends with it. */
  readonly guilty: Set<number>;
}

/** The tree has looked at the role already. [channels 8.4.1] */
export function handleUpdateChannelBuffer(context: RequestContext): void {
  const { notes, inbound } = context;
  const seated = notes.collaboratorOn(inbound.connection.key);
  if (seated === undefined) {
    // It lives after all: when it comes back, its change tells whose place it is.
    if (inbound.writes && notes.displaced.delete(inbound.connection.key)) {
      inbound.connection.drop("error");
    }
    return;
  }
  const { operations } = decode("UpdateChannelBuffer", inbound.payload);
  const sender = ownPlace(context, seated, operations);
  const inTime = operations.filter((one) => isInTime(context, sender, one));
  const changes = new Map<WireOperation, Operation>();
  for (const wire of inTime) {
    const operation = fromWireOperation(wire);
    if (operation !== undefined) changes.set(wire, operation);
  }
  const { kept, bad, guilty } = apply(context, sender, [...changes.values()]);
  if (inTime.length < operations.length) guilty.add(sender.replicaId);
  store(context, sender, kept);
  // A batch of known changes only tells nobody anything new. [channels 8.4.2]
  if (kept.length > 0 || changes.size === 0) {
    const sound = inTime.filter((wire) => !bad.has(changes.get(wire) as Operation));
    relay(context, sender, operations, sound);
  }
  if (kept.length > 0) tellTree(context, { announce: true });
  leave(context, notes.inOrder().filter(({ replicaId }) => guilty.has(replicaId)));
}

/**
 * To a client that comes back, two lost places of its user look alike, and it does not say which was
 * its own. Its cursors do, which follow; beside those of others, which it may bring along on its way
 * back, they say nothing. Its own place may have been left by the other one already. [channels 8.6]
 */
function ownPlace(
  context: RequestContext,
  seated: Collaborator,
  operations: readonly WireOperation[],
): Collaborator {
  const { notes } = context;
  const cursors = operations.flatMap((one) => one.updateSelections?.replicaId ?? []);
  const [cursor] = cursors;
  if (cursor === undefined || cursors.some((one) => one !== cursor)) return seated;
  const mayMove = notes.unsure.delete(seated.key);
  const own = notes.collaborators.get(cursor);
  if (own === seated) return seated;
  if (own === undefined) {
    return mayMove && isReplica(cursor) ? move(context, seated, cursor) : seated;
  }
  if (own.userId !== seated.userId) return seated;
  exchange(context, seated, own);
  return own;
}

/** Whether the timestamp is one that a client's clock can have come to. */
function isInTime(
  { notes }: NotesContext,
  { userId }: Collaborator,
  operation: WireOperation,
): boolean {
  const variant = operation.edit ?? operation.undo ?? operation.updateSelections ??
    operation.updateDiagnostics ?? operation.updateCompletionTriggers ??
    operation.updateLineEnding;
  if (variant === undefined) return true;
  const leap = variant.lamportTimestamp - notes.clock;
  if (leap <= 0) return true;
  const leaps = (notes.leaps.get(userId) ?? 0) + (leap > LEAP ? leap : 0);
  if (leap > MOST_AHEAD || leaps > MOST_LEAPS) return false;
  notes.leaps.set(userId, leaps);
  notes.clock = variant.lamportTimestamp;
  return true;
}

/**
 * Applies changes. Who sent one that breaks a rule loses his part, be it found at once or when it gets
 * applied at last; what its author had waiting builds on it and goes too. [channels 9.9]
 */
function apply(context: NotesContext, sender: Collaborator, changes: Operation[]): Outcome {
  const { document, senders } = context.notes;
  const { applied, waiting, rejected } = document.apply(changes);
  const given = new Set(changes);
  const guilty = new Set<number>();
  const bad = new Set<Operation>();
  const broken = new Set<number>();
  for (const { operation } of rejected) {
    guilty.add(given.has(operation) ? sender.replicaId : context.notes.senderOf(operation));
    bad.add(operation);
    broken.add(operation.replicaId);
  }
  const drop = (which: (operation: Operation) => boolean) => {
    for (const one of document.dropWaiting(which)) bad.add(one);
  };
  if (broken.size > 0) drop(({ replicaId }) => broken.has(replicaId));
  for (const one of waiting) senders.set(lamportKey(one), sender.replicaId);
  if (document.waitingCount > MOST_WAITING) {
    const flooder = mostWaitingOf(context.notes);
    guilty.add(flooder);
    drop((one) => context.notes.senderOf(one) === flooder);
  }
  for (const one of [...applied, ...bad]) senders.delete(lamportKey(one));
  const kept = [...applied, ...waiting].filter((one) => given.has(one) && !bad.has(one));
  forget(context, [...bad].filter((one) => !given.has(one)));
  return { kept, bad, guilty };
}

/** Whose messages brought most of what waits, in whoever's name. */
function mostWaitingOf(notes: NotesState): number {
  const counts = new Map<number, number>();
  for (const one of notes.document.waiting()) {
    const sender = notes.senderOf(one);
    counts.set(sender, (counts.get(sender) ?? 0) + 1);
  }
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** Stores new changes; the latest and what its author has seen only advance. [channels 8.4.3] */
function store(
  context: NotesContext,
  { userId }: Collaborator,
  kept: readonly Operation[],
): void {
  const { turn, notes } = context;
  if (kept.length === 0) return;
  for (const one of kept) turn.put("buffer_operations", operationRow(notes, one));
  const { timestamp, replicaId } = kept.reduce((a, b) => (compareLamport(a, b) < 0 ? b : a));
  const greatest = { epoch: notes.epoch, timestamp, replicaId };
  if (isNewer(greatest, notes.latest)) {
    notes.latest = greatest;
    turn.put("buffers", bufferRow(notes));
  }
  observe(context, userId, greatest);
}

/**
 * To every other connection, the sender's other ones too: the batch as it came, or what is sound of
 * it. [channels 8.4.4]
 */
function relay(
  { turn, notes, inbound }: RequestContext,
  sender: Collaborator,
  operations: readonly WireOperation[],
  sound: readonly WireOperation[],
): void {
  let payload = inbound.payload;
  if (sound.length < operations.length) {
    if (sound.length === 0) return;
    payload = encode("UpdateChannelBuffer", {
      channelId: BigInt(notes.channelId),
      operations: [...sound],
    });
  }
  const field = payloadField(UPDATE, payload);
  for (const one of notes.collaborators.values()) if (one !== sender) turn.push(one.key, field);
}
