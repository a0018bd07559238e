/** Events and threads as people and programs read them. */
import { AgentRoleEnum, AgentThreadStatusEnum, type MessageTypes } from "../../proto/mod.ts";
import { harmless, type Paint } from "./paint.ts";

type AgentEvent = MessageTypes["AgentEvent"];
type AgentThread = MessageTypes["AgentThread"];

const STATUSES = Object.entries(AgentThreadStatusEnum);
const ROLES = Object.entries(AgentRoleEnum);

/** The words of a status. */
function statusName(status: number): string {
  const name = STATUSES.find(([, value]) => value === status)?.[0] ?? `${status}`;
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
}

/** One line of JSON: numbers as numbers, names for what has one, and nothing that was not told. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === "bigint") return Number(part);
    if (key === "status" && typeof part === "number") return statusName(part);
    if (key === "role") return ROLES.find(([, role]) => role === part)?.[0]?.toLowerCase() ?? part;
    return part;
  });
}

/** A line for each thread. */
export function threadList(threads: readonly AgentThread[], paint: Paint): string {
  if (threads.length === 0) return "There are no threads";
  return threads.map((thread) => {
    const { threadId, title, status, agent, hostPresent, waitingToolUseIds: tools } = thread;
    const words = [
      harmless(agent),
      hostPresent ? "" : "host away",
      tools.length > 0 ? `asks for ${tools.join(", ")}` : "",
    ];
    const name = statusName(status);
    return [
      paint("cyan", threadId),
      paint(COLOURS[name] ?? "dim", name.padEnd(22)),
      paint("bold", harmless(title) || "(no title)"),
      paint("dim", words.filter((word) => word !== "").map(harmless).join(", ")),
    ].join("  ").trimEnd();
  }).join("\n");
}

const COLOURS: Readonly<Record<string, "green" | "yellow" | "red">> = {
  running: "green",
  "waiting for permission": "yellow",
  failed: "red",
};

/** Text as it comes: chunks go on in their line, everything else begins one. */
export class Transcript {
  readonly #paint: Paint;
  readonly #write: (text: string) => void;
  #thread = "";
  #inMessage = "";

  constructor(paint: Paint, write: (text: string) => void) {
    this.#paint = paint;
    this.#write = write;
  }

  /** A message that was complete before. */
  past({ role, text, thought }: MessageTypes["AgentMessage"]): void {
    if (role === AgentRoleEnum.User) return this.#line(this.#paint("bold", `› ${harmless(text)}`));
    if (thought !== "") this.#line(this.#paint("dim", harmless(thought)));
    if (text !== "") this.#line(harmless(text));
  }

  show(event: AgentEvent): void {
    if (event.threadId !== this.#thread) {
      this.#thread = event.threadId;
      this.#line(this.#paint("cyan", `── ${event.threadId}`));
    }
    const { messageChunk: chunk } = event;
    if (chunk === undefined) {
      const words = describe(event, this.#paint);
      if (words !== "") this.#line(words);
      return;
    }
    const stream = `${chunk.messageId} ${chunk.thought}`;
    if (stream !== this.#inMessage) this.#endLine();
    this.#inMessage = stream;
    const text = harmless(chunk.text);
    this.#write(chunk.thought ? this.#paint("dim", text) : text);
  }

  #line(text: string): void {
    this.#endLine();
    this.#write(`${text}\n`);
  }

  #endLine(): void {
    if (this.#inMessage !== "") this.#write("\n");
    this.#inMessage = "";
  }
}

function describe(event: AgentEvent, paint: Paint): string {
  const { threadId } = event;
  if (event.threadCreated) {
    const { agent } = event.threadCreated;
    return paint("dim", agent === "" ? "begun" : `begun by ${harmless(agent)}`);
  }
  if (event.threadUpdated?.title) return paint("bold", `# ${harmless(event.threadUpdated.title)}`);
  if (event.messageAdded) {
    const { role, text } = event.messageAdded;
    if (text === "") return "";
    return role === AgentRoleEnum.User ? paint("bold", `› ${harmless(text)}`) : harmless(text);
  }
  if (event.toolUseStarted) return paint("cyan", `⚙ ${harmless(event.toolUseStarted.name)}`);
  if (event.toolUseRequested) {
    const { toolUseId, name, options } = event.toolUseRequested;
    const offered = options.map(({ optionId, name }) => `${optionId} (${name})`).join(", ");
    const words = `? ${name}: approve ${threadId} ${toolUseId}, or deny; options: ${offered}`;
    return paint("yellow", harmless(words));
  }
  if (event.toolUseResolved) {
    const { allowed, toolUseId, subscriberId } = event.toolUseResolved;
    const where = subscriberId === undefined ? "in the editor" : "on a device";
    const words = harmless(`${allowed ? "✓ allowed" : "✗ denied"} ${where}: ${toolUseId}`);
    return paint(allowed ? "green" : "red", words);
  }
  if (event.toolUseCompleted) {
    const { result, error, diff } = event.toolUseCompleted;
    const words = [error, result, diff].filter((part) => part !== "").join("\n");
    return paint(error === "" ? "dim" : "red", harmless(words));
  }
  if (event.planUpdated) {
    const entries = event.planUpdated.entries.map(({ content, status }) =>
      `  ${status === "completed" ? "☑" : "☐"} ${content}`
    );
    return harmless(["plan", ...entries].join("\n"));
  }
  if (event.completionStopped) return paint("dim", harmless(`■ ${event.completionStopped.reason}`));
  if (event.commandWaiting) return paint("dim", "a message waits until the agent has time");
  if (event.commandFailed) return paint("red", harmless(`✗ ${event.commandFailed.reason}`));
  if (event.eventsLost) {
    return paint("red", `${event.eventsLost.count} events are missing: the host had no room`);
  }
  if (event.threadArchived) return paint("dim", "archived");
  if (event.threadDeleted) return paint("red", "deleted");
  return "";
}
