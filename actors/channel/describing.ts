/** What a user who subscribes sees of one tree. [channels 6.4] */
import type { ChannelMessage } from "../refs/mod.ts";
import type { ChannelContext } from "./context.ts";
import { pathOf } from "./state.ts";
import {
  wireChannel,
  wireLatestMessages,
  wireMembership,
  wireNotesVersions,
  wireParticipants,
} from "./wire.ts";

export function describe(
  { turn, tree }: ChannelContext,
  { userId, answer }: Extract<ChannelMessage, { type: "channel.describe" }>,
): void {
  const member = tree.members.get(userId);
  tree.deaf.delete(userId);
  const root = tree.channels.get(tree.rootId);
  const membership = wireMembership(tree, member);
  const visible = membership === undefined ? [] : tree.visibleTo(member?.role);
  const invited = root !== undefined && member?.accepted === false;
  turn.then((gate) =>
    answer({
      ...(membership !== undefined && { membership }),
      ...(invited && { invitation: wireChannel(root) }),
      below: visible.filter((channel) => channel !== root)
        .map((channel) => ({ path: pathOf(channel), channel: wireChannel(channel) })),
      ...(root !== undefined && visible.includes(root) && { root: wireChannel(root) }),
      participants: wireParticipants(tree, visible),
      latestMessages: wireLatestMessages(tree, visible),
      latestNotes: wireNotesVersions(tree, visible),
    }, gate)
  );
}
