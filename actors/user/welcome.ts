/** What happens once for each account: its first connection. */
import type { ActorSystem } from "../system.ts";
import type { UserContext } from "./context.ts";

/** The user becomes a guest of the channel that the configuration names. [channels 2.7] */
export function welcome({ system, turn, user }: UserContext): void {
  const { accounts, registry, log } = system;
  const id = accounts.welcomeChannel;
  if (id === undefined) return;
  const channel = registry.channels.get(id);
  if (channel?.rootId === id) {
    turn.tellChannel(channel, { type: "channel.welcome", userId: user.id });
  } else {
    log.warn("{address} cannot be welcomed: there is no channel {id} without a parent", {
      address: `/users/${user.id}`,
      id,
    });
  }
}

/** Stores that the account has been connected. */
export function noteConnectedOnce(
  { store, directory, log }: ActorSystem,
  userId: number,
): void {
  directory.forget(userId);
  store.setConnectedOnce(userId).then(
    () => directory.forget(userId),
    (error) => log.error("A first connection cannot be noted: {error}", { error }),
  );
}
