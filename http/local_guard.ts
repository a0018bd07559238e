/** Who may speak with a local server, before anything is looked at. [local 5] */
import type { NetworkList } from "../local/port.ts";
import { isLoopback } from "./client_address.ts";
import { plainText } from "./responses.ts";

/** Answers a request that must go no further; undefined lets it through. */
export type Guard = (request: Request, peer: string) => Response | undefined;

/** Whom a {@link localGuard} lets in, besides this machine under its own names. */
export interface GuardScope {
  readonly allowed: NetworkList;
  /** Names and addresses of this machine besides loopback, in lower case. */
  readonly hosts: ReadonlySet<string>;
}

/**
 * Lets in this machine and those of the allowed networks, and only under names of this server: a page
 * of the web whose name was pointed at this machine would else be taken for one of ours.
 *
 * @param scope as it is at the moment: networks come and go
 */
export function localGuard(scope: () => GuardScope): Guard {
  return (request, peer) => {
    const { allowed, hosts } = scope();
    if (!isLoopback(peer) && !allowed.has(peer)) {
      return plainText(403, "this server is for its local network; --allow-networks names others");
    }
    const { hostname } = new URL(request.url);
    const host = hostname.replace(/^\[|\]$/g, "");
    if (host === "localhost" || isLoopback(host) || hosts.has(host)) return undefined;
    return plainText(
      421,
      "this server is not known under that name; use one that it shows at start",
    );
  };
}
