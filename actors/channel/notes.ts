/** What a tree has to do with its channels' notes: who may, and who hears of them. [channels 8] */
import { RpcError } from "../../rpc/errors.ts";
import { wireNotesVersion } from "../notes_version.ts";
import type { ChannelMessage } from "../refs/mod.ts";
import type { Channel } from "./state.ts";
import { type ChannelContext, type RequestContext, tellByRole, updateChannels } from "./context.ts";

const NOTES_TABLES = [
  "buffers",
  "buffer_snapshots",
  "buffer_operations",
  "channel_buffer_collaborators",
  "observed_buffer_edits",
] as const;

/** Its sender has a role in the channel. [channels 8.3] */
export function handleJoinChannelBuffer({ system, turn, channel, inbound }: RequestContext): void {
  turn.then((gate) => system.notes(channel.id).receive(inbound, gate));
}

/** Guests may show their selections, and change nothing. [channels 8.4.1] */
export function handleUpdateChannelBuffer(context: RequestContext): void {
  const { system, turn, tree, channel, inbound } = context;
  if (inbound.writes && !tree.isMember(channel, inbound.connection.userId)) {
    throw RpcError.internal(`only members of channel ${channel.id} may write its notes`);
  }
  // Without an actor nobody has them open.
  turn.then((gate) => system.registry.notes.get(channel.id)?.receive(inbound, gate));
}

/** Whoever has them open may leave them. [channels 8.5] */
export function handleLeaveChannelBuffer({ system, turn, channel, inbound }: RequestContext): void {
  const notes = system.registry.notes.get(channel.id);
  if (notes === undefined) {
    throw RpcError.internal("this connection does not have these notes open");
  }
  turn.then((gate) => notes.receive(inbound, gate));
}

/** Anybody may say what he has seen. [channels 8.9] */
export function handleAckBufferOperation(context: RequestContext): void {
  const { system, turn, tree, channel, inbound } = context;
  if (!tree.notes.has(channel.id)) return;
  turn.then((gate) => system.notes(channel.id).receive(inbound, gate));
}

/** Whoever sees the channel and does not have its notes open is told. [channels Q-10] */
export function notesChanged(
  context: ChannelContext,
  { channelId, latest, announceExcept }: Extract<ChannelMessage, { type: "channel.notes_changed" }>,
): void {
  const { turn, tree } = context;
  const channel = tree.channels.get(channelId);
  if (channel === undefined) return;
  tree.notes.set(channelId, latest);
  turn.happened("channel.notes_changed", () => ({ channelId }));
  if (announceExcept === undefined) return;
  const field = updateChannels({
    latestChannelBufferVersions: [wireNotesVersion(channelId, latest)],
  });
  tellByRole(context, (sees) => (sees(channel) ? field : undefined), announceExcept);
}

/** [channels 8.6] */
export function notesAsked(
  { turn, tree }: ChannelContext,
  { channelId, userId, answer }: Extract<ChannelMessage, { type: "channel.notes_asked" }>,
): void {
  const channel = tree.channels.get(channelId);
  const standing = channel === undefined
    ? "no channel"
    : !tree.notes.has(channelId)
    ? "no notes"
    : tree.isParticipant(channel, userId)
    ? "reader"
    : "no role";
  turn.then(() => answer(standing));
}

/** The notes go with their channel: nobody is told but by the channel's end. [channels 7.2] */
export function deleteNotes({ system, turn, tree }: ChannelContext, { id }: Channel): void {
  const notes = system.registry.notes.get(id);
  if (notes !== undefined) {
    turn.then((gate) => notes.tell({ type: "notes.channel_deleted" }, gate));
  }
  if (!tree.notes.delete(id)) return;
  for (const table of NOTES_TABLES) turn.remove(table, { channel_id: id });
}
