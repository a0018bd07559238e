/** Channels and who belongs to them. */
import { z } from "zod";
import { createRootFor } from "../../actors/channel/mod.ts";
import type { ChannelOrder, ChannelRef, TreeReport } from "../../actors/refs/mod.ts";
import type { Deed } from "../audit.ts";
import type { HttpDeps } from "../deps.ts";
import { ask } from "./asking.ts";
import { loginsOf } from "./connections.ts";
import { ApiError, type Endpoint, endpoint } from "./endpoint.ts";
import { roleName, roleNumber, visibilityName, visibilityNumber } from "./roles.ts";
import {
  Channel,
  ChannelChange,
  Channels,
  MemberChange,
  Members,
  NewChannel,
  number,
  time,
} from "./schemas.ts";
import { accountOf } from "./users.ts";

const params = z.object({ id: number });
const NO_CHANNEL = "there is no such channel";
const OUT_OF_ORDER = "the tree is out of order for a minute";
const REFUSED = "the rules of channels forbid it; the error says which";

/** @throws {ApiError} */
function treeOf({ actors }: HttpDeps, id: number): ChannelRef {
  const tree = actors.registry.channels.get(id);
  if (tree === undefined) throw new ApiError(404, `there is no channel ${id}`);
  return tree;
}

function report(deps: HttpDeps, tree: ChannelRef): Promise<TreeReport> {
  return ask<TreeReport>(deps, (answer) => tree.tell({ type: "channel.report", answer }, 0));
}

function administer(deps: HttpDeps, tree: ChannelRef, order: ChannelOrder): Promise<TreeReport> {
  return ask<TreeReport>(
    deps,
    (answer) => tree.tell({ type: "channel.administer", order, answer }, 0),
  );
}

function channelsJson(tree: TreeReport): z.input<typeof Channel>[] {
  return tree.channels.map((one) => ({
    id: one.id,
    root_id: tree.rootId,
    parent_id: one.parentId ?? null,
    name: one.name,
    visibility: visibilityName(one.visibility),
    created_at: time(one.createdAt),
    participant_user_ids: [...one.participantUserIds],
  }));
}

/** @throws {ApiError} when it has gone meanwhile */
function channelJson(tree: TreeReport, id: number): z.input<typeof Channel> {
  const channel = channelsJson(tree).find((one) => one.id === id);
  if (channel === undefined) throw new ApiError(404, `there is no channel ${id}`);
  return channel;
}

function toChannel(
  action: string,
  channel: z.input<typeof Channel>,
  details: Readonly<Record<string, unknown>> = {},
): Deed {
  return { action, target: `/channels/${channel.id}`, targetName: channel.name, details };
}

async function membersJson(deps: HttpDeps, tree: TreeReport): Promise<z.input<typeof Members>> {
  const logins = await loginsOf(deps, tree.members.map(({ userId }) => userId));
  return {
    root_id: tree.rootId,
    members: tree.members.map(({ userId, role, accepted }) => ({
      user_id: userId,
      login: logins.get(userId) ?? null,
      role: roleName(role),
      accepted,
    })),
  };
}

