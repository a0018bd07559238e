/** Notifications of one user. [channels 4] */
import { decode } from "../../proto/mod.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { errorField } from "../../rpc/outbox.ts";
import { wireNotification } from "../notification.ts";
import { checkReads, countedRead } from "../reading.ts";
import type { NotificationKind } from "../refs/mod.ts";
import { answerUnreadable } from "../refuse.ts";
import { ACK, fieldOf } from "../turn.ts";
import { pushAll, type UserContext, type UserRequestContext } from "./context.ts";
import { noteRead, type NotificationRow, takeNotification, unreadKey } from "./state.ts";

/** Notifications in one answer. [channels 4.5] */
const PAGE = 50;

/**
 * One was made for this user; it goes again when the same one is there unread, but for mentions: who
 * made those knows whom it has told. [channels 4.4]
 */
export function notified(context: UserContext, row: NotificationRow): void {
  const { turn, user } = context;
  const key = unreadKey(row.kind, row.entity_id);
  // This user's actor may have been loaded after the row was stored.
  const same = user.unread.get(key);
  if (same !== undefined && same.id !== row.id && row.kind !== "ChannelMessageMention") {
    turn.remove("notifications", { id: row.id });
    return;
  }
  user.unread.set(key, row);
  pushAll(context, fieldOf("AddNotification", { notification: wireNotification(row) }));
}

/** Deletes the one that is not answered, if there is one, and tells the user's connections. */
export function unnotify(context: UserContext, kind: string, entityId: number): void {
  const { turn, user } = context;
  const row = takeNotification(user, kind, entityId);
  if (row === undefined) return;
  turn.remove("notifications", { id: row.id });
  pushAll(context, fieldOf("DeleteNotification", { notificationId: BigInt(row.id) }));
}

/** Deletes those that ask for what was taken back: the server died before their deletion. */
export function unnotifyTakenBack(context: UserContext): void {
  const { user } = context;
  for (const { kind, entity_id } of [...user.unread.values(), ...user.unanswered.values()]) {
    if (entity_id !== null && isTakenBack(context, kind, entity_id)) {
      unnotify(context, kind, entity_id);
    }
  }
}

/** Invitations to channels that are gone stay. [channels 7.2] */
function isTakenBack({ system, user }: UserContext, kind: string, entityId: number): boolean {
  switch (kind) {
    case "ContactRequest": {
      const contact = user.contacts.get(entityId);
      return contact === undefined || contact.accepted || contact.asked;
    }
    case "ChannelInvitation":
      return system.registry.channels.has(entityId) &&
        !system.memberships.rootsOf(user.id).has(entityId);
    default:
      return false;
  }
}

/** One was deleted by whom it told of. */
export function notificationDeleted(context: UserContext, row: NotificationRow): void {
  const { user } = context;
  const key = unreadKey(row.kind, row.entity_id);
  if (user.unread.get(key)?.id === row.id) user.unread.delete(key);
  pushAll(context, fieldOf("DeleteNotification", { notificationId: BigInt(row.id) }));
}

/** Marks the one that asks read, with the user's answer; the push for it, if there was one. */
export function answered(
  { turn, user }: UserContext,
  kind: NotificationKind,
  entityId: number,
  response: boolean,
): Uint8Array | undefined {
  const row = takeNotification(user, kind, entityId);
  if (row === undefined) return undefined;
  const read = { ...row, is_read: true, response };
  turn.put("notifications", read);
  return fieldOf("AddNotification", { notification: wireNotification(read) });
}

/** [channels 4.5] What it tells is never older than what this user was told before it. [design 1.5] */
export function handleGetNotifications(context: UserRequestContext): void {
  const { system, turn, user, inbound } = context;
  const { connection, requestId } = inbound;
  const { beforeId } = decode("GetNotifications", inbound.payload);
  const before = beforeId === undefined
    ? null
    : Math.min(Number(beforeId), Number.MAX_SAFE_INTEGER);
  checkReads(connection);
  /** `gate`: this user's last change, which the rows must hold. */
  const read = (gate: number): void => {
    const rows = system.journal.settled()
      .then(() => system.store.notificationsOf(user.id, before, PAGE));
    void countedRead(connection, rows)
      .then(
        (rows) => context.later((again) => again.turn.then((now) => answer(rows, gate, now))),
        (error) => answerUnreadable(system, { connection, requestId }, "Notifications", error),
      );
  };
  const answer = (rows: readonly NotificationRow[], gate: number, now: number): void => {
    if (now !== gate) return read(now);
    const field = fieldOf("GetNotificationsResponse", {
      notifications: rows.map(wireNotification),
      done: rows.length < PAGE,
    });
    connection.outbox.push(field, requestId, now);
  };
  turn.then(read);
}

/** [channels 4.6] Only one's own; one that is read already stays so. */
export function handleMarkNotificationRead(context: UserRequestContext): void {
  const { system, turn, user, inbound } = context;
  const { connection, requestId } = inbound;
  const id = Number(decode("MarkNotificationRead", inbound.payload).notificationId);
  if (!Number.isSafeInteger(id)) throw RpcError.internal(`you have no notification ${id}`);
  const unread = [...user.unread.values()].find((row) => row.id === id);
  if (unread !== undefined) {
    user.unread.delete(unreadKey(unread.kind, unread.entity_id));
    const read = { ...unread, is_read: true };
    turn.put("notifications", read);
    noteRead(user, read);
    pushAll(context, fieldOf("AddNotification", { notification: wireNotification(read) }));
    turn.ack(connection, requestId);
    return;
  }
  checkReads(connection);
  /** `gate`: this user's last change, which the row must hold. */
  const read = (gate: number): void => {
    const rows = system.journal.settled().then(() => system.store.load("notifications", { id }));
    void countedRead(connection, rows)
      .then(
        ([row]) =>
          context.later((again) =>
            again.turn.then((now) => (now === gate ? answer(row, now) : read(now)))
          ),
        (error) => answerUnreadable(system, { connection, requestId }, "Notifications", error),
      );
  };
  const answer = (row: NotificationRow | undefined, now: number): void => {
    if (row?.recipient_id !== user.id) {
      const error = errorField(ErrorCode.Internal, `you have no notification ${id}`);
      connection.outbox.push(error, requestId, now);
      return;
    }
    const read = { ...row, is_read: true };
    const field = fieldOf("AddNotification", { notification: wireNotification(read) });
    if (row.is_read) {
      for (const { outbox } of user.connections.values()) outbox.push(field, -1, now);
      connection.outbox.push(ACK, requestId, now);
      return;
    }
    // Of several unread ones about one thing only the newest is in memory.
    context.later((again) => {
      again.turn.put("notifications", read);
      pushAll(again, field);
      again.turn.ack(connection, requestId);
    });
  };
  turn.then(read);
}
