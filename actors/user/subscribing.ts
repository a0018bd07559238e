/** A user wants to hear of channels, from now on and on all connections. [channels 6.4] */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { wireNotesVersion } from "../notes_version.ts";
import type { ConnectionRef, TreePart } from "../refs.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";
import type { UserRequestContext } from "./context.ts";
import type { UserState } from "./state.ts";

export function handleSubscribeToChannels(
  { system, turn, user, inbound }: UserRequestContext,
): void {
  system.pool.subscribe(user.id);
  turn.then((gate) => describe(system, user, inbound.connection, gate));
}

/**
 * Asks every tree of the user and sends all of it in one message. When a tree has to be waited for, the
 * others have gone on meanwhile: then all are asked anew, so that what is sent is of one moment.
 */
function describe(
  system: ActorSystem,
  user: UserState,
  connection: ConnectionRef,
  userGate: number,
): void {
  const { id: userId } = user;
  const roots = [...system.memberships.rootsOf(userId)].sort((a, b) => a - b);
  const parts: (TreePart | undefined)[] = [];
  let gate = userGate;
  let open = 1;
  let late = false;
  const answered = (at: number, part: TreePart | undefined, partGate: number) => {
    parts[at] = part;
    gate = Math.max(gate, partGate);
    if (--open > 0) return;
    if (!late) send(user, connection, defined(parts), gate);
    // Behind the turn of the tree that answered: it takes nothing before.
    else queueMicrotask(() => describe(system, user, connection, gate));
  };
  for (const [at, rootId] of roots.entries()) {
    const tree = system.registry.channels.get(rootId);
    if (tree === undefined) continue;
    open++;
    const answer = (part: TreePart | undefined, gate: number) => answered(at, part, gate);
    tree.tell({ type: "channel.describe", userId: user.id, answer }, 0);
  }
  answered(roots.length, undefined, 0);
  late = true;
}

/** Both messages are sent even when they are empty. [channels 6.3] */
function send(
  user: UserState,
  connection: ConnectionRef,
  parts: readonly TreePart[],
  gate: number,
): void {
  const latestNotes = parts.flatMap((part) => part.latestNotes);
  connection.outbox.push(
    fieldOf("UpdateUserChannels", {
      channelMemberships: defined(parts.map(({ membership }) => membership)),
      observedChannelMessageId: observed(user, parts),
      observedChannelBufferVersion: latestNotes.map(({ channelId }) => Number(channelId))
        .filter((id) => user.observedNotes.has(id))
        .map((id) => wireNotesVersion(id, user.observedNotes.get(id))),
    }),
    -1,
    gate,
  );
  const below = parts.flatMap((part) => part.below).sort((a, b) => (a.path < b.path ? -1 : 1));
  connection.outbox.push(
    fieldOf("UpdateChannels", {
      channels: [
        ...below.map(({ channel }) => channel),
        ...defined(parts.map(({ root }) => root)),
      ],
      channelInvitations: defined(parts.map(({ invitation }) => invitation)),
      channelParticipants: parts.flatMap(({ participants }) => participants),
      latestChannelMessageIds: parts.flatMap(({ latestMessages }) => latestMessages),
      latestChannelBufferVersions: latestNotes,
    }),
    -1,
    gate,
  );
}

/** How far the user has seen the chats of the channels that he sees. [channels 6.4] */
function observed(
  user: UserState,
  parts: readonly TreePart[],
): Init<MessageTypes["ChannelMessageId"]>[] {
  return parts
    .flatMap(({ below, root }) => [...below.map(({ channel }) => channel), ...defined([root])])
    .flatMap(({ id: channelId = 0n }) => {
      const messageId = user.observedMessages.get(Number(channelId));
      return messageId === undefined ? [] : [{ channelId, messageId: BigInt(messageId) }];
    });
}

function defined<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}
