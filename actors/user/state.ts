/** What a user's actor knows, without I/O and timers. */
import type { RowOf } from "../../db/tables.ts";
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { NotesVersion } from "../notes_version.ts";
import type { ChannelJoin, ConnectionRef, Contact } from "../refs/mod.ts";
import type { Joining } from "./joining.ts";

export type NotificationRow = RowOf<"notifications">;

/** The one row that a user has over all rooms. [rooms 9.2] */
export interface Seat {
  readonly roomId: number;
  readonly active: boolean;
}

export class UserState {
  readonly id: number;
  readonly connections = new Map<PeerKey, ConnectionRef>();
  readonly contacts = new Map<number, Contact>();
  /** Unread notifications by kind and entity; the newest of several. */
  readonly unread = new Map<string, NotificationRow>();
  /** Read ones that ask for an answer and have none yet; the newest of several. [channels Q-4] */
  readonly unanswered = new Map<string, NotificationRow>();
  /** By channel: the newest message that the user has seen. [channels 10.10] */
  readonly observedMessages = new Map<number, number>();
  /** How far the user has seen notes, by channel, as the notes tell of it. [channels 8.9] */
  readonly observedNotes = new Map<number, NotesVersion>();
  /** There has been no connection yet. */
  isNew = false;
  seat: Seat | undefined;
  /** The user is on the way to a channel's call. */
  joining: Joining | undefined;
  /** Joins of an actor that started over which a room still has, and answers. */
  readonly abandoned = new Set<ChannelJoin>();
  /** What needs the seat meanwhile. */
  readonly waiting: (() => void)[] = [];

  constructor(id: number) {
    this.id = id;
  }

  acceptedContacts(): number[] {
    return [...this.contacts]
      .filter(([, contact]) => contact.accepted)
      .map(([id]) => id)
      .sort((a, b) => a - b);
  }

  pendingContacts(asked: boolean): number[] {
    return [...this.contacts]
      .filter(([, contact]) => !contact.accepted && contact.asked === asked)
      .map(([id]) => id)
      .sort((a, b) => a - b);
  }
}

/** Kinds that ask for an answer. [channels 3.7] [channels 7.8] */
const ASKING: ReadonlySet<string> = new Set(["ContactRequest", "ChannelInvitation"]);

/** A notification has been read; what it asks may still be answered, or taken back. */
export function noteRead(user: UserState, row: NotificationRow): void {
  if (!ASKING.has(row.kind) || row.response !== null) return;
  user.unanswered.set(unreadKey(row.kind, row.entity_id), row);
}

/** Takes the notification of that kind and entity: the unread one, else the newest. [channels Q-4] */
export function takeNotification(
  user: UserState,
  kind: string,
  entityId: number,
): NotificationRow | undefined {
  const key = unreadKey(kind, entityId);
  const from = user.unread.has(key) ? user.unread : user.unanswered;
  const row = from.get(key);
  from.delete(key);
  return row;
}

export function unreadKey(kind: string, entityId: number | null): string {
  return `${kind}:${entityId}`;
}
