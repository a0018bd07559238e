/** The call of a channel: who may join it, and who hears of it. [channels 7.12] [rooms 9.8] */
import { RpcError } from "../../rpc/errors.ts";
import type { ChannelJoin, ChannelMessage } from "../refs/mod.ts";
import { answerError, answerUnreadable } from "../refuse.ts";
import { canSee, Role, Visibility } from "../roles.ts";
import { type ChannelContext, saveMember, tellByRole, updateChannels } from "./context.ts";
import { answerInvitation } from "./members.ts";
import { tellMembership } from "./membership.ts";
import type { Channel, ChannelTreeState, Member } from "./state.ts";

/** How a user may join: with the row that he has, or with one that the join makes. */
interface Admission {
  readonly channel: Channel;
  readonly role: number;
  /** The row as it will be; none when nothing changes. */
  readonly row?: Member;
}

/**
 * By role, by invitation, or as a guest of a public channel. A role that does not see the channel
 * does not get in by an invitation either. [channels 7.12.2] [channels Q-9]
 */
function admission(
  tree: ChannelTreeState,
  { channelId, connection: { userId } }: ChannelJoin,
): Admission {
  const channel = tree.channels.get(channelId);
  if (channel === undefined) throw RpcError.coded("NoSuchChannel");
  const member = tree.members.get(userId);
  if (member !== undefined) {
    const { role } = member;
    if (!canSee(role, channel.visibility)) throw RpcError.coded("Forbidden");
    return member.accepted
      ? { channel, role }
      : { channel, role, row: { userId, role, accepted: true } };
  }
  if (channel.visibility !== Visibility.Public) throw RpcError.coded("Forbidden");
  const role = Role.Guest;
  return { channel, role, row: { userId, role, accepted: true } };
}

/** Before the user leaves the present call: may he come? [channels Q-22] */
export function joinAsked({ turn, tree }: ChannelContext, join: ChannelJoin): void {
  admission(tree, join);
  turn.tellUser(join.connection.userId, {
    type: "user.join_allowed",
    join,
    roomId: tree.calls.get(join.channelId)?.roomId,
  });
}

/** Makes the user a member where that is needed, and the room where there is none. */
export function letIn(context: ChannelContext, join: ChannelJoin): void {
  const { system, turn, tree } = context;
  const { channel, role, row } = admission(tree, join);
  if (row !== undefined) {
    context.addMember(row);
    saveMember(context, row);
  }
  const call = tree.calls.get(channel.id);
  let room = call === undefined ? undefined : system.registry.rooms.get(call.roomId);
  if (room === undefined) {
    const { id, write } = system.ids.next("room");
    turn.writes.push(write);
    room = system.createRoom(id, channel.id);
    tree.calls.set(channel.id, { roomId: id, active: [], seated: [] });
  }
  turn.tellUser(join.connection.userId, {
    type: "user.join_prepared",
    join,
    room,
    role,
    admitted: row !== undefined,
  });
}

/** The answer is out: the user hears of the membership, his place in the call not yet in it. */
export function admitted(context: ChannelContext, join: ChannelJoin): void {
  const { tree } = context;
  const { userId } = join.connection;
  const channel = tree.channels.get(join.channelId);
  if (channel === undefined || !tree.members.has(userId)) return;
  tellMembership(context, userId, channel);
  answerInvitation(context, userId, true);
}

/** [channels 7.13] */
export function callChanged(
  context: ChannelContext,
  change: Extract<ChannelMessage, { type: "channel.call_changed" }>,
): void {
  const { tree } = context;
  const { roomId, active, seated } = change;
  const channel = tree.channels.get(change.channelId);
  const call = tree.calls.get(change.channelId);
  if (channel === undefined || (call !== undefined && call.roomId !== roomId)) return;
  if (change.ended) tree.calls.delete(channel.id);
  else tree.calls.set(channel.id, { roomId, active, seated });
  if (!change.announce) return;
  context.turn.happened("channel.call_changed", () => ({
    channelId: channel.id,
    roomId,
    participants: active,
  }));
  const field = updateChannels({
    channelParticipants: [{
      channelId: BigInt(channel.id),
      participantUserIds: active.map(BigInt),
    }],
  });
  tellByRole(context, (sees) => (sees(channel) ? field : undefined));
}

/** Who may edit needs the contributor agreement where the channel asks for it. [rooms 10.11] */
export function roleAsked(
  { system, turn, tree }: ChannelContext,
  { channelId, room, change }: Extract<ChannelMessage, { type: "channel.role_asked" }>,
): void {
  const channel = tree.channels.get(channelId);
  if (channel === undefined || !tree.requiresCla(channel)) {
    turn.tellRoom(room, { type: "room.role_allowed", change });
    return;
  }
  turn.then(() => {
    void system.store.load("contributors", { user_id: change.userId }).then(
      ([signed]) => {
        if (signed !== undefined) room.tell({ type: "room.role_allowed", change }, 0);
        else answerError(change, RpcError.coded("NeedsCla"));
      },
      (error) => answerUnreadable(system, change, "Contributors", error),
    );
  });
}
