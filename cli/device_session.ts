/** Which server a command speaks with, and as whom: the environment's login, else the device's. */
import type { Environment } from "../lib/read_settings.ts";
import { UsageError } from "./args.ts";
import { networkOf, openSession, type Session } from "./session.ts";

/** The part of a command's help that tells of it. */
export const sessionHelp =
  `  --server <name or url>  another server than the current one; PARLEY_SERVER does the same

PARLEY_USER_ID and PARLEY_TOKEN in the environment stand for what "login" keeps.`;

/**
 * @param server as given with `--server`
 * @throws {SessionError} nobody is signed in; the message tells what to do
 * @throws {UsageError} the environment's login makes no sense
 */
export async function deviceSession(
  server: string | undefined,
  env: Environment,
): Promise<Session> {
  const { PARLEY_USER_ID: userId = "", PARLEY_TOKEN: token = "" } = env;
  const named = server ?? (env.PARLEY_SERVER || undefined);
  if (userId === "" && token === "") return await openSession({ server: named }, env);
  if (!/^[1-9]\d{0,14}$/.test(userId) || token === "") {
    throw new UsageError("PARLEY_USER_ID, a number, and PARLEY_TOKEN have to be given together");
  }
  const serverUrl = (named ?? "").replace(/\/+$/, "");
  if (!URL.canParse(serverUrl) || !/^https?:/.test(serverUrl)) {
    throw new UsageError(
      "PARLEY_TOKEN is for one server: give its http(s):// address in PARLEY_SERVER",
    );
  }
  return {
    name: serverUrl,
    serverUrl,
    login: undefined,
    credentials: { userId: Number(userId), token },
    network: networkOf(undefined, serverUrl, env),
    remedy: "PARLEY_USER_ID and PARLEY_TOKEN say who it is",
  };
}
