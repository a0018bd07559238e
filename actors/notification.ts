/** Notifications as actors make them for a user. [channels 4] */
import type { RowOf } from "../db/tables.ts";
import type { Init, MessageTypes } from "../proto/mod.ts";
import type { NotificationKind } from "./refs/mod.ts";
import type { ActorSystem } from "./system.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes a notification for a user. It is written with the change that it tells of, so that no crash
 * leaves the one without the other; the user's actor hears of it, and takes it back when the same one
 * is there unread. [channels 4.4]
 *
 * @param content the notification's own fields as JSON [channels 4.1]
 */
export function notifyUser(
  system: ActorSystem,
  turn: Turn,
  userId: number,
  kind: NotificationKind,
  entityId: number,
  content = "{}",
): void {
  const { id, write } = system.ids.next("notification");
  const row: RowOf<"notifications"> = {
    id,
    recipient_id: userId,
    created_at: system.clock.now(),
    kind,
    entity_id: entityId,
    content,
    is_read: false,
    response: null,
  };
  turn.writes.push(write);
  turn.put("notifications", row);
  turn.tellUser(userId, { type: "user.notified", row });
}

/** A notification as clients see it. [channels 4.3] */
export function wireNotification(row: RowOf<"notifications">): Init<MessageTypes["Notification"]> {
  return {
    id: BigInt(row.id),
    timestamp: BigInt(Math.floor(row.created_at / 1000)),
    kind: row.kind,
    entityId: row.entity_id === null ? undefined : BigInt(row.entity_id),
    content: row.content,
    isRead: row.is_read,
    response: row.response ?? undefined,
  };
}
