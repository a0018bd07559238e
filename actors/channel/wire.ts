/** Channels as clients see them. [channels 5.1] [channels 6] */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { wireNotesVersion } from "../notes_version.ts";
import type { Channel, ChannelTreeState, Member } from "./state.ts";

export function wireChannel(channel: Channel): Init<MessageTypes["Channel"]> {
  return {
    id: BigInt(channel.id),
    name: channel.name,
    visibility: channel.visibility,
    channelOrder: channel.order,
    parentPath: channel.parentPath.map(BigInt),
  };
}

/** None while the user is only invited. */
export function wireMembership(
  tree: ChannelTreeState,
  member: Member | undefined,
): Init<MessageTypes["ChannelMembership"]> | undefined {
  if (member?.accepted !== true) return undefined;
  return { channelId: BigInt(tree.rootId), role: member.role };
}

/** Everybody with a seat in the calls of these channels, also who is being rung. [channels 6.4] */
export function wireParticipants(
  tree: ChannelTreeState,
  channels: readonly Channel[],
): Init<MessageTypes["ChannelParticipants"]>[] {
  const participants: Init<MessageTypes["ChannelParticipants"]>[] = [];
  for (const { id } of channels) {
    const seated = tree.calls.get(id)?.seated ?? [];
    if (seated.length === 0) continue;
    participants.push({ channelId: BigInt(id), participantUserIds: seated.map(BigInt) });
  }
  return participants;
}

/** That nobody is in the calls of those of these channels where nobody has a seat. [channels 7.13] */
export function wireEmptyCalls(
  tree: ChannelTreeState,
  channels: readonly Channel[],
): Init<MessageTypes["ChannelParticipants"]>[] {
  return channels.filter(({ id }) => (tree.calls.get(id)?.seated ?? []).length === 0)
    .map(({ id }) => ({ channelId: BigInt(id), participantUserIds: [] }));
}

/** The newest message of each of these channels that has any. [channels 6.4] */
export function wireLatestMessages(
  tree: ChannelTreeState,
  channels: readonly Channel[],
): Init<MessageTypes["ChannelMessageId"]>[] {
  const latest: Init<MessageTypes["ChannelMessageId"]>[] = [];
  for (const { id } of channels) {
    const messageId = tree.latestMessages.get(id);
    if (messageId === undefined) continue;
    latest.push({ channelId: BigInt(id), messageId: BigInt(messageId) });
  }
  return latest;
}

/** How far the notes of those channels have come that have any. [channels 8.8] */
export function wireNotesVersions(
  tree: ChannelTreeState,
  channels: readonly Channel[],
): Init<MessageTypes["ChannelBufferVersion"]>[] {
  return channels.filter(({ id }) => tree.notes.has(id))
    .map(({ id }) => wireNotesVersion(id, tree.notes.get(id)));
}
