/** That nobody is told of channels what he may not see, message by message. */
import {
  ChannelRoleEnum,
  ChannelVisibilityEnum,
  decode,
  type MessageName,
  type MessageTypes,
} from "../../proto/mod.ts";
import type { DecodedEnvelope } from "../../rpc/decode_envelope.ts";
import type { Permissions } from "./permissions.ts";
import type { EnvelopeWatch } from "./wire_watch.ts";

/** What all connections share: when what was said and written came to the server. */
export class ChannelRecord {
  readonly #arrived = new Map<string, number>();
  /** Connections that have sent it, by nonce. */
  readonly #senders = new Map<string, Set<number>>();

  constructor(readonly permissions: Permissions, readonly fail: (text: string) => void) {}

  watch(connection: number, user: number, who: string): EnvelopeWatch {
    return new ChannelWatch(this, connection, user, who);
  }

  /** It has arrived; the first time counts. */
  arrived(what: string): void {
    if (!this.#arrived.has(what)) this.#arrived.set(what, this.permissions.tick());
  }

  /** When it arrived; undefined if it never did. */
  arrival(what: string): number | undefined {
    return this.#arrived.get(what);
  }

  said(nonce: string, connection: number): void {
    let senders = this.#senders.get(nonce);
    if (senders === undefined) this.#senders.set(nonce, senders = new Set());
    senders.add(connection);
  }

  /** Was it sent by that connection and no other? */
  isOnlyFrom(nonce: string, connection: number): boolean {
    const senders = this.#senders.get(nonce);
    return senders?.size === 1 && senders.has(connection);
  }
}

/** A request about a channel that has no answer yet. */
interface Asked {
  readonly name: MessageName;
  readonly channel: number;
  readonly isForOneself: boolean;
  readonly tick: number;
}

/** Requests that only an admin may make. [channels 5.9] */
const ADMINS_ONLY: ReadonlySet<string> = new Set([
  "CreateChannel",
  "RenameChannel",
  "DeleteChannel",
  "MoveChannel",
  "SetChannelVisibility",
  "ReorderChannel",
  "InviteChannelMember",
  "SetChannelMemberRole",
  "RemoveChannelMember",
]);
/** Requests that need a role in the channel. [channels 5.9] */
const READERS_ONLY: ReadonlySet<string> = new Set([
  "GetChannelMembers",
  "JoinChannelBuffer",
  "JoinChannelChat",
  "GetChannelMessages",
  "SendChannelMessage",
  "UpdateChannelMessage",
  "JoinChannel",
]);
const ROLE_NAMES = new Map<number, string>(
  Object.entries(ChannelRoleEnum).map(([name, number]) => [number, name.toLowerCase()]),
);

class ChannelWatch implements EnvelopeWatch {
  readonly #record: ChannelRecord;
  readonly #connection: number;
  readonly #user: number;
  readonly #who: string;
  /** What the server tells here it has found out since. */
  readonly #opened: number;
  readonly #asked = new Map<number, Asked>();

  constructor(record: ChannelRecord, connection: number, user: number, who: string) {
    this.#record = record;
    this.#connection = connection;
    this.#user = user;
    this.#who = who;
    this.#opened = record.permissions.tick();
  }

