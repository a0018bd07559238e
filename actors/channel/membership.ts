/** Telling a user what has become of a membership. [channels 6.5] */
import { fieldOf } from "../turn.ts";
import {
  type ChannelContext,
  subscribeMember,
  subscribers,
  tellByRole,
  updateChannels,
} from "./context.ts";
import { expel } from "./expelling.ts";
import type { Channel } from "./state.ts";
import {
  wireChannel,
  wireEmptyCalls,
  wireLatestMessages,
  wireMembership,
  wireNotesVersions,
  wireParticipants,
} from "./wire.ts";

/**
 * Sends a user his role, all that he sees of the tree now, and what he does not see any more below
 * `channel`; of that he has nothing open any more. Nobody else is told. [channels 6.3] [channels 6.5]
 */
export function tellMembership(
  context: ChannelContext,
  userId: number,
  channel: Channel,
): void {
  const { turn, tree } = context;
  const member = tree.members.get(userId);
  const membership = wireMembership(tree, member);
  if (member?.accepted === true) subscribeMember(context, member);
  const visible = membership === undefined ? [] : tree.visibleTo(member?.role);
  const seen = new Set(visible);
  const removed = [...tree.below(channel), channel].filter((one) => !seen.has(one));
  turn.pushToUser(
    userId,
    fieldOf("UpdateUserChannels", {
      channelMemberships: membership === undefined ? [] : [membership],
    }),
  );
  const hidden = [...tree.channels.values()].filter((one) => !seen.has(one));
  expel(context, hidden, [userId]);
  turn.pushToUser(
    userId,
    updateChannels({
      channels: visible.map(wireChannel),
      deleteChannels: removed.map(({ id }) => BigInt(id)),
      // An invitation is shown under the root, wherever it was used. [channels Q-8]
      removeChannelInvitations: [...new Set([channel.id, tree.rootId])].map(BigInt),
      channelParticipants: wireParticipants(tree, visible),
      latestChannelMessageIds: wireLatestMessages(tree, visible),
      latestChannelBufferVersions: wireNotesVersions(tree, visible),
    }),
  );
}

/**
 * What the tree said of others' changes was lost together with one of its own: also that a call is over,
 * of which a membership says nothing.
 */
export function tellAll(context: ChannelContext): void {
  const { tree } = context;
  const root = tree.channels.get(tree.rootId);
  if (root === undefined) return;
  for (const { userId } of subscribers(context)) tellMembership(context, userId, root);
  tellByRole(context, (sees) => {
    const empty = wireEmptyCalls(tree, [...tree.channels.values()].filter(sees));
    return empty.length === 0 ? undefined : updateChannels({ channelParticipants: empty });
  });
}
