/** The servers that this device is signed in to: the file `servers.json`. [local 8] */
import { z } from "zod";
import { readIfThere, replaceFile } from "../../client/node/development_store.ts";
import { SessionError } from "./session_error.ts";

const entry = z.object({
  /** What its user calls it. */
  name: z.string().min(1),
  /** Also the name of its login in the store. */
  url: z.string().min(1),
  /** Of a server that was paired with; null for one that authorities vouch for. */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/).nullable(),
  userId: z.int().min(1),
  /** Null where the server does not say it. */
  login: z.string().nullable(),
});
const schema = z.object({
  version: z.literal(1),
  /** The url of the one that commands speak with; null for none. */
  current: z.string().nullable(),
  servers: z.array(entry),
});

/** A server as it is remembered. */
export type KnownServer = Readonly<z.infer<typeof entry>>;

/** All servers, and which one is meant where none is named. */
export interface ServerList {
  readonly current: string | null;
  readonly servers: readonly KnownServer[];
}

/** Reads the list; empty where there is none. @throws {SessionError} it is damaged */
export async function readServerList(folder: string): Promise<ServerList> {
  const path = `${folder}/servers.json`;
  const bytes = await readIfThere(path);
  if (bytes === undefined) return { current: null, servers: [] };
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new SessionError(
      `Cannot read the list of servers in ${path}: it is damaged, or of a newer program; ` +
        "delete it and sign in anew",
      { cause },
    );
  }
}

/** Writes the list, whole or not at all; only its owner may read it. */
export async function writeServerList(folder: string, list: ServerList): Promise<void> {
  const text = JSON.stringify({ version: 1, ...list }, undefined, 2);
  await replaceFile(`${folder}/servers.json`, new TextEncoder().encode(text + "\n"));
}

/** The server that a word names: its name, or its address. @throws {SessionError} none, or several */
export function findServer({ servers }: ServerList, word: string): KnownServer {
  const address = word.replace(/\/+$/, "");
  const found = servers.find(({ url }) => url === address) ??
    servers.find(({ name }) => name === word) ??
    servers.find(({ name }) => name.toLowerCase() === word.toLowerCase());
  if (found !== undefined) return found;
  throw new SessionError(
    servers.length === 0
      ? `Cannot find the server "${word}": this device is signed in to none`
      : `Cannot find the server "${word}": there are ${
        servers.map(({ name }) => `"${name}"`).join(", ")
      }`,
  );
}

/** The list with a server in place of the one of its address; it becomes the current one. */
export function withServer(list: ServerList, server: KnownServer): ServerList {
  const others = list.servers.filter(({ url }) => url !== server.url);
  const names = new Set(others.map(({ name }) => name.toLowerCase()));
  let { name } = server;
  for (let number = 2; names.has(name.toLowerCase()); number++) name = `${server.name} (${number})`;
  return { current: server.url, servers: [...others, { ...server, name }] };
}

/** The list with a server at another address, where another entry of it may have been. */
export function atAddress(
  { current, servers }: ServerList,
  before: string,
  now: string,
): ServerList {
  return {
    current: current === before ? now : current,
    servers: servers.filter(({ url }) => url !== now)
      .map((server) => server.url === before ? { ...server, url: now } : server),
  };
}

/** The list without a server. If one is left, that is the current one then. */
export function withoutServer({ current, servers }: ServerList, url: string): ServerList {
  const others = servers.filter((server) => server.url !== url);
  if (current !== url) return { current, servers: others };
  return { current: others.length === 1 ? others[0]!.url : null, servers: others };
}
