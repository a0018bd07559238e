/** `agent`: runs an agent for an editor, and takes its threads to the user's other devices. [agents 4] */
import { deadline } from "@std/async/deadline";
import { defaultDataDir } from "../lib/data_location.ts";
import type { Environment } from "../lib/read_settings.ts";
import { packagedExecutable } from "../lib/packaged.ts";
import { UsageError } from "./args.ts";
import { AgentProcess } from "./bridge/agent_process.ts";
import { Bridge } from "./bridge/bridge.ts";
import { BridgeLog } from "./bridge/bridge_log.ts";
import { carryOut } from "./bridge/commands.ts";
import { SessionFile } from "./bridge/session_file.ts";
import { Uplink } from "./bridge/uplink.ts";
import { deviceSession, sessionHelp } from "./device_session.ts";
import { clientOptions, type Session } from "./session.ts";
import { SessionError } from "./session/session_error.ts";
import { programName } from "./program_name.ts";
import type { Output } from "./user.ts";

/** Help for `agent`. */
function agentHelp(): string {
  const name = programName();
  return `Runs an agent that speaks the Agent Client Protocol (ACP), as an editor would, and shows its threads on
your other devices. The editor starts this instead of the agent and notices no difference, also while
the server is away.

  ${name} agent [option]… -- <command of the agent> [argument]…
  ${name} agent --print-zed-settings [option]… -- <command of the agent> [argument]…
                          prints what to paste into Zed's settings

${sessionHelp}
  --name <text>           what your devices call this machine; its host name if not given
  --data-dir <folder>     where events wait for the server, and the log is: agent.log`;
}

interface AgentArgs {
  readonly command: string;
  readonly args: readonly string[];
  readonly server: string | undefined;
  readonly name: string | undefined;
  readonly dataDir: string | undefined;
  readonly printsSettings: boolean;
}

/** Runs `agent`; resolves with the agent's exit code. @throws {UsageError} */
export async function runAgent(
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<number> {
  const at = args.indexOf("--");
  const flags = at < 0 ? args : args.slice(0, at);
  if (flags.includes("--help")) {
    output.result(agentHelp());
    return 0;
  }
  const options = readArgs(flags, at < 0 ? [] : args.slice(at + 1));
  if (options.printsSettings) {
    output.result(zedSettings(flags, options));
    return 0;
  }
  return await runBridge(options, env);
}

function readArgs(flags: readonly string[], [command, ...args]: readonly string[]): AgentArgs {
  const values = new Map<string, string>();
  let printsSettings = false;
  for (let at = 0; at < flags.length; at++) {
    const [, name = "", inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(flags[at] as string) ?? [];
    if (name === "print-zed-settings") {
      printsSettings = true;
    } else if (["server", "name", "data-dir"].includes(name)) {
      const value = inline ?? flags[++at] ?? "";
      if (value === "") throw new UsageError(`Cannot understand --${name}: it needs a value`);
      values.set(name, value);
    } else {
      throw new UsageError(
        `Cannot understand ${flags[at]}: the agent's command comes behind "--"; --help tells more`,
      );
    }
  }
  if (command === undefined) {
    throw new UsageError(
      `Cannot run an agent: which one? ${programName()} agent -- <command of the agent>`,
    );
  }
  const [server, name, dataDir] = ["server", "name", "data-dir"].map((key) => values.get(key));
  return { command, args, server, name, dataDir, printsSettings };
}

/** Milliseconds that a login may take to be found: an editor does not wait for a locked keyring. */
const LOGIN_PATIENCE = 5_000;

async function runBridge(options: AgentArgs, env: Environment): Promise<number> {
  const { command, args } = options;
  // The agent, and what it runs, does not get the user's login.
  const agentEnv = Object.fromEntries(
    Object.entries(env).filter(([name]) => name !== "PARLEY_TOKEN") as [string, string][],
  );
  const process = startProcess(command, args, agentEnv);
  let say: (text: string) => void = () => {};
  // Whatever is wrong with the server's part: editor and agent go on without it.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    say(`Something failed that nobody waited for: ${describe(event.reason)}`);
  });
  let reported: { readonly bridge: Bridge; readonly uplink: Uplink } | undefined;
  try {
    const folder = dataFolder(options, env);
    say = new BridgeLog(`${folder}/agent.log`).say;
    reported = await report(process, folder, options, env, say);
  } catch (error) {
    say(`This agent's threads are not shown anywhere: ${describe(error)}`);
  }
  const code = await process.run(
    reported?.bridge ?? {
      fromEditor: process.toAgent,
      fromAgent: process.toEditor,
    },
  );
  reported?.bridge.end("the agent has ended");
  await reported?.uplink[Symbol.asyncDispose]();
  return code;
}

