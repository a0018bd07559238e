/** Messages of clients, whose bytes are the connection's own as long as it hands them over only. */
import type { Inbound } from "./refs/mod.ts";

/** The message with bytes of its own, to be handled later. */
export function copied(inbound: Inbound): Inbound {
  return { ...inbound, payload: inbound.payload.slice() };
}
