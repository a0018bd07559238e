/** The tree: making, naming, showing, moving, ordering and deleting channels. [channels 7.1–7.6] */
import { decode } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { Put } from "../../db/store.ts";
import type { ChannelMessage } from "../refs/mod.ts";
import { canSee, Role, Visibility } from "../roles.ts";
import { fieldOf } from "../turn.ts";
import {
  changeChannel,
  type ChannelContext,
  type RequestContext,
  saveChannel,
  saveMember,
  subscribeMember,
  subscribers,
  tellChanged,
  updateChannels,
} from "./context.ts";
import { expel, noteClosed } from "./expelling.ts";
import { type Channel, type ChannelTreeState, sanitizedName } from "./state.ts";
import { deleteNotes } from "./notes.ts";
import { wireChannel, wireLatestMessages, wireNotesVersions, wireParticipants } from "./wire.ts";

/** `ReorderChannel.Direction`. [channels 1.2] */
const DIRECTIONS = ["up", "down"] as const;

/** The name as it is kept. @throws {RpcError} when nothing is left of it [channels 5.2] */
export function channelName(name: string): string {
  const kept = sanitizedName(name);
  if (kept === "") throw RpcError.internal("a channel needs a name");
  return kept;
}

/** [channels 5.7] */
export function requireAdmin({ tree, inbound, channel }: RequestContext): void {
  if (!tree.isAdmin(channel, inbound.connection.userId)) {
    throw RpcError.internal(`only an admin of channel ${channel.id} may do this`);
  }
}

/** Makes the root, with one admin as the only member, whom it tells. [channels 7.1] */
export function makeRoot(
  context: ChannelContext,
  { name, ownerId, counter }: { name: string; ownerId: number; counter: Put },
  told: (root: Channel) => void = () => {},
): void {
  const { system, turn, tree } = context;
  const root: Channel = {
    id: tree.rootId,
    name,
    visibility: Visibility.Members,
    parentPath: [],
    requiresCla: false,
    order: 1,
    createdAt: system.clock.now(),
  };
  const maker = { userId: ownerId, role: Role.Admin, accepted: true };
  turn.writes.push(counter);
  context.addChannel(root);
  context.addMember(maker);
  saveChannel(context, root);
  saveMember(context, maker);
  subscribeMember(context, maker);
  told(root);
  turn.pushToUser(
    maker.userId,
    fieldOf("UpdateUserChannels", {
      channelMemberships: [{ channelId: BigInt(root.id), role: maker.role }],
    }),
  );
  tellChanged(context, [root]);
}

/** A new root for a client, its maker as the only member. [channels 7.1] */
export function createRoot(
  context: ChannelContext,
  { connection, requestId, name, counter }: Extract<ChannelMessage, { type: "channel.create" }>,
): void {
  makeRoot(
    context,
    { name, ownerId: connection.userId, counter },
    (root) =>
      context.turn.reply(connection, requestId, "CreateChannelResponse", {
        channel: wireChannel(root),
      }),
  );
}

/** Makes a channel under another one; nobody is told yet. [channels 7.1] */
export function makeChannel(context: ChannelContext, parent: Channel, name: string): Channel {
  const { system, turn, tree } = context;
  if (tree.isTaken(parent.id, name)) throw nameTaken(name);
  const { id, write } = system.ids.next("channel");
  turn.writes.push(write);
  const channel: Channel = {
    id,
    name,
    visibility: Visibility.Members,
    parentPath: [...parent.parentPath, parent.id],
    requiresCla: false,
    order: tree.lastOrder(parent.id),
    createdAt: system.clock.now(),
  };
  context.addChannel(channel);
  saveChannel(context, channel);
  return channel;
}

/** A new channel under `context.channel`. [channels 7.1] */
export function handleCreateChannel(context: RequestContext): void {
  const { turn, channel: parent, inbound } = context;
  const name = channelName(decode("CreateChannel", inbound.payload).name);
  requireAdmin(context);
  const channel = makeChannel(context, parent, name);
  turn.reply(inbound.connection, inbound.requestId, "CreateChannelResponse", {
    channel: wireChannel(channel),
    parentId: BigInt(parent.id),
  });
  tellChanged(context, [channel]);
}

