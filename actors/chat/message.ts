/** A message as it is stored and as clients see it. [channels 10.6] */
import type { MessageRow } from "../../db/message_store.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { ChatDraft } from "../refs/mod.ts";

/** Start, end and user. */
type StoredMention = readonly [start: number, end: number, userId: number];

const utf8 = new TextEncoder();

export function wireMessage(row: MessageRow): Init<MessageTypes["ChannelMessage"]> {
  return {
    id: BigInt(row.id),
    body: row.body,
    timestamp: seconds(row.sent_at),
    senderId: BigInt(row.sender_id),
    nonce: {
      upperHalf: BigInt(`0x${row.nonce.slice(0, 16)}`),
      lowerHalf: BigInt(`0x${row.nonce.slice(16)}`),
    },
    mentions: storedMentions(row).map(([start, end, userId]) => ({
      range: { start: BigInt(start), end: BigInt(end) },
      userId: BigInt(userId),
    })),
    replyToMessageId: row.reply_to_message_id ?? undefined,
    editedAt: row.edited_at === null ? undefined : seconds(row.edited_at),
  };
}

/** A message that was sent or changed just now: it shows its mentions and nonce as sent. */
export function wireSent(
  row: MessageRow,
  draft: ChatDraft,
): Init<MessageTypes["ChannelMessage"]> {
  return { ...wireMessage({ ...row, nonce: draft.nonce }), mentions: draft.mentions };
}

/**
 * The mentions to keep, as they are stored: those whose ends lie between characters of the body.
 *
 * @throws {RpcError} when two begin at one place
 */
export function mentionsText({ body, mentions }: ChatDraft): string {
  const bytes = utf8.encode(body);
  const isBoundary = (at: number) =>
    at === bytes.length || (at < bytes.length && ((bytes[at] as number) & 0xc0) !== 0x80);
  const kept = mentions
    .map(({ range, userId }): StoredMention => [
      Number(range?.start),
      Number(range?.end),
      Number(userId),
    ])
    .filter(([start, end]) => start <= end && isBoundary(start) && isBoundary(end))
    .sort((a, b) => a[0] - b[0]);
  if (kept.some(([start], at) => start === kept[at - 1]?.[0])) {
    throw RpcError.internal("two mentions begin at one place");
  }
  return JSON.stringify(kept);
}

/** Users that a stored message mentions. */
export function mentionedUsers(row: MessageRow): Set<number> {
  return new Set(storedMentions(row).map(([, , userId]) => userId));
}

function storedMentions(row: MessageRow): StoredMention[] {
  return JSON.parse(row.mentions) as StoredMention[];
}

function seconds(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds / 1000));
}
