/** `discover`: the local servers of the networks that this machine is on. [local 2c] */
import { ConnectError } from "../client/errors.ts";
import { nodeHttpClient } from "../client/node/http_client.ts";
import { systemClock } from "../lib/clock.ts";
import { Browser, type FoundServer } from "../local/mdns/browser.ts";
import { type LocalAddress, localAddresses } from "../local/networks.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Milliseconds that servers have to answer where nobody keeps watching. */
const PATIENCE = 2_000;
/** Milliseconds that one server has to say how it is. */
const STATE_PATIENCE = 3_000;

/** Help for `discover`. */
function discoverHelp(): string {
  return `List the local servers of the networks that this machine is on.

  ${programName()} discover [--json]             ask, wait two seconds, list
  ${programName()} discover --watch [--json]     go on: a list at every change, until it is ended

With --json each list is one line: an array of {name, url, urls, state, version, fingerprint,
pairing}. A server's state is "ready", "not ready" or "unreachable".`;
}

/** A server as it is listed. */
export interface DiscoveredServer {
  readonly name: string;
  /** Where this machine reaches it; the first of `urls` while it is unreachable. */
  readonly url: string;
  readonly urls: readonly string[];
  readonly state: "ready" | "not ready" | "unreachable";
  readonly version: string | null;
  readonly fingerprint: string | null;
  readonly pairing: string | null;
}

/** Runs `discover`. @throws {UsageError} */
export async function runDiscover(args: readonly string[], output: Output): Promise<void> {
  const { words, switches } = parseCommandLine(args, ["json", "watch", "help"]);
  if (switches.has("help")) return output.result(discoverHelp());
  if (words.length > 0) throw new UsageError(`Cannot discover "${words.join(" ")}": give no name`);
  const addresses = localAddresses();
  if (addresses.every(({ family }) => family !== "ipv4")) {
    output.note("This machine is on no IPv4 network: nothing can be discovered");
  }
  const show = async (servers: readonly FoundServer[]) => {
    const found = await Promise.all(servers.map(stateOf));
    output.result(switches.has("json") ? JSON.stringify(found) : listing(found));
  };
  let last = Promise.resolve();
  const browser = new Browser({
    addresses,
    clock: systemClock,
    changed: (servers) => {
      // One after the other, so that an older list never follows a newer one.
      if (switches.has("watch")) last = last.then(() => show(servers));
    },
    failed: (error, address) =>
      output.note(`Cannot discover on ${address}: ${error.message}; other interfaces go on`),
  });
  if (switches.has("watch")) return await new Promise<void>(() => {});
  await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const { servers } = browser;
  await browser[Symbol.asyncDispose]();
  await show(servers);
}

/** The server of that name, as soon as it is heard of; undefined when it is not in two seconds. */
export async function findLocalServer(
  name: string,
  addresses?: readonly LocalAddress[],
): Promise<DiscoveredServer | undefined> {
  return await find((server) => server.name.toLowerCase() === name.toLowerCase(), addresses);
}

/** The same by its key, which only that server has: whoever else announces it is not reached. */
export async function findPairedServer(
  fingerprint: string,
  addresses?: readonly LocalAddress[],
): Promise<DiscoveredServer | undefined> {
  return await find(({ text }) => text.fingerprint === fingerprint, addresses);
}

/** Whether a server with that key answers there. */
export async function isServerAt(url: string, fingerprint: string): Promise<boolean> {
  return await ask(url, fingerprint) !== "unreachable";
}

async function find(
  isWanted: (server: FoundServer) => boolean,
  addresses: readonly LocalAddress[] = localAddresses(),
): Promise<DiscoveredServer | undefined> {
  const seen = Promise.withResolvers<FoundServer | undefined>();
  const timer = setTimeout(() => seen.resolve(undefined), PATIENCE);
  const isMeant = (server: FoundServer) =>
    isWanted(server) && server.addresses.length > 0 && server.text.fingerprint !== undefined;
  const browser = new Browser({
    addresses,
    clock: systemClock,
    changed: (servers) => {
      const found = servers.find(isMeant);
      if (found !== undefined) seen.resolve(found);
    },
    // Another interface may do; that none does is told by finding nothing.
    failed: () => {},
  });
  try {
    const found = await seen.promise;
    return found && await stateOf(found);
  } finally {
    clearTimeout(timer);
    await browser[Symbol.asyncDispose]();
  }
}

/** Asks a server how it is, at one address after the other. */
export async function stateOf(server: FoundServer): Promise<DiscoveredServer> {
  const { name, host, port, addresses, text } = server;
  const hosts = [
    ...addresses.map((address) => address.includes(":") ? `[${address}]` : address),
    host,
  ];
  const urls = hosts.map((each) => `https://${each}:${port}`);
  const found = {
    name: printable(name),
    urls,
    version: text.version === undefined ? null : printable(text.version),
    fingerprint: /^[0-9a-f]{64}$/.test(text.fingerprint ?? "") ? text.fingerprint as string : null,
    pairing: text.pairing === undefined ? null : printable(text.pairing),
  };
  const { fingerprint } = found;
  if (fingerprint !== null) {
    for (const url of urls) {
      const state = await ask(url, fingerprint);
      if (state !== "unreachable") return { ...found, url, state };
    }
  }
  return { ...found, url: urls[0] as string, state: "unreachable" };
}

async function ask(url: string, pin: string): Promise<DiscoveredServer["state"]> {
  const http = nodeHttpClient({ pin, environment: () => undefined });
  try {
    const answer = await http.request(`${url}/healthz`, {
      signal: AbortSignal.timeout(STATE_PATIENCE),
    });
    await answer.body?.cancel();
    return answer.ok ? "ready" : "not ready";
  } catch (error) {
    if (error instanceof ConnectError || (error as Error).name === "TimeoutError") {
      return "unreachable";
    }
    throw error;
  } finally {
    http.close();
  }
}

/** What a network says is not ours to show as it is: no control characters on a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, "?").slice(0, 80);
}

function listing(servers: readonly DiscoveredServer[]): string {
  if (servers.length === 0) return "No local server is on this network";
  const width = Math.max(...servers.map(({ name }) => name.length));
  return servers.map(({ name, url, state, version }) =>
    `${name.padEnd(width)}  ${url}  ${state}${version === null ? "" : `  ${version}`}`
  ).join("\n");
}