async function report(
  { toAgent, toEditor }: AgentProcess,
  folder: string,
  options: AgentArgs,
  env: Environment,
  log: (text: string) => void,
): Promise<{ bridge: Bridge; uplink: Uplink }> {
  const session = await deadline(deviceSession(options.server, env), LOGIN_PATIENCE);
  const place = `${folder}/${await nameOf(session)}`;
  await Deno.mkdir(place, { recursive: true, mode: 0o700 });
  const uplink: Uplink = new Uplink({
    folder: place,
    name: options.name ?? Deno.hostname(),
    client: clientOptions(session),
    onCommand: (command) => carryOut(bridge, command),
    log,
  });
  const { publish, run } = uplink;
  const sessions = new SessionFile(`${place}/sessions.jsonl`);
  const bridge: Bridge = new Bridge({ toAgent, toEditor, sessions, publish, run, log });
  return { bridge, uplink };
}

function describe(error: unknown): string {
  if (error instanceof UsageError || error instanceof SessionError) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function startProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): AgentProcess {
  try {
    return new AgentProcess({ command, args, env });
  } catch (error) {
    if (
      !(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.PermissionDenied)
    ) {
      throw error;
    }
    throw new UsageError(`Cannot run the agent "${command}": ${error.message}`);
  }
}

/** Events are kept for one user at one server. */
async function nameOf({ serverUrl, credentials }: Session): Promise<string> {
  const bytes = new TextEncoder().encode(`${serverUrl}\n${credentials.userId}`);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 32);
}

/** Where bridges keep what they have. @throws {UsageError} there is no home folder */
function dataFolder(
  { dataDir }: { readonly dataDir: string | undefined },
  env: Environment,
): string {
  const base = dataDir ?? defaultDataDir(env, Deno.build.os);
  if (base === undefined) {
    throw new UsageError("Cannot keep events: no home folder is known; give --data-dir");
  }
  const folder = `${base}/agents`;
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** What to paste into Zed's `settings.json`. */
function zedSettings(flags: readonly string[], { command, args }: AgentArgs): string {
  const own = flags.filter((flag) => flag !== "--print-zed-settings");
  const [program, ...before] = ownCommand();
  const name = command.split(/[\\/]/).at(-1) ?? command;
  const packaged = [name, ...args].find((word) => /^@?[\w.-]+\/[\w.-]+/.test(word));
  const server = {
    type: "custom",
    command: program,
    args: [...before, "agent", ...own, "--", command, ...args],
    env: {},
  };
  const title = `${(packaged ?? name).replace(/@[\d.]+$/, "").split("/").at(-1)} (Parley)`;
  return JSON.stringify({ agent_servers: { [title]: server } }, undefined, 2);
}

/** How this very program is started again, from any folder. */
function ownCommand(): readonly [string, ...string[]] {
  const packaged = packagedExecutable();
  if (packaged !== undefined) return [packaged];
  if (Deno.build.standalone) return [Deno.execPath()];
  const main = new URL("../main.ts", import.meta.url);
  return [Deno.execPath(), "run", "-A", decodeURIComponent(main.pathname)];
}
