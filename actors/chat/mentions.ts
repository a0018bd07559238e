/** Who is told of being mentioned, and of being so no more. [channels 10.7.4] [channels 10.8] */
import type { RowOf } from "../../db/tables.ts";
import { RpcError } from "../../rpc/errors.ts";
import { notifyUser } from "../notification.ts";
import type { ChatDraft } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { ChatContext } from "./context.ts";

const KIND = "ChannelMessageMention";

/** Every user mentioned, whether or not the mention's range is of any use. */
export function mentionedIn({ mentions }: ChatDraft): Set<number> {
  return new Set(mentions.map(({ userId }) => Number(userId)));
}

/** A user mentioned who does not exist, if there is one. */
export async function unknownUser(
  { directory }: ActorSystem,
  mentioned: ReadonlySet<number>,
): Promise<number | undefined> {
  const found = new Set((await directory.find([...mentioned])).map(({ id }) => id));
  return [...mentioned].find((id) => !found.has(id));
}

export function refuseUnknown(userId: number | undefined): void {
  if (userId !== undefined) throw RpcError.internal(`there is no user ${userId}`);
}

/** The notifications that a message has made. */
export async function mentionsOf(
  { store }: ActorSystem,
  messageId: number,
): Promise<RowOf<"notifications">[]> {
  return await store.loadWhere("notifications", { entity_id: messageId, kind: KIND });
}

export function notifyMentioned(
  { system, turn, chat }: ChatContext,
  userId: number,
  messageId: number,
  senderId: number,
): void {
  const content = JSON.stringify({ channel_id: chat.channelId, sender_id: senderId });
  notifyUser(system, turn, userId, KIND, messageId, content);
}

/** Deletes a notification with what it told of, and tells its recipient. [channels Q-16] */
export function deleteMention({ turn }: ChatContext, row: RowOf<"notifications">): void {
  turn.remove("notifications", { id: row.id });
  turn.tellLiveUser(row.recipient_id, { type: "user.notification_deleted", row });
}
