/** What operators ask of a tree, and do to it: the same changes as by its admins. */
import { RpcError } from "../../rpc/errors.ts";
import type { Answer, ChannelMessage, ChannelOrder, TreeReport } from "../refs/mod.ts";
import { type ChannelContext, saveMember, tellChanged } from "./context.ts";
import { change, channelName, makeChannel, makeRoot, remove } from "./editing.ts";
import { answerInvitation, deleteMember } from "./members.ts";
import { tellMembership } from "./membership.ts";
import type { Channel, ChannelTreeState } from "./state.ts";

/** The whole tree. */
export function report(
  { turn, tree }: ChannelContext,
  { answer }: Extract<ChannelMessage, { type: "channel.report" }>,
): void {
  const found = reportOf(tree);
  turn.then((gate) => answer(found, gate));
}

/** Carries an order out, and answers with the tree as it is then. */
export function administer(
  context: ChannelContext,
  { order, answer }: Extract<ChannelMessage, { type: "channel.administer" }>,
): void {
  carryOut(context, order);
  const found = reportOf(context.tree);
  context.turn.then((gate) => answer(found, gate));
}

/** The order of an operator in a message, if it is one: somebody waits for its answer. */
export function orderIn(message: ChannelMessage): Answer<never> | undefined {
  switch (message.type) {
    case "channel.report":
    case "channel.administer":
      return message.answer;
  }
}

function carryOut(context: ChannelContext, order: ChannelOrder): void {
  const { tree } = context;
  const channel = (id: number): Channel => {
    const found = tree.channels.get(id);
    if (found === undefined) throw RpcError.coded("NoSuchChannel");
    return found;
  };
  switch (order.kind) {
    case "make root":
      return makeRoot(context, { ...order, name: channelName(order.name) }, () => {});
    case "make": {
      const made = makeChannel(context, channel(order.parentId), channelName(order.name));
      order.made(made.id);
      return tellChanged(context, [made]);
    }
    case "together":
      return order.orders((one) => carryOut(context, one));
    case "change":
      return change(context, channel(order.channelId), {
        ...order,
        name: order.name === undefined ? undefined : channelName(order.name),
      });
    case "remove":
      return remove(context, channel(order.channelId));
    case "set member":
      return setMember(context, order.userId, order.role);
    case "remove member":
      return removeMember(context, order.userId);
  }
}

/** A member at once: who is made one by the operator is not asked. */
function setMember(context: ChannelContext, userId: number, role: number): void {
  const { tree } = context;
  const before = tree.members.get(userId);
  const member = before ?? { userId, role, accepted: true };
  const invited = before?.accepted === false;
  member.role = role;
  member.accepted = true;
  if (before === undefined) context.addMember(member);
  saveMember(context, member);
  tellMembership(context, userId, rootOf(tree));
  if (invited) answerInvitation(context, userId, true);
}

function removeMember(context: ChannelContext, userId: number): void {
  const { turn, tree } = context;
  const member = tree.members.get(userId);
  if (member === undefined) {
    throw RpcError.internal(`user ${userId} is no member of channel ${tree.rootId}`);
  }
  deleteMember(context, member);
  tellMembership(context, userId, rootOf(tree));
  turn.tellUser(userId, {
    type: "user.unnotify",
    kind: "ChannelInvitation",
    entityId: tree.rootId,
  });
}

function rootOf(tree: ChannelTreeState): Channel {
  const root = tree.channels.get(tree.rootId);
  if (root === undefined) throw RpcError.coded("NoSuchChannel");
  return root;
}

function reportOf(tree: ChannelTreeState): TreeReport {
  const root = tree.channels.get(tree.rootId);
  const channels = root === undefined ? [] : [root, ...tree.below(root)];
  return {
    rootId: tree.rootId,
    channels: channels.map((one) => ({
      id: one.id,
      parentId: one.parentPath.at(-1),
      name: one.name,
      visibility: one.visibility,
      createdAt: one.createdAt,
      participantUserIds: [...tree.calls.get(one.id)?.active ?? []],
    })),
    members: [...tree.members.values()].map((member) => ({ ...member })),
  };
}
