/** Who uses the command line: the servers that this device is signed in to. [local 8] */
import {
  type CollabClient,
  type Credentials,
  type CredentialStore,
  type Network,
  nodeHttpClient,
  nodeTransport,
} from "../client/node.ts";
import type { Environment } from "../lib/read_settings.ts";
import { programName } from "./program_name.ts";
import { configFolder } from "./session/config_folder.ts";
import { type FindKey, openLoginStore } from "./session/login_store.ts";
import { type FindPaired, newAddressOf } from "./session/moved_server.ts";
import {
  atAddress,
  findServer,
  type KnownServer,
  readServerList,
  type ServerList,
  withoutServer,
  withServer,
  writeServerList,
} from "./session/server_list.ts";
import { SessionError } from "./session/session_error.ts";

/** Which server a command is about. */
export interface SessionArgs {
  /** A name or address of `servers`; the current one if not given. */
  readonly server?: string | undefined;
}

/** What a command needs to speak with a server as this device's user. */
export interface Session {
  /** What its user calls the server. */
  readonly name: string;
  readonly serverUrl: string;
  /** Who the user is there; undefined where the server does not say it. */
  readonly login: string | undefined;
  readonly credentials: Credentials;
  /** For `nodeTransport` and `nodeHttpClient`; it holds the pin of a paired server. */
  readonly network: Network;
  /** What the user does when the server does not take the login. */
  readonly remedy: string;
}

/**
 * The login of a server: the current one, or the one that is named. One that was paired with and has
 * another address now is looked for on the network, and remembered there.
 *
 * @throws {SessionError} nobody is signed in there; the message says what to do.
 */
export async function openSession(
  { server }: SessionArgs,
  env: Environment,
  findKey?: FindKey,
  find?: FindPaired,
): Promise<Session> {
  const folder = configFolder(env);
  const list = await readServerList(folder);
  const remembered = server === undefined ? currentServer(list) : findServer(list, server);
  const address = await newAddressOf(remembered, find);
  const known = address === undefined
    ? remembered
    : await moveServer(remembered, address, env, findKey);
  const store = await openLoginStore(folder, findKey);
  const credentials = await told(store.read(known.url));
  if (credentials === undefined) {
    throw new SessionError(
      `Cannot use ${known.name}: its login is gone; ${howToSignIn(known)}`,
    );
  }
  const { name, url, login } = known;
  const network = networkOf(known.fingerprint ?? undefined, url, env);
  const remedy = howToSignIn(known);
  return { name, serverUrl: url, login: login ?? undefined, credentials, network, remedy };
}

/** What a {@link CollabClient} of that session is made with. */
export function clientOptions(
  { serverUrl, credentials, network }: Session,
): Parameters<typeof CollabClient.connect>[0] {
  const [transport, http] = [nodeTransport(network), nodeHttpClient(network)];
  return { serverUrl, credentials, transport, http };
}

/** How a server is reached: a paired one and one of this machine through no proxy. */
export function networkOf(
  pin: string | undefined,
  url: string,
  env: Environment,
): Network {
  const { hostname } = new URL(url);
  const isHere = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(hostname);
  const environment = pin !== undefined || isHere ? () => undefined : (name: string) => env[name];
  return { pin, environment };
}

/** Remembers a login; its server becomes the current one. */
export async function keepLogin(
  server: KnownServer,
  credentials: Credentials,
  env: Environment,
  findKey?: FindKey,
): Promise<KnownServer> {
  return await change(env, findKey, async (list, store) => {
    await told(store.write(server.url, credentials));
    const next = withServer(list, server);
    return { list: next, result: findServer(next, server.url) };
  });
}

/** Makes a server the current one; all keep their logins. @throws {SessionError} */
export async function useServer(
  word: string,
  env: Environment,
  findKey?: FindKey,
): Promise<KnownServer> {
  return await change(env, findKey, (list) => {
    const found = findServer(list, word);
    return Promise.resolve({ list: { ...list, current: found.url }, result: found });
  });
}

/**
 * Forgets the login of a server: the current one, or the one that is named.
 *
 * @returns the server, and the one that is current now
 * @throws {SessionError} there is no such server.
 */
export async function forgetLogin(
  { server }: SessionArgs,
  env: Environment,
  findKey?: FindKey,
): Promise<{ readonly forgotten: KnownServer; readonly current: KnownServer | undefined }> {
  return await change(env, findKey, async (list, store) => {
    const forgotten = server === undefined ? currentServer(list) : findServer(list, server);
    await told(store.delete(forgotten.url));
    const next = withoutServer(list, forgotten.url);
    const current = next.servers.find(({ url }) => url === next.current);
    return { list: next, result: { forgotten, current } };
  });
}

/** All servers of this device. @throws {SessionError} */
export async function knownServers(env: Environment): Promise<ServerList> {
  return await readServerList(configFolder(env));
}

/** The login and the name of a server, at its new address. */
async function moveServer(
  server: KnownServer,
  url: string,
  env: Environment,
  findKey?: FindKey,
): Promise<KnownServer> {
  return await change(env, findKey, async (list, store) => {
    const credentials = await told(store.read(server.url));
    const next = atAddress(list, server.url, url);
    // Somebody else was quicker, or has forgotten it meanwhile.
    if (credentials === undefined) return { list, result: findServer(list, url) };
    await told(store.write(url, credentials));
    await told(store.delete(server.url));
    return { list: next, result: findServer(next, url) };
  });
}

function currentServer({ current, servers }: ServerList): KnownServer {
  const found = servers.find(({ url }) => url === current);
  if (found !== undefined) return found;
  const name = programName();
  throw new SessionError(
    servers.length === 0
      ? `Cannot tell the server: this device is signed in to none; ${name} login <address> for a ` +
        `server with accounts, ${name} join <name or address> for a local one`
      : `Cannot tell the server: none is chosen; ${name} use <server>, ${name} servers lists them`,
  );
}

function howToSignIn({ url, fingerprint }: KnownServer): string {
  return `sign in anew: ${programName()} ${fingerprint === null ? "login" : "join"} ${url}`;
}

/** One change after the other, also of several processes. */
async function change<T>(
  env: Environment,
  findKey: FindKey | undefined,
  act: (
    list: ServerList,
    store: CredentialStore,
  ) => Promise<{ readonly list: ServerList; readonly result: T }>,
): Promise<T> {
  const folder = configFolder(env);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true, mode: 0o600 });
  await lock.lock(true);
  const store = await openLoginStore(folder, findKey);
  const { list, result } = await act(await readServerList(folder), store);
  await writeServerList(folder, list);
  return result;
}

/** Says what the store of logins has to say as people are told. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new SessionError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
