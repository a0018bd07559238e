/** `threads`, `watch`, `send`, `approve`, `deny`, `cancel`: agents' threads on the terminal. [agents 2] */
import { CollabClient, RequestError, UnauthorizedError } from "../client/mod.ts";
import type { Environment } from "../lib/read_settings.ts";
import { AgentDeliveryEnum } from "../proto/mod.ts";
import { parseCommandLine, UsageError } from "./args.ts";
import { deviceSession, sessionHelp } from "./device_session.ts";
import { programName } from "./program_name.ts";
import { clientOptions } from "./session.ts";
import { SessionError } from "./session/session_error.ts";
import { newestThreads, threadNamed } from "./threads/find.ts";
import { paintFor, wantsColours } from "./threads/paint.ts";
import { jsonOf, threadList } from "./threads/show.ts";
import { watch } from "./threads/watch.ts";
import type { Output } from "./user.ts";

/** Help for all of them. */
function threadsHelp(): string {
  const name = programName();
  return `Threads of your agents, which run in an editor on this machine or another ("${name} agent").

  ${name} threads                            list them, the newest first
  ${name} watch [thread]                     show what happens, in one or in all
  ${name} send <thread> <message>…           say something to the agent; "-" reads standard input
  ${name} approve <thread> [tool]…           allow tools that wait for permission, all if none is named
  ${name} deny <thread> [tool]…              refuse them
  ${name} cancel <thread>                    stop the agent's turn

A thread is named by its id, or by the beginning of it.

  --json                  JSON on standard output, a line for each thing, and nothing else there
  --archived              threads: also those that are archived
  --limit <number>        threads: at most so many; 50 if not given
  --after <seq>           watch: everything behind this event of the thread, 0 for all
  --until-stopped         watch: end with the agent's turn
  --option <id>           approve, deny: with this one of the agent's options
${sessionHelp}`;
}

/** The commands that this file runs. */
export type ThreadsCommand = "threads" | "watch" | "send" | "approve" | "deny" | "cancel";

/** What is left of the command line: the thread, and what comes behind it. */
interface Given {
  readonly command: ThreadsCommand;
  readonly thread: string | undefined;
  readonly rest: readonly string[];
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
}

/** Runs one; resolves with the exit code. @throws {UsageError} {SessionError} {ConnectError} */
export async function runThreads(
  command: ThreadsCommand,
  args: readonly string[],
  env: Environment,
  output: Output,
): Promise<number> {
  const { words, switches, values } = parseCommandLine(
    args,
    ["json", "help", "archived", "until-stopped"],
    ["server", "limit", "after", "option"],
  );
  if (switches.has("help")) {
    output.result(threadsHelp());
    return 0;
  }
  const [thread, ...rest] = words;
  const given = { command, thread, rest, switches, values };
  require(given);
  const session = await deviceSession(values.get("server"), env);
  const options = clientOptions(session);
  try {
    if (command !== "watch") {
      await using client = await CollabClient.connect(options);
      const text = await once(client, given, env);
      // For a program no thread is no line.
      if (text !== "") output.result(text);
      return 0;
    }
    const after = numberOf(values, "after");
    const threadId = await watched(thread, options);
    const ended = new AbortController();
    const end = () => ended.abort();
    Deno.addSignalListener("SIGINT", end);
    await watch({
      client: options,
      threadId,
      after: after === undefined ? undefined : BigInt(after),
      json: switches.has("json"),
      untilStopped: switches.has("until-stopped"),
      paint: paintFor(wantsColours(env)),
      write: (text) => {
        if (!writeOut(text)) end();
      },
      note: output.note,
      signal: ended.signal,
    });
    Deno.removeSignalListener("SIGINT", end);
    return 0;
  } catch (error) {
    if (error instanceof UnauthorizedError) {
      throw new SessionError(`${error.message}; ${session.remedy}`, { cause: error });
    }
    // What the server does not want is no defect of this program.
    if (!(error instanceof RequestError)) throw error;
    output.note(`Cannot ${command}: ${error.reason}`);
    return 1;
  }
}

function require({ command, thread, rest, values }: Given): void {
  if (command !== "threads" && command !== "watch" && thread === undefined) {
    throw new UsageError(`Cannot ${command}: which thread? ${programName()} threads lists them`);
  }
  if (command === "send" && rest.length === 0) {
    throw new UsageError('Cannot send: give the message, or "-" to read it from standard input');
  }
  const isMore = command === "threads" ? thread !== undefined : rest.length > 0;
  if (isMore && ["threads", "watch", "cancel"].includes(command)) {
    const more = command === "threads" ? [thread, ...rest] : rest;
    throw new UsageError(`Cannot understand "${more.join(" ")}" behind ${command}`);
  }
  if (numberOf(values, "limit") === 0) {
    throw new UsageError("Cannot understand --limit 0: give how many threads to list");
  }
  if (values.has("after") && thread === undefined) {
    throw new UsageError("Cannot use --after without a thread: each counts its own events");
  }
}

async function once(client: CollabClient, given: Given, env: Environment): Promise<string> {
  const { command, rest, switches, values } = given;
  const json = switches.has("json");
  if (command === "threads") {
    const limit = numberOf(values, "limit") ?? 50;
    const threads = await newestThreads(client, limit, switches.has("archived"));
    if (!json) return threadList(threads, paintFor(wantsColours(env)));
    return threads.map(jsonOf).join("\n");
  }
  const text = command === "send" ? await words(rest) : "";
  const threadId = await threadNamed(client, given.thread as string);
  const commandId = crypto.randomUUID();
  const subscriberId = crypto.randomUUID();
  const common = { threadId, commandId, subscriberId };
  const optionId = values.get("option") ?? "";
  const send = async () => {
    switch (command) {
      case "send":
        return await client.request("SendAgentMessage", { ...common, text });
      case "approve":
      case "deny": {
        const toolUseIds = rest.length > 0 ? [...rest] : await waitingTools(client, threadId);
        const request = command === "approve" ? "UseAgentTools" : "DenyAgentTools";
        return await client.request(request, { ...common, toolUseIds, optionId });
      }
      default:
        return await client.request("CancelAgentCompletion", common);
    }
  };
  const { delivery } = await send();
  const isDelivered = delivery === AgentDeliveryEnum.Delivered;
  if (json) return JSON.stringify({ threadId, commandId, delivered: isDelivered });
  return isDelivered ? "Done" : "Stored: it is done when the agent's machine is there and has time";
}

async function words(rest: readonly string[]): Promise<string> {
  const isRead = rest.length === 1 && rest[0] === "-";
  const text = isRead ? (await new Response(Deno.stdin.readable).text()).trimEnd() : rest.join(" ");
  if (text.trim() !== "") return text;
  throw new UsageError(
    `Cannot send: ${isRead ? "standard input has no words" : "the message has no words"}`,
  );
}

async function waitingTools(client: CollabClient, threadId: string): Promise<string[]> {
  const { thread } = await client.request("GetAgentThread", { threadId, messageLimit: 1 });
  const ids = thread?.waitingToolUseIds ?? [];
  if (ids.length === 0) throw new UsageError("Cannot answer: no tool of this thread waits");
  return [...ids];
}

async function watched(
  thread: string | undefined,
  options: ReturnType<typeof clientOptions>,
): Promise<string | undefined> {
  if (thread === undefined) return undefined;
  await using client = await CollabClient.connect(options);
  return await threadNamed(client, thread);
}

function numberOf(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new UsageError(`Cannot understand --${name} ${text}: give a number`);
  }
  return Number(text);
}

/** @returns false when nobody reads any more, as behind `| head` */
function writeOut(text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}
