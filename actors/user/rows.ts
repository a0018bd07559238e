/** How a user is read back. */
import type { Store } from "../../db/store.ts";
import type { Contact } from "../refs/mod.ts";
import { noteRead, type NotificationRow, unreadKey, type UserState } from "./state.ts";

/** The rows of one user, in the order in which {@link restoreUser} wants them. */
export type UserRows = Awaited<ReturnType<typeof readUser>>;

export async function readUser(store: Store, userId: number) {
  const [contacts, notifications, read, observed, observedNotes] = await Promise.all([
    store.contactsOf(userId),
    store.loadWhere("notifications", { recipient_id: userId, is_read: false }),
    store.loadWhere("notifications", { recipient_id: userId, is_read: true, response: null }),
    store.loadWhere("observed_channel_messages", { user_id: userId }),
    store.loadWhere("observed_buffer_edits", { user_id: userId }),
  ]);
  return { contacts, notifications, read, observed, observedNotes };
}

/**
 * Replaces what the user's actor knows by what is stored.
 *
 * @returns users who stood otherwise to this one in memory than they do in the database (`lost`), and
 * notifications behind which the same one came, unread too (`twice`): the server died before the
 * deletion of either
 */
export function restoreUser(
  user: UserState,
  rows: UserRows,
): { readonly lost: number[]; readonly twice: NotificationRow[] } {
  const before = new Map(user.contacts);
  user.contacts.clear();
  for (const row of rows.contacts) {
    const isA = row.user_id_a === user.id;
    user.contacts.set(isA ? row.user_id_b : row.user_id_a, {
      accepted: row.accepted,
      asked: row.a_to_b === isA,
      shouldNotify: row.should_notify,
    });
  }
  user.observedMessages.clear();
  for (const row of rows.observed) {
    user.observedMessages.set(row.channel_id, row.channel_message_id);
  }
  user.observedNotes.clear();
  for (const { channel_id, epoch, lamport_timestamp, replica_id } of rows.observedNotes) {
    const version = { epoch, timestamp: lamport_timestamp, replicaId: replica_id };
    user.observedNotes.set(channel_id, version);
  }
  user.unread.clear();
  user.unanswered.clear();
  for (const row of rows.read) noteRead(user, row);
  const twice: NotificationRow[] = [];
  for (const row of rows.notifications.sort((a, b) => a.id - b.id)) {
    const key = unreadKey(row.kind, row.entity_id);
    const older = user.unread.get(key);
    if (older !== undefined && row.kind !== "ChannelMessageMention") twice.push(older);
    user.unread.set(key, row);
  }
  return { lost: lostContacts(before, user.contacts), twice };
}

function lostContacts(
  before: ReadonlyMap<number, Contact>,
  now: ReadonlyMap<number, Contact>,
): number[] {
  return [...before].filter(([id, contact]) => {
    const stored = now.get(id);
    return stored?.accepted !== contact.accepted || stored.asked !== contact.asked;
  }).map(([id]) => id);
}