/** Nobody is told yet. */
function rename(context: ChannelContext, channel: Channel, name: string): void {
  if (context.tree.isTaken(channel.parentPath.at(-1), name, channel)) throw nameTaken(name);
  channel.name = name;
  changeChannel(context, channel);
}

/** [channels 7.3] */
export function handleRenameChannel(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  const name = channelName(decode("RenameChannel", inbound.payload).name);
  requireAdmin(context);
  rename(context, channel, name);
  turn.reply(inbound.connection, inbound.requestId, "RenameChannelResponse", {
    channel: wireChannel(channel),
  });
  tellChanged(context, [channel]);
}

/** [channels 7.2] */
export function handleDeleteChannel(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  remove(context, channel, () => turn.ack(inbound.connection, inbound.requestId));
}

/**
 * Deletes a channel and what is below it; not while somebody is in a call of it, or rung into one.
 * [channels 7.2]
 *
 * @param allowed called before anybody is told
 */
export function remove(
  context: ChannelContext,
  channel: Channel,
  allowed: () => void = () => {},
): void {
  const { system, turn, tree } = context;
  const deleted = [...tree.below(channel), channel];
  for (const { id } of deleted) {
    if ((tree.calls.get(id)?.seated.length ?? 0) > 0) {
      throw RpcError.internal(`there are people in the call of channel ${id}, they have to leave`);
    }
  }
  allowed();
  const field = updateChannels({ deleteChannels: deleted.map(({ id }) => BigInt(id)) });
  for (const { userId } of subscribers(context)) turn.pushToUser(userId, field);
  noteClosed(context, deleted, tree.members.keys());
  for (const one of deleted) {
    const call = tree.calls.get(one.id);
    const room = call === undefined ? undefined : system.registry.rooms.get(call.roomId);
    if (room !== undefined) turn.tellRoom(room, { type: "room.channel_deleted" });
    const chat = system.registry.chats.get(one.id);
    if (chat !== undefined) turn.then((gate) => chat.end(gate));
    tree.calls.delete(one.id);
    tree.latestMessages.delete(one.id);
    deleteNotes(context, one);
    turn.remove("channels", { id: one.id });
    turn.remove("channel_messages", { channel_id: one.id });
    turn.remove("observed_channel_messages", { channel_id: one.id });
    context.removeChannel(one);
  }
  if (channel.id !== tree.rootId) return;
  for (const member of [...tree.members.values()]) context.removeMember(member);
  turn.remove("channel_members", { channel_id: tree.rootId });
  context.end();
}

/** [channels 7.4] */
export function handleSetChannelVisibility(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  show(context, channel, decode("SetChannelVisibility", inbound.payload).visibility);
  turn.ack(inbound.connection, inbound.requestId);
}

/** Everybody hears of it by membership, so that nobody is left out later. [channels 7.4, Q-6] */
function show(context: ChannelContext, channel: Channel, visibility: number): void {
  const { tree } = context;
  checkVisibility(tree, channel, visibility, tree.parentOf(channel));
  const before = channel.visibility;
  channel.visibility = visibility;
  changeChannel(context, channel);
  tellVisibility(context, channel, before);
}

/** @throws {RpcError} where the channel may not have it below that parent [channels 5.6] */
function checkVisibility(
  tree: ChannelTreeState,
  channel: Channel,
  visibility: number,
  parent: Channel | undefined,
): void {
  if (visibility === Visibility.Public) {
    if (parent !== undefined && parent.visibility !== Visibility.Public) {
      throw RpcError.coded("BadPublicNesting", ["direction=parent"]);
    }
  } else if (visibility === Visibility.Members) {
    if (tree.below(channel).some((one) => one.visibility === Visibility.Public)) {
      throw RpcError.coded("BadPublicNesting", ["direction=children"]);
    }
  } else throw RpcError.internal(`unknown visibility: ${visibility}`);
}

