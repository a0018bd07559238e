/** `servers`, `use`, `logout`: the servers that this device is signed in to. [local 8] */
import type { Environment } from "../lib/read_settings.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { programName } from "./program_name.ts";
import { forgetLogin, knownServers, useServer } from "./session.ts";
import type { FindKey } from "./session/login_store.ts";
import type { ServerList } from "./session/server_list.ts";
import type { Output } from "./user.ts";

/** Help for `servers`, `use` and `logout`. */
function serversHelp(): string {
  const name = programName();
  return `The servers that this device is signed in to.

  ${name} servers            list them; a star marks the one that commands speak with
  ${name} use <server>       speak with another; all keep their logins
  ${name} logout [server]    forget a login, the current one unless a server is named

  --json                  JSON on standard output, and nothing else there

A server is named by its name or its address. "logout" tells the server nothing: revoke the token on
its account page, or with "${name} devices revoke" at a local server.`;
}

/** Runs `servers`. @throws {UsageError} {SessionError} */
export async function runServers(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<void> {
  const { words, switches } = parseCommandLine(args, ["json", "help"]);
  if (switches.has("help")) return output.result(serversHelp());
  if (words.length > 0) throw new UsageError(`Cannot list "${words.join(" ")}": give no name`);
  const list = await knownServers(env);
  output.result(switches.has("json") ? JSON.stringify(asJson(list)) : listing(list));
}

/** Runs `use`. @throws {UsageError} {SessionError} */
export async function runUse(
  args: readonly string[],
  env: Environment,
  output: Output,
  findKey?: FindKey,
): Promise<void> {
  const { words: [server, ...more], switches } = parseCommandLine(args, ["json", "help"]);
  if (switches.has("help")) return output.result(serversHelp());
  if (server === undefined || more.length > 0) {
    throw new UsageError(`Cannot choose: give one server; ${programName()} servers lists them`);
  }
  const { name, login, ...rest } = await useServer(server, env, findKey);
  output.result(
    switches.has("json")
      ? JSON.stringify({ name, login, ...rest })
      : `Using ${name}${login === null ? "" : ` as ${login}`}`,
  );
}

/** Runs `logout`. @throws {UsageError} {SessionError} */
export async function runLogout(
  args: readonly string[],
  env: Environment,
  output: Output,
  findKey?: FindKey,
): Promise<void> {
  const { words: [server, ...more], switches } = parseCommandLine(args, ["json", "help"]);
  if (switches.has("help")) return output.result(serversHelp());
  if (more.length > 0) throw new UsageError("Cannot sign out: give one server, or none");
  const { forgotten, current } = await forgetLogin({ server }, env, findKey);
  output.result(
    switches.has("json")
      ? JSON.stringify({ forgotten, current: current ?? null })
      : `Signed out of ${forgotten.name}${current === undefined ? "" : `; using ${current.name}`}`,
  );
}

function asJson({ current, servers }: ServerList) {
  return servers.map((server) => ({ ...server, current: server.url === current }));
}

function listing(list: ServerList): string {
  if (list.servers.length === 0) return "This device is signed in to no server";
  const rows = asJson(list).map(({ current, name, url, login }) => [
    current ? "*" : " ",
    name,
    login ?? "-",
    url,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")).join(
    "\n",
  );
}
