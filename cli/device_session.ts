/** Which server a command speaks with, and as whom. */
import {
  type CollabClient,
  type Credentials,
  type Network,
  nodeHttpClient,
  nodeTransport,
} from "../client/node.ts";
import type { Environment } from "../lib/config.ts";
import { UsageError } from "./args.ts";

/** What a command needs to speak with a server as this device's user. */
export interface DeviceSession {
  readonly serverUrl: string;
  readonly credentials: Credentials;
  readonly network: Network;
}

/** Flags of {@link deviceSession}, for `parseCommandLine`. */
export const sessionFlags = ["server"] as const;

/** The part of a command's help that tells of them. */
export const sessionHelp =
  `  --server <name or url>  another server than the current one; PARLEY_SERVER does the same
  PARLEY_USER_ID and PARLEY_TOKEN in the environment stand for a login of "login"`;

/**
 * The login in the environment, if there is one.
 *
 * @param server as given with `--server`
 * @throws {UsageError} half of it is missing, or it makes no sense
 */
export function sessionOfEnvironment(
  server: string | undefined,
  env: Environment,
): DeviceSession | undefined {
  const { PARLEY_SERVER, PARLEY_USER_ID = "", PARLEY_TOKEN = "" } = env;
  if (PARLEY_USER_ID === "" && PARLEY_TOKEN === "") return undefined;
  if (!/^[1-9]\d{0,14}$/.test(PARLEY_USER_ID) || PARLEY_TOKEN === "") {
    throw new UsageError("PARLEY_USER_ID, a number, and PARLEY_TOKEN have to be given together");
  }
  const url = (server ?? PARLEY_SERVER ?? "").replace(/\/+$/, "");
  if (!/^https?:\/\/./.test(url)) {
    throw new UsageError("PARLEY_TOKEN is for one server: give its https:// address in PARLEY_SERVER");
  }
  return {
    serverUrl: url,
    credentials: { userId: Number(PARLEY_USER_ID), token: PARLEY_TOKEN },
    network: {},
  };
}

/** @throws {UsageError} nobody is signed in; the message tells what to do */
export function deviceSession(server: string | undefined, env: Environment): Promise<DeviceSession> {
  const session = sessionOfEnvironment(server, env);
  if (session !== undefined) return Promise.resolve(session);
  return Promise.reject(
    new UsageError("Cannot tell who you are: give PARLEY_SERVER, PARLEY_USER_ID and PARLEY_TOKEN"),
  );
}

/** What a {@link CollabClient} of that session is made with. */
export function clientOptions(
  { serverUrl, credentials, network }: DeviceSession,
): ConstructorParameters<typeof CollabClient>[0] {
  const [transport, http] = [nodeTransport(network), nodeHttpClient(network)];
  return { serverUrl, credentials, transport, http };
}
