/** Channels as one client sees them, put together from what the server tells. [channels 6] */
import type { MessageTypes } from "../../proto/mod.ts";

type Channel = MessageTypes["Channel"];

/** The greatest operation of some notes. [channels 8.8] */
export interface Mark {
  readonly epoch: bigint;
  readonly timestamp: number;
  readonly replicaId: number;
}

export class ChannelView {
  readonly channels = new Map<bigint, Channel>();
  readonly invitations = new Map<bigint, Channel>();
  readonly participants = new Map<bigint, readonly bigint[]>();
  /** By root. They stay when a connection is lost. */
  readonly roles = new Map<bigint, number>();
  readonly latestMessages = new Map<bigint, bigint>();
  readonly latestNotes = new Map<bigint, Mark | undefined>();
  readonly observedMessages = new Map<bigint, bigint>();
  readonly observedNotes = new Map<bigint, Mark | undefined>();

  /** The connection is a new one. [channels 11.2] */
  clear(): void {
    const all = [
      this.channels,
      this.invitations,
      this.participants,
      this.latestMessages,
      this.latestNotes,
      this.observedMessages,
      this.observedNotes,
    ];
    for (const one of all) one.clear();
  }

  /** The role in the root of a channel, as it was told last. */
  roleIn(channel: Channel): number | undefined {
    return this.roles.get(channel.parentPath[0] ?? channel.id);
  }

  /**
   * In the order of clients. [channels 6.2]
   *
   * @returns the channels that are gone for this client
   */
  update(update: MessageTypes["UpdateChannels"]): bigint[] {
    for (const id of update.removeChannelInvitations) this.invitations.delete(id);
    for (const one of update.channelInvitations) this.invitations.set(one.id, one);
    for (const id of update.deleteChannels) {
      this.channels.delete(id);
      this.participants.delete(id);
    }
    for (const one of update.channels) this.channels.set(one.id, one);
    for (const one of update.latestChannelBufferVersions) {
      this.latestNotes.set(one.channelId, markOf(one));
    }
    for (const { channelId, messageId } of update.latestChannelMessageIds) {
      this.latestMessages.set(channelId, messageId);
    }
    for (const { channelId, participantUserIds } of update.channelParticipants) {
      this.participants.set(channelId, participantUserIds);
    }
    return update.deleteChannels.filter((id) => !this.channels.has(id));
  }

  updateUser(update: MessageTypes["UpdateUserChannels"]): void {
    for (const { channelId, role } of update.channelMemberships) this.roles.set(channelId, role);
    for (const { channelId, messageId } of update.observedChannelMessageId) {
      this.observedMessages.set(channelId, messageId);
    }
    for (const one of update.observedChannelBufferVersion) {
      this.observedNotes.set(one.channelId, markOf(one));
    }
  }
}

function markOf({ epoch, version: [top] }: MessageTypes["ChannelBufferVersion"]): Mark | undefined {
  return top && { epoch, timestamp: top.timestamp, replicaId: top.replicaId };
}
