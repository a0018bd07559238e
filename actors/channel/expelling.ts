/** Who does not see a channel any more hears nothing from its notes and its chat. [channels Q-20] */
import type { ChannelContext } from "./context.ts";
import type { Channel } from "./state.ts";

/**
 * Users do not see channels any more. Who has not subscribed yet is told of them by the list that he
 * gets then: what he has open he would keep for ever. [channels 6.2]
 */
export function noteClosed(
  { system: { pool, openNotes, registry }, tree }: ChannelContext,
  channels: readonly Channel[],
  userIds: Iterable<number>,
): void {
  for (const userId of userIds) {
    if (pool.isSubscribed(userId, tree.rootId)) continue;
    for (const key of pool.connectionsOf(userId)) {
      const open = openNotes.of(key);
      for (const { id } of channels) {
        if (open.has(id)) registry.connections.get(key)?.closedNotes.add(id);
      }
    }
  }
}

/**
 * Takes users out of what they have open, once it is stored that they do not see it any more. Their
 * clients are told that the channel is gone.
 */
export function expel(
  { system, turn }: ChannelContext,
  channels: readonly Channel[],
  userIds: readonly number[],
): void {
  if (userIds.length === 0) return;
  turn.then((gate) =>
    system.journal.afterCommit(gate, (stored) => {
      if (!stored) return;
      for (const { id } of channels) {
        system.registry.notes.get(id)?.tell({ type: "notes.expel", userIds }, 0);
        system.registry.chats.get(id)?.expel(userIds);
      }
    })
  );
}
