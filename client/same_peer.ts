import type { PeerId } from "../rpc/peer_id.ts";

/** Whether two ids name one connection. [transport 2.1.1] */
export function samePeer(a: PeerId | undefined, b: PeerId | undefined): boolean {
  return a !== undefined && b !== undefined && a.ownerId === b.ownerId && a.id === b.id;
}
