/** A user wants to hear of channels, from now on and on all connections. [channels 6.4] */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { wireNotesVersion } from "../notes_version.ts";
import type { ConnectionRef, TreePart } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";
import type { UserContext, UserRequestContext } from "./context.ts";
import type { UserState } from "./state.ts";

export function handleSubscribeToChannels(context: UserRequestContext): void {
  context.system.pool.subscribe(context.user.id);
  describe(context, context.inbound.connection);
}

/**
 * Asks every tree of the user and sends all of it in one message. When a tree has to be waited for, the
 * others have gone on meanwhile: then all are asked anew, so that what is sent is of one moment. So they
 * are when a change that is in it was taken back: nobody subscribes twice.
 */
function describe({ system, turn, user, later }: UserContext, connection: ConnectionRef): void {
  const again = () => later((context) => describe(context, connection));
  turn.then((own) =>
    ask(system, user.id, (parts, theirs, late) => {
      // Behind the turn of the tree that answered: it takes nothing before.
      if (late) return queueMicrotask(again);
      const { journal } = system;
      const gate = journal.both(own, theirs);
      send(user, connection, parts, gate);
      journal.afterCommit(gate, (stored) => {
        if (!stored && system.registry.connections.has(connection.key)) again();
      });
    })
  );
}

/** `answer` hears what the trees say, the group that it tells of, and whether one was waited for. */
function ask(
  { registry, memberships, journal }: ActorSystem,
  userId: number,
  answer: (parts: readonly TreePart[], gate: number, late: boolean) => void,
): void {
  const roots = [...memberships.rootsOf(userId)].sort((a, b) => a - b);
  const parts: (TreePart | undefined)[] = [];
  let gate = 0;
  let open = 1;
  let late = false;
  const answered = (at: number, part: TreePart | undefined, partGate: number) => {
    parts[at] = part;
    gate = journal.both(gate, partGate);
    if (--open === 0) answer(defined(parts), gate, late);
  };
  for (const [at, rootId] of roots.entries()) {
    const tree = registry.channels.get(rootId);
    if (tree === undefined) continue;
    open++;
    const answer = (part: TreePart | undefined, gate: number) => answered(at, part, gate);
    tree.tell({ type: "channel.describe", userId, answer }, 0);
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
  const channels = [
    ...below.map(({ channel }) => channel),
    ...defined(parts.map(({ root }) => root)),
  ];
  const seen = new Set(channels.map(({ id }) => Number(id)));
  connection.outbox.push(
    fieldOf("UpdateChannels", {
      channels,
      deleteChannels: [...connection.closedNotes].filter((id) => !seen.has(id)).map(BigInt),
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
