/** Who may speak with a local server, before anything is looked at. [local 5] */
import type { NetworkList } from "../local/port.ts";
import { isLoopback } from "./client_address.ts";
import { plainText } from "./responses.ts";

/** Answers a request that must go no further; undefined lets it through. */
export type Guard = (request: Request, peer: string) => Response | undefined;

/**
 * Lets in this machine and those of the allowed networks, and only under names of this server: a page
 * of the web whose name was pointed at this machine would else be taken for one of ours.
 *
 * @param hosts names and addresses of this machine besides loopback
 */
export function localGuard(allowed: NetworkList, hosts: readonly string[]): Guard {
  const names = new Set(["localhost", ...hosts.map((host) => host.toLowerCase())]);
  return (request, peer) => {
    if (!isLoopback(peer) && !allowed.has(peer)) {
      return plainText(403, "this server is for its local network; --allow-networks names others");
    }
    const { hostname } = new URL(request.url);
    const host = hostname.replace(/^\[|\]$/g, "");
    if (isLoopback(host) || names.has(host)) return undefined;
    return plainText(
      421,
      "this server is not known under that name; use one that it shows at start",
    );
  };
}
