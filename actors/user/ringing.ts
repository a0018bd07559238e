/** A ring on all devices of a user: the first that shows it ends it. [rooms 10.2] */
import { messageInfo } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import type { Pending } from "../../rpc/outbox.ts";
import type { UserContext } from "./context.ts";

/** What a caller hears when no device has displayed the ring. */
export const RING_FAILED = RpcError.internal("failed to ring user");

const ACK_TAG = messageInfo("Ack").tag as number;

/** Sends the ring as a request to every connection; `ended` hears once whether one displayed it. */
export function ring(
  { turn, user }: UserContext,
  field: Uint8Array,
  ended: (displayed: boolean) => void,
): void {
  let waiting = user.connections.size;
  let over = false;
  const end = (displayed: boolean) => {
    if (over || (!displayed && --waiting > 0)) return;
    over = true;
    ended(displayed);
  };
  if (waiting === 0) {
    turn.then(() => end(false));
    return;
  }
  for (const key of user.connections.keys()) {
    const pending: Pending = {
      answered: (tag) => {
        end(tag === ACK_TAG);
        return true;
      },
      lost: () => end(false),
    };
    turn.push(key, field, pending);
  }
}