/** Who sees it for the first time hears also of its call, its notes and its chat. */
function tellVisibility(context: ChannelContext, channel: Channel, before: number): void {
  const { turn, tree } = context;
  const { visibility } = channel;
  const shown = updateChannels({ channels: [wireChannel(channel)] });
  const revealed = updateChannels({
    channels: [wireChannel(channel)],
    channelParticipants: wireParticipants(tree, [channel]),
    latestChannelMessageIds: wireLatestMessages(tree, [channel]),
    latestChannelBufferVersions: wireNotesVersions(tree, [channel]),
  });
  const hidden = updateChannels({ deleteChannels: [BigInt(channel.id)] });
  const blind = [...tree.members.values()]
    .filter(({ role }) => !canSee(role, visibility))
    .map(({ userId }) => userId);
  expel(context, [channel], blind);
  noteClosed(context, [channel], blind);
  for (const { userId, role } of subscribers(context)) {
    const field = !canSee(role, visibility) ? hidden : canSee(role, before) ? shown : revealed;
    turn.pushToUser(userId, field);
  }
}

/** [channels 7.5] */
export function handleMoveChannel(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  move(context, channel, Number(decode("MoveChannel", inbound.payload).to));
  turn.ack(inbound.connection, inbound.requestId);
}

/** Moves a channel within its tree, and tells of it. [channels 7.5] */
function move(context: ChannelContext, channel: Channel, to: number): void {
  const { tree } = context;
  const target = moveTarget(context, channel, to);
  if (channel.visibility === Visibility.Public && target.visibility !== Visibility.Public) {
    throw RpcError.coded("BadPublicNesting");
  }
  if (tree.isTaken(target.id, channel.name, channel)) throw nameTaken(channel.name);
  const moved = tree.move(channel, target);
  for (const one of moved) changeChannel(context, one);
  tellChanged(context, moved);
}

/** @throws {RpcError} when the channel cannot be below that one [channels 7.5] */
function moveTarget({ system, tree }: ChannelContext, channel: Channel, to: number): Channel {
  const target = tree.channels.get(to);
  if (target === undefined) {
    if (!system.registry.channels.has(to)) throw RpcError.coded("NoSuchChannel");
    throw RpcError.coded("WrongMoveTarget");
  }
  if (target === channel || target.parentPath.includes(channel.id)) {
    throw RpcError.coded("CircularNesting");
  }
  return target;
}

/** What a channel is to be from now on; what is undefined stays. */
export interface ChannelChange {
  readonly name: string | undefined;
  readonly visibility: number | undefined;
  readonly to: number | undefined;
}

/**
 * All of it at once: the rules are those of {@link rename}, {@link show} and {@link move}, and look at
 * the channel as it is in the end.
 *
 * @throws {RpcError} before anything is changed
 */
export function change(
  context: ChannelContext,
  channel: Channel,
  { name = channel.name, visibility = channel.visibility, to }: ChannelChange,
): void {
  const { tree } = context;
  const target = to === undefined ? undefined : moveTarget(context, channel, to);
  const parent = target ?? tree.parentOf(channel);
  checkVisibility(tree, channel, visibility, parent);
  if (tree.isTaken(parent?.id, name, channel)) throw nameTaken(name);
  const before = channel.visibility;
  channel.name = name;
  channel.visibility = visibility;
  const changed = target === undefined ? [channel] : tree.move(channel, target);
  for (const one of changed) changeChannel(context, one);
  tellChanged(context, changed);
  if (visibility !== before) tellVisibility(context, channel, before);
}

/** [channels 7.6] Roots have no order of their own: anybody may ask, nothing happens. */
export function handleReorderChannel(context: RequestContext): void {
  const { turn, tree, channel, inbound } = context;
  const direction = DIRECTIONS[decode("ReorderChannel", inbound.payload).direction];
  if (direction === undefined) throw RpcError.internal("unknown direction");
  if (channel.id !== tree.rootId) {
    requireAdmin(context);
    const neighbour = tree.neighbour(channel, direction);
    if (neighbour !== undefined) {
      [channel.order, neighbour.order] = [neighbour.order, channel.order];
      changeChannel(context, channel);
      changeChannel(context, neighbour);
      tellChanged(context, [channel, neighbour]);
    }
  }
  turn.ack(inbound.connection, inbound.requestId);
}

function nameTaken(name: string): RpcError {
  return RpcError.internal(`there is a channel "${name}" in this place already`);
}
