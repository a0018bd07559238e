/** A paired server that is not where it was: laptops change networks. [local 4a] [local 8] */
import { type DiscoveredServer, findPairedServer, isServerAt } from "../discover.ts";
import type { KnownServer } from "./server_list.ts";

/** Finds a server by its key; a test's own, or the network. */
export type FindPaired = (fingerprint: string) => Promise<DiscoveredServer | undefined>;

/**
 * Where a server is now. It is known by its key: what the network says of it is tried, and believed
 * only of who has that key.
 *
 * @returns its new address; undefined where it is at its old one, or is not to be found
 */
export async function newAddressOf(
  { url, fingerprint }: KnownServer,
  find: FindPaired = findPairedServer,
): Promise<string | undefined> {
  if (fingerprint === null || await isServerAt(url, fingerprint)) return undefined;
  const found = await find(fingerprint);
  if (found === undefined || found.url === url) return undefined;
  return await isServerAt(found.url, fingerprint) ? found.url : undefined;
}
