/**
 * A user's way into a channel's call. The user has one seat, so the user's actor leads: it asks the
 * channel, leaves the room that is in the way, and takes the seat; meanwhile nothing else is done with
 * the seat. [channels 7.12] [rooms 10.6]
 *
 * Each step is a message, so that what an actor has to say is said before the next one speaks.
 */
import { RpcError } from "../../rpc/errors.ts";
import type { ChannelJoin, UserMessage } from "../refs/mod.ts";
import { answerError } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { UserContext } from "./context.ts";
import type { UserState } from "./state.ts";

/** What `UserState` remembers of a join that is under way. */
export interface Joining {
  readonly join: ChannelJoin;
  /** The join has made a member, who has not been told yet. */
  readonly admitted: boolean;
  /** The room has it, and answers. */
  readonly inRoom: boolean;
}

type Of<T extends UserMessage["type"]> = Extract<UserMessage, { readonly type: T }>;

/** The user asks to join, and no other join is under way. */
export function startJoin(context: UserContext, join: ChannelJoin, admitted = false): void {
  const { system, turn, user } = context;
  user.joining = { join, admitted, inRoom: false };
  const channel = system.registry.channels.get(join.channelId);
  if (channel !== undefined) turn.tellChannel(channel, { type: "channel.join_asked", join });
  else {
    endJoin(
      context,
      join,
      RpcError.coded("NoSuchChannel"),
    );
  }
}

/** Leaves the present call, whatever it is; a ring of another room is in the way. [rooms 10.6.1] */
export function joinAllowed(context: UserContext, { join, roomId }: Of<"user.join_allowed">): void {
  const { system, turn, user } = context;
  if (user.joining?.join !== join) return;
  const { seat } = user;
  if (seat?.active === false && seat.roomId !== roomId) {
    endJoin(context, join, RpcError.internal("cannot join: you are being called elsewhere"));
    return;
  }
  const room = seat?.active === true ? system.registry.rooms.get(seat.roomId) : undefined;
  if (room === undefined) prepareJoin(context, join);
  else turn.tellRoom(room, { type: "room.evict", userId: user.id, join });
}

/** Nothing is in the way: the channel makes its room, and the user a member where that is needed. */
export function prepareJoin({ system, turn, user }: UserContext, join: ChannelJoin): void {
  if (user.joining?.join !== join) return;
  const channel = system.registry.channels.get(join.channelId);
  if (channel !== undefined) {
    turn.tellChannel(channel, { type: "channel.join", join });
  } else turn.tellUser(user.id, { type: "user.join_again", join });
}

export function joinPrepared(
  { system, turn, user }: UserContext,
  { join, room, role, admitted }: Of<"user.join_prepared">,
): void {
  if (user.joining?.join !== join) {
    if (admitted) turn.then(() => tellOfMembership(system, join));
    return;
  }
  user.joining = { join, admitted: admitted || user.joining.admitted, inRoom: true };
  turn.tellRoom(room, {
    type: "room.join_channel",
    join,
    role,
    admitted: user.joining.admitted,
  });
}

/** The room has ended meanwhile: the channel makes another one. */
export function joinAgain(context: UserContext, join: ChannelJoin): void {
  const { joining } = context.user;
  if (joining?.join === join) startJoin(context, join, joining.admitted);
  else endJoin(context, join, ABANDONED);
}

/** What has waited for the seat may go on. */
export function endJoin(
  { system, turn, user }: UserContext,
  join: ChannelJoin,
  error?: RpcError,
): void {
  if (user.joining?.join !== join) {
    const isOpen = user.abandoned.delete(join);
    if (isOpen && error !== undefined) turn.then(() => answerError(join, error));
    return;
  }
  const { admitted } = user.joining;
  user.joining = undefined;
  if (error !== undefined) {
    turn.then(() => answerError(join, error));
    if (admitted) turn.then(() => tellOfMembership(system, join));
  }
  const waiting = user.waiting.splice(0);
  turn.then(() => {
    for (const next of waiting) next();
  });
}

const ABANDONED = RpcError.internal("cannot join: something failed, try again");

/**
 * The user's actor starts over: a join that was under way is lost, unless a room has it already; what
 * waited for it goes on.
 */
export function abandonJoin(system: ActorSystem, user: UserState): void {
  const { joining } = user;
  user.joining = undefined;
  if (joining?.inRoom === true) user.abandoned.add(joining.join);
  else if (joining !== undefined) answerError(joining.join, ABANDONED);
  if (joining?.admitted === true) tellOfMembership(system, joining.join);
  for (const next of user.waiting.splice(0)) next();
}

/** The member whom a join has made stays one, whatever becomes of the join. */
function tellOfMembership({ registry }: ActorSystem, join: ChannelJoin): void {
  registry.channels.get(join.channelId)?.tell({ type: "channel.admitted", join }, 0);
}
