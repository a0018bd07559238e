/**
 * Who may see and do what in channels and projects, worked out from what was stored by rules of its
 * own, which share nothing with the server's. [channels 5.5] [channels 5.9] [projects 4]
 */
import type { WriteGroup } from "../../db/store.ts";
import { History } from "./history.ts";

/** A membership as it is stored. */
interface Membership {
  readonly role: string;
  readonly accepted: boolean;
}

interface ChannelHistory {
  readonly root: number;
  readonly row: History<ChannelRow | undefined>;
}

interface ChannelRow {
  readonly visibility: string;
  readonly text: string;
}

type Row = Readonly<Record<string, unknown>>;

const SEE_ALL: ReadonlySet<string> = new Set(["admin", "member"]);
/** Numbers of admins and members, as the roles of calls are stored. */
const EDITORS: ReadonlySet<unknown> = new Set([0, 1]);
const SEE_PUBLIC: ReadonlySet<string> = new Set(["admin", "member", "talker", "guest"]);

export class Permissions {
  readonly #channels = new Map<number, ChannelHistory>();
  readonly #members = new Map<string, History<Membership | undefined>>();
  readonly #callRoles = new Map<number, History<unknown>>();
  /** Who was rung into a room and has not come in since, by room and user. */
  readonly #rung = new Set<string>();
  readonly #recipients = new Map<number, number>();
  readonly #channelOfMessage = new Map<number, number>();
  /** When a row was first stored, by table and key. */
  readonly #stored = new Map<string, number>();
  #tick = 0;

  /** A moment later than all before. */
  tick(): number {
    return ++this.#tick;
  }

  /** The database has stored these groups. */
  committed(groups: readonly WriteGroup[]): void {
    for (const { writes } of groups) {
      // One transaction, but one actor's change after the other's.
      const tick = this.tick();
      for (const write of writes) {
        if (write.op === "put") this.#put(tick, write.table, write.row as unknown as Row);
        else if (write.op === "remove") {
          this.#remove(tick, write.table, write.key as unknown as Row);
        }
      }
    }
  }