export const channelEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/api/admin/channels",
    summary: "all channels",
    success: { status: 200, description: "All trees", schema: Channels },
    errors: { 503: OUT_OF_ORDER },
    async run({ deps }) {
      const trees = new Set(deps.actors.registry.channels.values());
      const all = await Promise.all([...trees].map((tree) => report(deps, tree)));
      return { answer: { channels: all.flatMap(channelsJson) } };
    },
  }),
  endpoint({
    method: "POST",
    path: "/api/admin/channels",
    summary: "a new channel",
    body: NewChannel,
    success: { status: 201, description: "The channel, visible to members", schema: Channel },
    errors: { 404: "there is no such parent or owner", 409: REFUSED, 503: OUT_OF_ORDER },
    async run({ body, deps }) {
      let id = 0;
      let tree: TreeReport;
      if ("parent_id" in body) {
        tree = await administer(deps, treeOf(deps, body.parent_id), {
          kind: "make",
          parentId: body.parent_id,
          name: body.name,
          made: (made) => id = made,
        });
      } else {
        const owner = await accountOf(deps, body.owner_id);
        tree = await ask<TreeReport>(deps, (answer) => {
          id = createRootFor(deps.actors, { name: body.name, ownerId: owner.id }, answer);
        });
      }
      const channel = channelJson(tree, id);
      return { answer: channel, deeds: [toChannel("channel.create", channel, { ...body })] };
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/channels/:id",
    summary: "one channel",
    params,
    success: { status: 200, description: "The channel", schema: Channel },
    errors: { 404: NO_CHANNEL, 503: OUT_OF_ORDER },
    run: async ({ params: { id }, deps }) => ({
      answer: channelJson(await report(deps, treeOf(deps, id)), id),
    }),
  }),
  endpoint({
    method: "PATCH",
    path: "/api/admin/channels/:id",
    summary: "a channel renamed, shown, moved",
    description: "All of it, or nothing where something of it is refused.",
    params,
    body: ChannelChange,
    success: { status: 200, description: "The channel as it is now", schema: Channel },
    errors: { 404: NO_CHANNEL, 409: REFUSED, 503: OUT_OF_ORDER },
    async run({ params: { id: channelId }, body: { name, visibility, parent_id }, deps }) {
      const changed = await administer(deps, treeOf(deps, channelId), {
        kind: "change",
        channelId,
        name,
        visibility: visibility === undefined ? undefined : visibilityNumber(visibility),
        to: parent_id,
      });
      const now = channelJson(changed, channelId);
      const deeds: Deed[] = [];
      if (name !== undefined) deeds.push(toChannel("channel.rename", now, { name }));
      if (visibility !== undefined) deeds.push(toChannel("channel.show", now, { visibility }));
      if (parent_id !== undefined) deeds.push(toChannel("channel.move", now, { parent_id }));
      return { answer: now, deeds };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/channels/:id",
    summary: "a channel deleted, with all below it",
    params,
    success: { status: 204, description: "It is gone" },
    errors: { 404: NO_CHANNEL, 409: "somebody is in a call of it", 503: OUT_OF_ORDER },
    async run({ params: { id }, deps }) {
      const tree = treeOf(deps, id);
      const channel = channelJson(await report(deps, tree), id);
      await administer(deps, tree, { kind: "remove", channelId: id });
      return { answer: undefined, deeds: [toChannel("channel.remove", channel)] };
    },
  }),
  endpoint({
    method: "GET",
    path: "/api/admin/channels/:id/members",
    summary: "who belongs to a channel's tree",
    params,
    success: { status: 200, description: "Members and who is invited", schema: Members },
    errors: { 404: NO_CHANNEL, 503: OUT_OF_ORDER },
    run: async ({ params: { id }, deps }) => ({
      answer: await membersJson(deps, await report(deps, treeOf(deps, id))),
    }),
  }),
  endpoint({
    method: "PUT",
    path: "/api/admin/channels/:id/members/:user_id",
    summary: "a member added, or given another role",
    description: "Memberships are of the whole tree. The user is not asked.",
    params: z.object({ id: number, user_id: number }),
    body: MemberChange,
    success: { status: 200, description: "Everybody who belongs to it now", schema: Members },
    errors: { 404: "there is no such channel or account", 503: OUT_OF_ORDER },
    async run({ params: { id, user_id }, body: { role }, deps }) {
      const user = await accountOf(deps, user_id);
      const tree = await administer(deps, treeOf(deps, id), {
        kind: "set member",
        userId: user_id,
        role: roleNumber(role),
      });
      const root = channelJson(tree, tree.rootId);
      const details = { user_id, login: user.login, role };
      return {
        answer: await membersJson(deps, tree),
        deeds: [toChannel("channel.set_member", root, details)],
      };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/api/admin/channels/:id/members/:user_id",
    summary: "a member or an invitation removed",
    params: z.object({ id: number, user_id: number }),
    success: { status: 200, description: "Everybody who belongs to it now", schema: Members },
    errors: { 404: "there is no such channel, or no such member of it", 503: OUT_OF_ORDER },
    async run({ params: { id, user_id }, deps }) {
      const order = { kind: "remove member", userId: user_id } as const;
      const tree = await administer(deps, treeOf(deps, id), order);
      const root = channelJson(tree, tree.rootId);
      return {
        answer: await membersJson(deps, tree),
        deeds: [toChannel("channel.remove_member", root, { user_id })],
      };
    },
  }),
];
