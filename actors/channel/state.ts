/** What a tree of channels consists of, without I/O and timers. [channels 5] */
import { trimmed } from "../../lib/white_space.ts";
import type { NotesVersion } from "../notes_version.ts";
import { canSee, mayEdit, Role } from "../roles.ts";

export interface Channel {
  readonly id: number;
  name: string;
  /** `Visibility`. */
  visibility: number;
  /** Ids from the root to the parent; empty for the root. */
  parentPath: readonly number[];
  readonly requiresCla: boolean;
  order: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** A row of the root: a membership, or an invitation while it is not accepted. [channels 5.4] */
export interface Member {
  readonly userId: number;
  role: number;
  accepted: boolean;
}

/** The call of a channel, as its room tells of it. [rooms 9.8] */
export interface Call {
  readonly roomId: number;
  /** Users in the call. */
  readonly active: readonly number[];
  /** The same, and those who are being rung. */
  readonly seated: readonly number[];
}

/** The path of a channel with itself at the end, each id followed by "/". [channels 5.1] */
export function pathOf(channel: Channel): string {
  return [...channel.parentPath, channel.id].map((id) => `${id}/`).join("");
}

export class ChannelTreeState {
  readonly rootId: number;
  readonly channels = new Map<number, Channel>();
  /** Accepted and invited, by user. */
  readonly members = new Map<number, Member>();
  /** Who was banned, and has not subscribed since. [channels 6.5] */
  readonly deaf = new Set<number>();
  /** By channel; only channels that have a room. */
  readonly calls = new Map<number, Call>();
  /** By channel: its newest message, as its chat tells of it; only channels that have any. */
  readonly latestMessages = new Map<number, number>();
  /** The latest operation by channel, as the notes tell of it; only channels that have notes. */
  readonly notes = new Map<number, NotesVersion | undefined>();

  constructor(rootId: number) {
    this.rootId = rootId;
  }

  /** The user's role in a channel: the root's, as far as it sees the channel. [channels 5.5] */
  roleIn(channel: Channel, userId: number): number | undefined {
    const member = this.members.get(userId);
    if (member?.accepted !== true || !canSee(member.role, channel.visibility)) return undefined;
    return member.role;
  }

  /** [channels 5.7] */
  isAdmin(channel: Channel, userId: number): boolean {
    return this.roleIn(channel, userId) === Role.Admin;
  }

  /** May write notes. [channels 5.7] */
  isMember(channel: Channel, userId: number): boolean {
    return mayEdit(this.roleIn(channel, userId));
  }

  /** [channels 5.7] */
  isParticipant(channel: Channel, userId: number): boolean {
    return this.roleIn(channel, userId) !== undefined;
  }

  parentOf(channel: Channel): Channel | undefined {
    const id = channel.parentPath.at(-1);
    return id === undefined ? undefined : this.channels.get(id);
  }

  /** Everything below a channel, in the order of the paths. [channels 6.4] */
  below(channel: Channel): Channel[] {
    return [...this.channels.values()]
      .filter((one) => one.parentPath.includes(channel.id))
      .map((one) => ({ one, path: pathOf(one) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ one }) => one);
  }

  /** What a role sees of the tree: below the root in the order of the paths, then the root. */
  visibleTo(role: number | undefined): Channel[] {
    const root = this.channels.get(this.rootId);
    if (root === undefined) return [];
    return [...this.below(root), root].filter(({ visibility }) => canSee(role, visibility));
  }

  childrenOf(parentId: number): Channel[] {
    return [...this.channels.values()].filter(({ parentPath }) => parentPath.at(-1) === parentId);
  }

  /** Is the name taken by another child of that parent? Roots may share names. [channels 5.2] */
  isTaken(parentId: number | undefined, name: string, except?: Channel): boolean {
    if (parentId === undefined) return false;
    return this.childrenOf(parentId).some((one) => one.name === name && one !== except);
  }

  /** The place behind all children of that parent. [channels 5.3] */
  lastOrder(parentId: number): number {
    return 1 + this.childrenOf(parentId).reduce((last, { order }) => Math.max(last, order), 0);
  }

  /** The sibling to change places with: the next smaller or larger order. [channels 7.6] */
  neighbour(channel: Channel, direction: "up" | "down"): Channel | undefined {
    const sign = direction === "up" ? -1 : 1;
    return this.childrenOf(channel.parentPath.at(-1) ?? 0)
      .filter((one) => (one.order - channel.order) * sign > 0)
      .sort((a, b) => (a.order - b.order) * sign)[0];
  }

  /** Moves a channel, and what is below it, under another one. [channels 7.5] */
  move(channel: Channel, target: Channel): Channel[] {
    const moved = [channel, ...this.below(channel)];
    const depth = channel.parentPath.length;
    const above = [...target.parentPath, target.id];
    channel.order = this.lastOrder(target.id);
    for (const one of moved) one.parentPath = [...above, ...one.parentPath.slice(depth)];
    return moved;
  }

  /** Does the channel, or one above it, ask for the contributor agreement? [channels 2.6] */
  requiresCla(channel: Channel): boolean {
    return [...channel.parentPath, channel.id]
      .some((id) => this.channels.get(id)?.requiresCla ?? false);
  }
}

/** A name as it is kept: without white space around it and "#" before it. [channels 5.2] */
export function sanitizedName(name: string): string {
  return trimmed(name).replace(/^#+/, "");
}
