/** Notices a silent server over a socket that shows no pings. [transport 12.3] */
import type { Clock, TimerId } from "../lib/clock.ts";
import { ConnectionClosedError } from "./errors.ts";
import type { Peer } from "./peer.ts";

/** How often the server is asked for a sign of life, in milliseconds. */
export const PING_INTERVAL = 5_000;
/** How long it may take to give one, in milliseconds. */
const PING_TIMEOUT = 10_000;

/** Asks every 5 s, as long as the peer lives, and drops it when 10 s bring no answer. */
export function keepAlive(peer: Peer, clock: Clock): void {
  let limit: TimerId | undefined;
  let next: TimerId | undefined;
  const ask = async () => {
    // The socket may still have to end.
    if (peer.isClosed) return;
    limit ??= clock.setTimeout(() => peer.drop("delay between messages too long"), PING_TIMEOUT);
    next = clock.setTimeout(ask, PING_INTERVAL);
    try {
      await peer.request("Ping", {});
    } catch (error) {
      // An answer that is an error is a sign of life as well; the end of the connection is none.
      if (error instanceof ConnectionClosedError) return;
    }
    if (limit !== undefined) clock.clearTimeout(limit);
    limit = undefined;
  };
  next = clock.setTimeout(ask, PING_INTERVAL);
  peer.closed.then(() => {
    if (limit !== undefined) clock.clearTimeout(limit);
    if (next !== undefined) clock.clearTimeout(next);
  });
}
