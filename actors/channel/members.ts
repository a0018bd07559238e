/** Who belongs to a tree: inviting, answering, removing, roles, the list. [channels 7.7–7.11] */
import { decode } from "../../proto/mod.ts";
import { fuzzyMatches } from "../../db/fuzzy.ts";
import type { User } from "../../db/store.ts";
import { RpcError } from "../../rpc/errors.ts";
import { notifyUser } from "../notification.ts";
import type { Inbound } from "../refs/mod.ts";
import { answerUnreadable } from "../refuse.ts";
import { isRole, Role } from "../roles.ts";
import { fieldOf } from "../turn.ts";
import { wireUser } from "../wire_user.ts";
import { type ChannelContext, type RequestContext, saveMember, updateChannels } from "./context.ts";
import { requireAdmin } from "./editing.ts";
import { tellMembership } from "./membership.ts";
import type { Member } from "./state.ts";
import { wireChannel } from "./wire.ts";

/** `ChannelMember.Kind`. [channels 1.2] */
const Kind = { Member: 0, Invitee: 1 } as const;
/** Members in one answer when the request names no limit. [channels 7.11] */
const MOST_MEMBERS = 65_535;

/** The row of a user on exactly this channel: only roots have any. */
function rowOf({ tree, channel }: RequestContext, userId: number): Member | undefined {
  return channel.id === tree.rootId ? tree.members.get(userId) : undefined;
}

/** The user that `InviteChannelMember` names, who has to be looked up before it is handled. */
export function invitedUser(inbound: Inbound): number {
  return Number(decode("InviteChannelMember", inbound.payload).userId);
}

/** [channels 7.7] `exists`: there is such an account. */
export function handleInviteChannelMember(
  context: RequestContext,
  exists: (id: number) => boolean,
): void {
  const { system, turn, tree, channel, inbound } = context;
  const { connection, requestId } = inbound;
  const request = decode("InviteChannelMember", inbound.payload);
  const userId = Number(request.userId);
  if (channel.id !== tree.rootId) {
    throw RpcError.coded("NotARootChannel");
  }
  requireRole(request.role);
  if (tree.members.has(userId)) {
    throw RpcError.internal(`user ${userId} is a member or has been invited already`);
  }
  if (!exists(userId)) throw RpcError.internal(`there is no user ${userId}`);
  const member: Member = { userId, role: request.role, accepted: false };
  context.addMember(member);
  saveMember(context, member);
  turn.pushToUser(userId, updateChannels({ channelInvitations: [wireChannel(channel)] }));
  notifyUser(
    system,
    turn,
    userId,
    "ChannelInvitation",
    channel.id,
    JSON.stringify({ inviter_id: connection.userId, channel_name: channel.name }),
  );
  turn.ack(connection, requestId);
}

/** [channels 2.7] Nobody is told: the user subscribes later, and the others ask for members. */
export function welcome(context: ChannelContext, userId: number): void {
  if (context.tree.members.has(userId)) return;
  const member: Member = { userId, role: Role.Guest, accepted: true };
  context.addMember(member);
  saveMember(context, member);
}

/** [channels 7.8] */
export function handleRespondToChannelInvite(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  const { connection, requestId } = inbound;
  const { accept } = decode("RespondToChannelInvite", inbound.payload);
  const member = rowOf(context, connection.userId);
  if (member === undefined || member.accepted) {
    throw RpcError.internal(`you have no invitation to channel ${channel.id}`);
  }
  if (accept) {
    member.accepted = true;
    saveMember(context, member);
    tellMembership(context, member.userId, channel);
  } else {
    deleteMember(context, member);
    turn.pushToUser(
      member.userId,
      updateChannels({ removeChannelInvitations: [BigInt(channel.id)] }),
    );
  }
  answerInvitation(context, member.userId, accept);
  turn.ack(connection, requestId);
}

/** Marks the user's notification of the invitation. [channels 7.8] */
export function answerInvitation(
  { turn, tree }: ChannelContext,
  userId: number,
  response: boolean,
): void {
  turn.tellUser(userId, {
    type: "user.notification_answered",
    kind: "ChannelInvitation",
    entityId: tree.rootId,
    response,
  });
}

