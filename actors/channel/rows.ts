/** The rows of a tree: what is written for each change, and how trees are read back. */
import type { Store } from "../../db/store.ts";
import type { RowOf } from "../../db/tables.ts";
import { latestOf } from "../notes_version.ts";
import { Role, Visibility } from "../roles.ts";
import { type Call, type Channel, ChannelTreeState, type Member } from "./state.ts";

/** By number of the wire. [channels 1.2] */
const ROLES = ["admin", "member", "guest", "banned", "talker"] as const;

export function channelRow(rootId: number, channel: Channel): RowOf<"channels"> {
  return {
    id: channel.id,
    root_id: rootId,
    name: channel.name,
    visibility: channel.visibility === Visibility.Public ? "public" : "members",
    parent_path: channel.parentPath.map((id) => `${id}/`).join(""),
    requires_zed_cla: channel.requiresCla,
    channel_order: channel.order,
    created_at: channel.createdAt,
  };
}

function channelOf(row: RowOf<"channels">): Channel {
  return {
    id: row.id,
    name: row.name,
    visibility: row.visibility === "public" ? Visibility.Public : Visibility.Members,
    parentPath: row.parent_path.split("/").slice(0, -1).map(Number),
    requiresCla: row.requires_zed_cla,
    order: row.channel_order,
    createdAt: row.created_at,
  };
}

export function memberRow(rootId: number, member: Member): RowOf<"channel_members"> {
  return {
    channel_id: rootId,
    user_id: member.userId,
    role: ROLES[member.role] as string,
    accepted: member.accepted,
  };
}

function memberOf(row: RowOf<"channel_members">): Member {
  const role = (ROLES as readonly string[]).indexOf(row.role);
  // What is not known must not become the most powerful one.
  return {
    userId: row.user_id,
    role: role < 0 ? Role.Banned : role,
    accepted: row.accepted,
  };
}

/** Reads one tree back; undefined when it is not stored. */
export async function loadTree(
  store: Store,
  rootId: number,
): Promise<ChannelTreeState | undefined> {
  const trees = await treesOf(
    store,
    await store.loadWhere("channels", { root_id: rootId }),
    await store.load("channel_members", { channel_id: rootId }),
    await store.loadWhere("buffers", { root_id: rootId }),
    rootId,
  );
  return trees.get(rootId);
}

/** Reads all trees back, with few questions however many there are. */
export async function loadTrees(store: Store): Promise<ReadonlyMap<number, ChannelTreeState>> {
  return await treesOf(
    store,
    await store.load("channels"),
    await store.load("channel_members"),
    await store.load("buffers"),
  );
}

async function treesOf(
  store: Store,
  channels: readonly RowOf<"channels">[],
  members: readonly RowOf<"channel_members">[],
  buffers: readonly RowOf<"buffers">[],
  rootId?: number,
): Promise<Map<number, ChannelTreeState>> {
  const trees = new Map<number, ChannelTreeState>();
  const treeOf = new Map<number, ChannelTreeState>();
  for (const row of channels) {
    let tree = trees.get(row.root_id);
    if (tree === undefined) {
      tree = new ChannelTreeState(row.root_id);
      trees.set(row.root_id, tree);
    }
    tree.channels.set(row.id, channelOf(row));
    treeOf.set(row.id, tree);
  }
  for (const row of members) trees.get(row.channel_id)?.members.set(row.user_id, memberOf(row));
  for (const row of buffers) treeOf.get(row.channel_id)?.notes.set(row.channel_id, latestOf(row));
  for (const [channelId, call] of await loadCalls(store)) {
    treeOf.get(channelId)?.calls.set(channelId, call);
  }
  for (const { channelId, messageId } of await store.messages.newest(rootId)) {
    treeOf.get(channelId)?.latestMessages.set(channelId, messageId);
  }
  return trees;
}

/** The calls of all channels: there are never many at a time. */
async function loadCalls(store: Store): Promise<Map<number, Call>> {
  const calls = new Map<number, Call>();
  for (const { id, channel_id } of await store.load("rooms")) {
    if (channel_id === null) continue;
    const rows = (await store.loadWhere("room_participants", { room_id: id }))
      .sort((a, b) => a.ordinal - b.ordinal);
    calls.set(channel_id, {
      roomId: id,
      active: rows.filter((row) => row.connection_id !== null).map((row) => row.user_id),
      seated: rows.map((row) => row.user_id),
    });
  }
  return calls;
}
