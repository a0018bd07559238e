/** Who does not see a channel any more hears nothing from its notes and its chat. [channels Q-20] */
import type { ChannelContext } from "./context.ts";
import type { Channel } from "./state.ts";

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