  #put(tick: number, table: string, row: Row): void {
    switch (table) {
      case "channels": {
        const visibility = row.visibility as string;
        const text = JSON.stringify([row.name, visibility, row.parent_path, row.channel_order]);
        this.#channel(Number(row.id), Number(row.root_id)).row.set(tick, { visibility, text });
        break;
      }
      case "channel_members":
        this.#member(Number(row.channel_id), Number(row.user_id)).set(tick, {
          role: row.role as string,
          accepted: Boolean(row.accepted),
        });
        break;
      case "room_participants":
        this.#callRole(Number(row.user_id)).set(tick, row.role);
        if (row.connection_id === null) this.#rung.add(`${row.room_id} ${row.user_id}`);
        else this.#rung.delete(`${row.room_id} ${row.user_id}`);
        break;
      case "notifications":
        this.#recipients.set(Number(row.id), Number(row.recipient_id));
        break;
      case "channel_messages":
        this.#channelOfMessage.set(Number(row.id), Number(row.channel_id));
        this.#first(`message ${row.id}`, tick);
        break;
      case "buffer_operations":
        this.#first(
          `operation ${row.channel_id} ${row.epoch} ${row.lamport_timestamp}.${row.replica_id}`,
          tick,
        );
    }
  }

  #remove(tick: number, table: string, key: Row): void {
    if (table === "channels") this.#channels.get(Number(key.id))?.row.set(tick, undefined);
    if (table !== "channel_members") return;
    const of = key.user_id === undefined
      ? `${key.channel_id} `
      : `${key.channel_id} ${key.user_id}`;
    for (const [name, history] of this.#members) {
      const isMeant = key.user_id === undefined ? name.startsWith(of) : name === of;
      if (isMeant && history.now !== undefined) history.set(tick, undefined);
    }
  }

  #first(what: string, tick: number): void {
    if (!this.#stored.has(what)) this.#stored.set(what, tick);
  }

  #channel(id: number, root: number): ChannelHistory {
    let channel = this.#channels.get(id);
    if (channel === undefined) {
      this.#channels.set(
        id,
        channel = { root, row: new History<ChannelRow | undefined>(undefined) },
      );
    }
    return channel;
  }

  #member(root: number, user: number): History<Membership | undefined> {
    const name = `${root} ${user}`;
    let history = this.#members.get(name);
    if (history === undefined) {
      this.#members.set(name, history = new History<Membership | undefined>(undefined));
    }
    return history;
  }

  #callRole(user: number): History<unknown> {
    let history = this.#callRoles.get(user);
    if (history === undefined) this.#callRoles.set(user, history = new History<unknown>(undefined));
    return history;
  }

  /** When it was stored: `message 5`, `operation <channel> <epoch> <timestamp>.<replica>`. */
  storedAt(what: string): number | undefined {
    return this.#stored.get(what);
  }

  channelOfMessage(id: bigint): number | undefined {
    return this.#channelOfMessage.get(Number(id));
  }

  recipientOf(notification: bigint): number | undefined {
    return this.#recipients.get(Number(notification));
  }

  rootOf(channel: number): number | undefined {
    return this.#channels.get(channel)?.root;
  }

  /** Has a channel looked so before? */
  everLooked(channel: number, look: string, tick: number): boolean {
    return this.#channels.get(channel)?.row.ever(tick, (row) => row?.text === look) ?? false;
  }

  /** The role that a user has in a channel now. */
  roleNow(user: number, channel: number): string | undefined {
    return this.#roleAt(user, channel, this.#tick);
  }

  isInvitedNow(user: number, root: number): boolean {
    return this.#members.get(`${root} ${user}`)?.now?.accepted === false;
  }

  /** Could the user see the channel at any moment of that time? */
  couldSee(user: number, channel: number, from: number, to: number): boolean {
    return this.#ever(user, channel, from, to, (role) => role !== undefined);
  }

  /** Could the user see the channel, and did it look so, at any one moment of that time? */
  couldSeeAs(user: number, channel: number, look: string, from: number, to: number): boolean {
    const row = this.#channels.get(channel)?.row;
    return this.#ever(
      user,
      channel,
      from,
      to,
      (role, tick) => role !== undefined && row?.at(tick)?.text === look,
    );
  }

  /** Had the user one of these roles in the channel at any moment of that time? */
  hadRole(
    user: number,
    channel: number,
    roles: readonly string[],
    from: number,
    to: number,
  ): boolean {
    return this.#ever(
      user,
      channel,
      from,
      to,
      (role) => role !== undefined && roles.includes(role),
    );
  }

  /** Has the user been without such a role in that time? */
  lackedRole(
    user: number,
    channel: number,
    roles: readonly string[],
    from: number,
    to: number,
  ): boolean {
    return this.#ever(
      user,
      channel,
      from,
      to,
      (role) => role === undefined || !roles.includes(role),
    );
  }

  /** Was there such a membership of a root at any moment of that time? */
  wasMember(
    user: number,
    root: number,
    from: number,
    to: number,
    fits: (member: Membership) => boolean,
  ): boolean {
    const history = this.#members.get(`${root} ${user}`);
    if (history === undefined) return false;
    return [from, ...history.changesWithin(from, to)].some((tick) => {
      const member = history.at(tick);
      return member !== undefined && fits(member);
    });
  }

  /** Was the user rung into that room, and has not come in since? */
  wasRung(user: number, room: number): boolean {
    return this.#rung.has(`${room} ${user}`);
  }

  /** Could the user edit projects of his call at any moment of that time? [projects 4] */
  couldEdit(user: number, from: number, to: number): boolean {
    const history = this.#callRoles.get(user);
    if (history === undefined) return false;
    return [from, ...history.changesWithin(from, to)].some((tick) => EDITORS.has(history.at(tick)));
  }

  #ever(
    user: number,
    channel: number,
    from: number,
    to: number,
    fits: (role: string | undefined, tick: number) => boolean,
  ): boolean {
    const { root, row } = this.#channels.get(channel) ?? {};
    if (root === undefined || row === undefined) return fits(undefined, from);
    const member = this.#members.get(`${root} ${user}`);
    const ticks = [from, ...row.changesWithin(from, to), ...member?.changesWithin(from, to) ?? []];
    return ticks.some((tick) => fits(this.#roleAt(user, channel, tick), tick));
  }

  #roleAt(user: number, channel: number, tick: number): string | undefined {
    const { root, row } = this.#channels.get(channel) ?? {};
    const visibility = row?.at(tick)?.visibility;
    const member = this.#members.get(`${root} ${user}`)?.at(tick);
    if (visibility === undefined || member?.accepted !== true) return undefined;
    const sees = visibility === "public" ? SEE_PUBLIC : SEE_ALL;
    return sees.has(member.role) ? member.role : undefined;
  }
}