  up(name: MessageName, { id, payload }: DecodedEnvelope): void {
    if (name === "SendChannelMessage" || name === "UpdateChannelMessage") {
      const { nonce } = decode(name, payload);
      this.#record.arrived(nonceKey(nonce));
      this.#record.said(nonceKey(nonce), this.#connection);
    }
    if (name === "UpdateChannelBuffer") {
      const { channelId, operations } = decode(name, payload);
      for (const one of operations) this.#record.arrived(operationKey(channelId, one));
    }
    if (name === "GetChannelMessagesById") {
      const tick = this.#record.permissions.tick();
      this.#asked.set(id, { name, channel: 0, isForOneself: true, tick });
    }
    if (!ADMINS_ONLY.has(name) && !READERS_ONLY.has(name)) return;
    const request = decode(name, payload) as unknown as Readonly<Record<string, unknown>>;
    const channel = name === "CreateChannel" ? request.parentId : request.channelId;
    if (channel === undefined) return;
    this.#asked.set(id, {
      name,
      channel: Number(channel),
      isForOneself: name === "RemoveChannelMember" && Number(request.userId) === this.#user,
      tick: this.#record.permissions.tick(),
    });
  }

  down(name: MessageName, envelope: DecodedEnvelope, written: number): void {
    const { payload, respondingTo } = envelope;
    if (respondingTo !== undefined) this.#answer(name, envelope, respondingTo, written);
    else this.#message(name, payload, written);
  }

  #answer(name: MessageName, { payload }: DecodedEnvelope, id: number, written: number): void {
    if (name === "RejoinChannelBuffersResponse") {
      for (const { channelId } of decode(name, payload).buffers) {
        this.#sees(channelId, this.#opened, written, name);
      }
    }
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined || name === "Error") return;
    const { permissions } = this.#record;
    const { channel, tick, isForOneself } = asked;
    if (asked.name === "GetChannelMessagesById") {
      for (const { id } of decode("GetChannelMessagesResponse", payload).messages) {
        this.#sees(permissions.channelOfMessage(id) ?? 0, tick, written, `message ${id}`);
      }
      return;
    }
    if (ADMINS_ONLY.has(asked.name)) {
      const needsNoRole = isForOneself ||
        asked.name === "ReorderChannel" && permissions.rootOf(channel) === channel;
      if (!needsNoRole && !permissions.hadRole(this.#user, channel, ["admin"], tick, written)) {
        this.#fail(`could ${asked.name} in channel ${channel} without being its admin`);
      }
    } else this.#sees(channel, tick, written, name);
    if (name === "GetChannelMessagesResponse" || name === "JoinChannelChatResponse") {
      for (const one of decode(name, payload).messages) {
        if (permissions.channelOfMessage(one.id) !== channel) {
          this.#fail(`got message ${one.id} of another channel than ${channel}`);
        }
      }
    }
  }

  #message(name: MessageName, payload: Uint8Array, written: number): void {
    switch (name) {
      case "UpdateChannels":
        return this.#channels(decode(name, payload), written);
      case "UpdateUserChannels":
        return this.#memberships(decode(name, payload), written);
      case "ChannelMessageSent":
      case "ChannelMessageUpdate": {
        const { channelId, message } = decode(name, payload);
        const key = nonceKey(message?.nonce);
        if (this.#record.isOnlyFrom(key, this.#connection)) this.#fail(`got its own ${name} back`);
        return this.#sees(channelId, this.#record.arrival(key), written, name);
      }
      case "RemoveChannelMessage":
        return this.#sees(decode(name, payload).channelId, this.#opened, written, name);
      case "UpdateChannelBuffer": {
        const { channelId, operations } = decode(name, payload);
        for (const one of operations) {
          this.#sees(channelId, this.#record.arrival(operationKey(channelId, one)), written, name);
        }
        return;
      }
      case "UpdateChannelBufferCollaborators":
        return this.#sees(decode(name, payload).channelId, this.#opened, written, name);
      case "AddNotification":
      case "UpdateNotification": {
        const { notification } = decode(name, payload);
        return this.#owns(notification?.id ?? 0n, name);
      }
      case "DeleteNotification":
        return this.#owns(decode(name, payload).notificationId, name);
    }
  }

  #channels(update: MessageTypes["UpdateChannels"], written: number): void {
    const { permissions } = this.#record;
    const what = "UpdateChannels";
    for (const channel of update.channels) {
      const [id, shown] = [Number(channel.id), look(channel)];
      if (!permissions.everLooked(id, shown, written)) {
        this.#fail(`got channel ${id} as it never was`);
      } else if (!permissions.couldSeeAs(this.#user, id, shown, this.#opened, written)) {
        this.#fail(`got ${what} of channel ${id}, which its user may not see`);
      }
    }
    for (const { id } of update.channelInvitations) {
      const root = Number(id);
      if (
        !permissions.wasMember(this.#user, root, this.#opened, written, (one) => !one.accepted)
      ) this.#fail(`got an invitation to channel ${id} without having one`);
    }
    for (const { channelId } of update.channelParticipants) {
      this.#sees(channelId, this.#opened, written, `${what} of the call`);
    }
    for (const { channelId, messageId } of update.latestChannelMessageIds) {
      const stored = permissions.storedAt(`message ${messageId}`);
      this.#sees(channelId, stored, written, `${what} with message ${messageId}`);
    }
    for (const { channelId, epoch, version: [top] } of update.latestChannelBufferVersions) {
      const operation = `operation ${channelId} ${epoch} ${top?.timestamp}.${top?.replicaId}`;
      const since = top === undefined ? this.#opened : permissions.storedAt(operation);
      this.#sees(channelId, since, written, `${what} with ${operation}`);
    }
  }

  #memberships(update: MessageTypes["UpdateUserChannels"], written: number): void {
    for (const { channelId, role } of update.channelMemberships) {
      const isTrue = this.#record.permissions.wasMember(
        this.#user,
        Number(channelId),
        this.#opened,
        written,
        (one) => one.accepted && one.role === ROLE_NAMES.get(role),
      );
      if (!isTrue) this.#fail(`got the role ${ROLE_NAMES.get(role)} in channel ${channelId}`);
    }
  }

  /** The user must have seen the channel between `since` and when it was written. */
  #sees(id: bigint | number, since: number | undefined, written: number, what: string): void {
    if (since === undefined) return this.#fail(`got ${what} of channel ${id}, never sent`);
    // Nothing was made for this connection before it was there.
    const from = Math.max(since, this.#opened);
    if (!this.#record.permissions.couldSee(this.#user, Number(id), from, written)) {
      this.#fail(`got ${what} of channel ${id}, which its user may not see`);
    }
  }

  #owns(notification: bigint, what: string): void {
    if (this.#record.permissions.recipientOf(notification) !== this.#user) {
      this.#fail(`got ${what} of notification ${notification}, which is not its user's`);
    }
  }

  #fail(text: string): void {
    this.#record.fail(`${this.#who} ${text}`);
  }
}

/** A channel as its row shows it, see `Permissions`. */
function look({ name, visibility, parentPath, channelOrder }: MessageTypes["Channel"]): string {
  return JSON.stringify([
    name,
    visibility === ChannelVisibilityEnum.Public ? "public" : "members",
    parentPath.map((id) => `${id}/`).join(""),
    channelOrder,
  ]);
}

function nonceKey(nonce: MessageTypes["Nonce"] | undefined): string {
  return `nonce ${nonce?.upperHalf} ${nonce?.lowerHalf}`;
}

/** Of any epoch: a message does not say which. */
function operationKey(channelId: bigint, operation: MessageTypes["Operation"]): string {
  const variant = operation.edit ?? operation.undo ?? operation.updateSelections;
  return `operation ${channelId} ${variant?.lamportTimestamp}.${variant?.replicaId}`;
}
