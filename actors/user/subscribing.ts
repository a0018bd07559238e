/** A user wants to hear of channels, from now on and on all connections. [channels 6.4] */
import type { ConnectionRef, TreePart } from "../refs.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf } from "../turn.ts";
import type { UserRequestContext } from "./context.ts";

export function handleSubscribeToChannels(
  { system, turn, user, inbound }: UserRequestContext,
): void {
  system.pool.subscribe(user.id);
  turn.then(() => describe(system, user.id, inbound.connection));
}

/**
 * Asks every tree of the user and sends all of it in one message. When a tree has to be waited for, the
 * others have gone on meanwhile: then all are asked anew, so that what is sent is of one moment.
 */
function describe(system: ActorSystem, userId: number, connection: ConnectionRef): void {
  const parts: TreePart[] = [];
  let gate = 0;
  let open = 1;
  let late = false;
  const answered = (part: TreePart | undefined, partGate: number) => {
    if (part !== undefined) parts.push(part);
    gate = Math.max(gate, partGate);
    if (--open > 0) return;
    if (late) describe(system, userId, connection);
    else send(connection, parts, gate);
  };
  for (const rootId of system.memberships.rootsOf(userId)) {
    const tree = system.registry.channels.get(rootId);
    if (tree === undefined) continue;
    open++;
    tree.tell({ type: "channel.describe", userId, answer: answered }, 0);
  }
  answered(undefined, 0);
  late = true;
}

/** Both messages are sent even when they are empty. [channels 6.3] */
function send(connection: ConnectionRef, parts: readonly TreePart[], gate: number): void {
  const defined = <T>(values: readonly (T | undefined)[]) =>
    values.filter((value) => value !== undefined);
  connection.outbox.push(
    fieldOf("UpdateUserChannels", {
      channelMemberships: defined(parts.map(({ membership }) => membership)),
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
    }),
    -1,
    gate,
  );
}