/** [channels 7.9] Whoever is banned cannot lift the ban by leaving. [channels Q-7] */
export function handleRemoveChannelMember(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  const { connection, requestId } = inbound;
  const userId = Number(decode("RemoveChannelMember", inbound.payload).userId);
  if (userId !== connection.userId) requireAdmin(context);
  const member = rowOf(context, userId);
  if (member === undefined) throw noMember(userId, channel.id);
  if (userId === connection.userId && member.accepted && member.role === Role.Banned) {
    throw RpcError.internal(`you are banned from channel ${channel.id}`);
  }
  deleteMember(context, member);
  tellMembership(context, userId, channel);
  turn.tellUser(userId, {
    type: "user.unnotify",
    kind: "ChannelInvitation",
    entityId: channel.id,
  });
  turn.ack(connection, requestId);
}

/** [channels 7.10] The role in a running call stays. */
export function handleSetChannelMemberRole(context: RequestContext): void {
  const { turn, channel, inbound } = context;
  const request = decode("SetChannelMemberRole", inbound.payload);
  const userId = Number(request.userId);
  const member = rowOf(context, userId);
  if (member === undefined) throw noMember(userId, channel.id);
  requireRole(request.role);
  member.role = request.role;
  saveMember(context, member);
  if (member.accepted) tellMembership(context, userId, channel);
  else {
    turn.pushToUser(userId, updateChannels({ channelInvitations: [wireChannel(channel)] }));
  }
  turn.ack(inbound.connection, inbound.requestId);
}

/** [channels 7.11] */
export function handleGetChannelMembers({ system, turn, tree, inbound }: RequestContext): void {
  const { connection, requestId } = inbound;
  const { query, limit } = decode("GetChannelMembers", inbound.payload);
  const most = limit === 0n ? MOST_MEMBERS : Math.min(Number(limit), MOST_MEMBERS);
  // As they are in this turn: the accounts may take longer.
  const members = new Map([...tree.members].map(([userId, member]) => [userId, { ...member }]));
  turn.then((gate) => {
    const answer = (users: readonly User[]) => {
      const found = matching(query, members, users).slice(0, most);
      connection.outbox.push(
        fieldOf("GetChannelMembersResponse", {
          members: found.map(({ member }) => ({
            userId: BigInt(member.userId),
            role: member.role,
            kind: member.accepted ? Kind.Member : Kind.Invitee,
          })),
          users: found.map(({ user }) => wireUser(system, user)),
        }),
        requestId,
        gate,
      );
    };
    const users = system.directory.find([...members.keys()]);
    if (!(users instanceof Promise)) answer(users);
    else {
      users.then(answer, (error) => answerUnreadable(system, inbound, "Accounts", error));
    }
  });
}

interface Found {
  readonly member: Member;
  readonly user: User;
}

/** By role, then accepted before invited, then by login. [channels 7.11] */
function matching(
  query: string,
  members: ReadonlyMap<number, Member>,
  users: readonly User[],
): Found[] {
  return users
    .map((user) => ({ user, member: members.get(user.id) }))
    .filter((one): one is Found => one.member !== undefined && fuzzyMatches(query, one.user.login))
    .sort((a, b) =>
      rank(a.member) - rank(b.member) ||
      Number(b.member.accepted) - Number(a.member.accepted) ||
      (a.user.login < b.user.login ? -1 : 1)
    );
}

function rank({ role }: Member): number {
  const place = ([Role.Admin, Role.Member, Role.Guest] as readonly number[]).indexOf(role);
  return place < 0 ? 3 : place;
}

export function deleteMember(context: ChannelContext, member: Member): void {
  context.removeMember(member);
  context.turn.remove("channel_members", {
    channel_id: context.tree.rootId,
    user_id: member.userId,
  });
}

/** A role that does not exist must not pass for an admin's. [channels Q-19] */
function requireRole(role: number): void {
  if (!isRole(role)) throw RpcError.internal(`unknown role: ${role}`);
}

function noMember(userId: number, channelId: number): RpcError {
  return RpcError.internal(`user ${userId} is no member of channel ${channelId}`);
}
