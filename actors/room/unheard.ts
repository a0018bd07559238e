/** Messages that a room does not take any more: who waits for an answer gets one all the same. */
import type { RpcError } from "../../rpc/errors.ts";
import type { RoomMessage } from "../refs/mod.ts";
import { answerError } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { ACK } from "../turn.ts";
import { orderIn } from "./administering.ts";
import type { Rings } from "./rings.ts";

/** The room, as far as it is concerned. */
export interface Unhearing {
  readonly system: ActorSystem;
  readonly id: number;
  /** It is over, not just out of order. */
  readonly hasEnded: boolean;
  readonly rings: Rings;
  /** Nobody says it twice: a room that is out of order hears of it when it is back. */
  owe(message: RoomMessage): void;
}

/** Answers in the room's place, or keeps the message for later. */
export function unheard(room: Unhearing, message: RoomMessage, error: RpcError): void {
  orderIn(message)?.(error, 0);
  switch (message.type) {
    case "room.create":
      unseat(room, message.connection.userId);
      answerError(message, error);
      return;
    case "room.leave":
      if (message.request === undefined) room.owe(message);
      else if (room.hasEnded) {
        message.request.connection.outbox.push(ACK, message.request.requestId, 0);
      } else answerError(message.request, error);
      return;
    case "room.call_allowed":
      unseat(room, message.userId);
      failRing(room, message.ticket, error);
      return;
    case "room.call_refused":
    case "room.ring_ended":
      failRing(room, message.ticket, error);
      return;
    case "room.evict":
    case "room.join_channel":
      unjoined(room, message, error);
      return;
    case "room.role_allowed":
      answerError(message.change, error);
      return;
    case "room.callee_gone":
    case "room.clean_up":
    case "room.drop_absent_callees":
      room.owe(message);
  }
}

/** A user on the way to a channel's call cannot leave this room, or cannot enter it. */
function unjoined(
  { system, hasEnded }: Unhearing,
  { type, join }: Extract<RoomMessage, { type: "room.evict" | "room.join_channel" }>,
  error: RpcError,
): void {
  const user = system.user(join.connection.userId);
  if (!hasEnded) user.tell({ type: "user.join_ended", join, error }, 0);
  else user.tell({ type: type === "room.evict" ? "user.evicted" : "user.join_again", join }, 0);
}

function unseat({ system, id }: Unhearing, userId: number): void {
  system.user(userId).tell({ type: "user.unseated", roomId: id }, 0);
}

function failRing({ rings }: Unhearing, ticket: number, error: RpcError): void {
  const ring = rings.take(ticket);
  if (ring === undefined) return;
  answerError({ connection: ring.caller, requestId: ring.requestId }, error);
}
