/** What a tree's handlers work with in one turn, and whom they tell what. */
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { EventFacts } from "../events.ts";
import type { Inbound } from "../refs/mod.ts";
import { canSee, Role, Visibility } from "../roles.ts";
import type { ActorSystem } from "../system.ts";
import { fieldOf, type Turn } from "../turn.ts";
import { channelRow, memberRow } from "./rows.ts";
import type { Channel, ChannelTreeState, Member } from "./state.ts";
import { wireChannel } from "./wire.ts";

export interface ChannelContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly tree: ChannelTreeState;
  /** A channel has been made: it gets an address. */
  addChannel(channel: Channel): void;
  /** A channel is gone, and its address with it. */
  removeChannel(channel: Channel): void;
  /** A user has a row in the tree now, or has none any more. */
  addMember(member: Member): void;
  removeMember(member: Member): void;
  /** The root is gone: the tree ends with this turn. */
  end(): void;
}

/** A context with the client's message that the turn is about, and the channel that it names. */
export interface RequestContext extends ChannelContext {
  readonly inbound: Inbound;
  readonly channel: Channel;
}

export function saveChannel({ turn, tree }: ChannelContext, channel: Channel): void {
  turn.put("channels", channelRow(tree.rootId, channel));
}

/** Stores a channel that there was before, as it is now. */
export function changeChannel(context: ChannelContext, channel: Channel): void {
  saveChannel(context, channel);
  context.turn.happened("channel.changed", () => channelFacts(channel));
}

/** The channel as programs that embed the server are told of it. */
export function channelFacts(channel: Channel): EventFacts["channel.changed"] {
  return {
    channelId: channel.id,
    parentId: channel.parentPath.at(-1),
    name: channel.name,
    isPublic: channel.visibility === Visibility.Public,
  };
}

export function saveMember({ turn, tree }: ChannelContext, member: Member): void {
  turn.put("channel_members", memberRow(tree.rootId, member));
  turn.happened("channel.member_changed", () => ({
    channelId: tree.rootId,
    userId: member.userId,
    role: member.role,
    isMember: member.accepted,
  }));
}

/** Members of the tree who hear of it, whatever their role. [channels 5.10] */
export function* subscribers({ system, tree }: ChannelContext): Generator<Member> {
  for (const member of tree.members.values()) {
    const { userId, accepted } = member;
    if (!accepted || tree.deaf.has(userId)) continue;
    if (system.pool.isSubscribed(userId, tree.rootId)) yield member;
  }
}

/**
 * Whoever got a role hears of the tree from now on, also if he did not subscribe; whoever is banned
 * hears nothing before he subscribes anew. [channels 5.10] [channels 6.5]
 */
export function subscribeMember({ system, tree }: ChannelContext, { userId, role }: Member): void {
  if (role === Role.Banned) tree.deaf.add(userId);
  else {
    tree.deaf.delete(userId);
    system.pool.subscribeTo(tree.rootId, userId);
  }
}

/**
 * Sends each subscriber what his role sees: `fieldFor` is asked at most twice, once for roles that see
 * every channel and once for those that see public ones. [channels 5.5] [channels 5.10]
 *
 * @param allBut connections that are passed over
 */
export function tellByRole(
  context: ChannelContext,
  fieldFor: (sees: (channel: Channel) => boolean) => Uint8Array | undefined,
  allBut?: ReadonlySet<PeerKey>,
): void {
  const fields = new Map<boolean, Uint8Array | undefined>();
  for (const { userId, role } of subscribers(context)) {
    const seesAll = canSee(role, Visibility.Members);
    if (!seesAll && !canSee(role, Visibility.Public)) continue;
    if (!fields.has(seesAll)) {
      fields.set(seesAll, fieldFor(({ visibility }) => canSee(role, visibility)));
    }
    const field = fields.get(seesAll);
    if (field !== undefined) context.turn.pushToUser(userId, field, allBut);
  }
}

/** Tells the subscribers of channels that have changed, each of those that he sees. */
export function tellChanged(context: ChannelContext, channels: readonly Channel[]): void {
  tellByRole(context, (sees) => {
    const seen = channels.filter(sees);
    return seen.length === 0 ? undefined : updateChannels({ channels: seen.map(wireChannel) });
  });
}

export function updateChannels(value: Init<MessageTypes["UpdateChannels"]>): Uint8Array {
  return fieldOf("UpdateChannels", value);
}
