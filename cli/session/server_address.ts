/** A server's address as people type it. */
import { isLoopback } from "../../local/networks.ts";
import { UsageError } from "../args.ts";

/** Where a server is. */
export interface ServerAddress {
  /** What a client is given: no slash at its end. [transport 8.1.1] */
  readonly url: string;
  /** Whether nobody else can listen: this machine itself. */
  readonly isHere: boolean;
}

/**
 * Takes an address apart.
 *
 * @param isInsecure whether secrets may go over a network as they are
 * @throws {UsageError} it is none, or whoever listens could read what is sent there.
 */
export function readServerAddress(text: string, isInsecure = false): ServerAddress {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`Cannot use ${text}: write the address as https://host or http://…`);
  }
  if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw new UsageError(
      `Cannot use the address: it has more than scheme, host and path; write ${url.origin}`,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isHere = host === "localhost" || host.endsWith(".localhost") || isLoopback(host);
  if (url.protocol === "http:" && !isHere && !isInsecure) {
    throw new UsageError(
      `Cannot use ${text}: without TLS everybody on the way could read the login; write https:`,
    );
  }
  return { url: text.replace(/\/+$/, ""), isHere };
}
