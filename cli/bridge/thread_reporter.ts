/** What happens in one session, told as events of its thread. [agents 2] [agents 4d] */
import type { SessionUpdate } from "@agentclientprotocol/sdk";
import type { AgentEventInit } from "../../client/mod.ts";
import { AgentRoleEnum, AgentThreadStatusEnum } from "../../proto/mod.ts";
import { type Json, json, list, text, textOfContent, textOfToolContent } from "./acp.ts";

type Payload = Omit<AgentEventInit, "threadId">;

/** What is known of a session and its agent when it is opened. */
export interface SessionFacts {
  readonly sessionId: string;
  readonly cwd: string;
  readonly mode: string;
  readonly agent: string;
  readonly agentVersion: string;
}

/** Characters of a text that go into one event; the rest goes into further ones. */
const PIECE = 32_000;
const TITLE = 80;

export class ThreadReporter {
  readonly threadId: string;
  readonly #publish: (event: AgentEventInit) => void;
  /** The agent's message that is being streamed. */
  #message: { readonly id: string; readonly role: number; readonly agentsId: string } | undefined;
  /** Titles of the tools, which only their first message has to tell. */
  readonly #tools = new Map<string, string>();
  #hasTitle = false;

  constructor(threadId: string, publish: (event: AgentEventInit) => void) {
    this.threadId = threadId;
    this.#publish = publish;
  }

  created(facts: SessionFacts): void {
    this.#tell({ threadCreated: { title: "", ...facts } });
  }

  /** A thread that is there goes on in this session. */
  continued(facts: SessionFacts, hasTitle: boolean): void {
    this.#hasTitle = hasTitle;
    this.#tell({ threadUpdated: { ...facts, status: AgentThreadStatusEnum.Idle } });
  }

  mode(mode: string): void {
    this.#tell({ threadUpdated: { mode } });
  }

  /** A turn begins. */
  prompted(words: string, commandId?: string): void {
    this.#endMessage();
    const messageId = crypto.randomUUID();
    const [first = "", ...rest] = pieces(words);
    const messageAdded = { messageId, role: AgentRoleEnum.User, text: first };
    this.#tell({
      messageAdded: { ...messageAdded, ...(commandId !== undefined && { commandId }) },
    });
    this.#chunks(messageId, rest, false);
    if (rest.length > 0) this.#tell({ messageCompleted: { messageId } });
    const title = this.#hasTitle ? undefined : titleOf(words);
    this.#hasTitle ||= title !== undefined;
    const status = AgentThreadStatusEnum.Running;
    this.#tell({ threadUpdated: { status, ...(title !== undefined && { title }) } });
  }

  /** A command that waits for the end of the turn. [agents 4b] */
  waiting(commandId: string): void {
    this.#tell({ commandWaiting: { commandId } });
  }

  /** The turn is over. */
  stopped(reason: string): void {
    this.#endMessage();
    this.#tell({ completionStopped: { reason } });
  }

  failed(reason: string): void {
    this.stopped(reason);
    this.#tell({ threadUpdated: { status: AgentThreadStatusEnum.Failed } });
  }

  permissionRequested(toolCall: Json, options: readonly Json[]): void {
    this.#endMessage();
    const toolUseId = text(toolCall.toolCallId);
    this.#tell({
      toolUseRequested: {
        toolUseId,
        name: this.#toolName(toolCall),
        input: inputOf(toolCall),
        options: options.map(({ optionId, name, kind }) => ({
          optionId: text(optionId),
          name: text(name),
          kind: text(kind),
        })),
      },
    });
  }

  permissionResolved(
    toolUseId: string,
    answer: { readonly allowed: boolean; readonly optionId: string },
    device: { readonly subscriberId?: string | undefined; readonly commandId?: string } = {},
  ): void {
    const { subscriberId, commandId } = device;
    this.#tell({
      toolUseResolved: {
        toolUseId,
        ...answer,
        ...(subscriberId !== undefined && { subscriberId }),
        ...(commandId !== undefined && { commandId }),
      },
    });
  }

  /** @param isReplay history, in which the user's messages come from the agent too */
  update(update: Json, isReplay: boolean): void {
    const kind = update.sessionUpdate as SessionUpdate["sessionUpdate"];
    switch (kind) {
      case "agent_message_chunk":
        return this.#streamed(AgentRoleEnum.Agent, update, false);
      case "agent_thought_chunk":
        return this.#streamed(AgentRoleEnum.Agent, update, true);
      case "user_message_chunk":
        // In a turn it is an echo of the prompt.
        return isReplay ? this.#streamed(AgentRoleEnum.User, update, false) : undefined;
      case "tool_call":
        return this.#toolCalled(update);
      case "tool_call_update":
        return this.#toolUpdated(update);
      case "plan":
        return this.#tell({
          planUpdated: {
            entries: list(update.entries).map(({ content, status, priority }) => ({
              content: text(content),
              status: text(status),
              priority: text(priority),
            })),
          },
        });
      case "current_mode_update":
        return this.mode(text(update.currentModeId));
      case "session_info_update":
        if (text(update.title) === "") return;
        this.#hasTitle = true;
        return this.#tell({ threadUpdated: { title: text(update.title) } });
      case "usage_update":
        return this.#tell({
          threadUpdated: {
            tokenUsage: { contextUsed: count(update.used), contextSize: count(update.size) },
          },
        });
      case "config_option_update": {
        const mode = list(update.configOptions).find(({ category }) => category === "mode");
        return typeof mode?.currentValue === "string" ? this.mode(mode.currentValue) : undefined;
      }
    }
  }

  /** Nothing more of this message follows. */
  endReplay(): void {
    this.#endMessage();
  }

  #streamed(role: number, update: Json, thought: boolean): void {
    const agentsId = text(update.messageId);
    const { role: before, agentsId: idBefore } = this.#message ?? {};
    if (before !== role || (agentsId !== "" && idBefore !== "" && agentsId !== idBefore)) {
      this.#endMessage();
      this.#message = { id: crypto.randomUUID(), role, agentsId };
      if (role === AgentRoleEnum.User) {
        this.#tell({ messageAdded: { messageId: this.#message.id, role, text: "" } });
      }
    }
    const { id } = this.#message as { id: string };
    this.#chunks(id, pieces(textOfContent(update.content)), thought);
  }

  #chunks(messageId: string, texts: readonly string[], thought: boolean): void {
    for (const text of texts) this.#tell({ messageChunk: { messageId, text, thought } });
  }

  #endMessage(): void {
    if (this.#message === undefined) return;
    this.#tell({ messageCompleted: { messageId: this.#message.id } });
    this.#message = undefined;
  }

  #toolCalled(call: Json): void {
    this.#endMessage();
    const toolUseId = text(call.toolCallId);
    this.#tell({
      toolUseStarted: { toolUseId, name: this.#toolName(call), input: inputOf(call) },
    });
    if (call.status === "completed" || call.status === "failed") this.#toolUpdated(call);
  }

  #toolUpdated(update: Json): void {
    const toolUseId = text(update.toolCallId);
    this.#toolName(update);
    const { text: content, diff } = textOfToolContent(update.content);
    const isFailed = update.status === "failed";
    if (!isFailed && update.status !== "completed") {
      return this.#tell({
        toolUseUpdated: { toolUseId, content, detail: JSON.stringify(update) },
      });
    }
    const said = content === "" && update.rawOutput !== undefined
      ? JSON.stringify(update.rawOutput)
      : content;
    this.#tell({
      toolUseCompleted: {
        toolUseId,
        diff,
        ...(isFailed ? { error: said || "failed" } : { result: said }),
      },
    });
    this.#tools.delete(toolUseId);
  }

  #toolName(call: Json): string {
    const id = text(call.toolCallId);
    const name = text(call.title) || this.#tools.get(id) || text(call.kind);
    this.#tools.set(id, name);
    return name;
  }

  #tell(payload: Payload): void {
    this.#publish({ threadId: this.threadId, ...payload });
  }
}

/** What a tool is called with, as JSON; of what is very large only its length. */
function inputOf(call: Json): string {
  const { rawInput, content, locations } = call;
  const input = rawInput === undefined ? { content, locations } : rawInput;
  const whole = JSON.stringify(input) ?? "";
  return whole.length <= PIECE
    ? whole
    : JSON.stringify({ cut: whole.slice(0, 1_000), length: whole.length });
}

/** Of a text without any, one that is empty. */
function pieces(whole: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < whole.length;) {
    let end = Math.min(at + PIECE, whole.length);
    // Not between the two halves of one character.
    if (end < whole.length && /[\ud800-\udbff]/.test(whole[end - 1] as string)) end--;
    found.push(whole.slice(at, end));
    at = end;
  }
  return found;
}

function titleOf(words: string): string | undefined {
  const [line = ""] = words.trim().split("\n", 1);
  if (line === "") return undefined;
  const characters = [...line];
  return characters.length <= TITLE ? line : `${characters.slice(0, TITLE - 1).join("")}…`;
}

function count(value: unknown): bigint {
  return typeof value === "number" && value > 0 ? BigInt(Math.floor(value)) : 0n;
}

/** The words of a prompt. */
export function textOfPrompt(params: Json): string {
  return list(params.prompt).map(textOfContent).filter((part) => part !== "").join("\n");
}

/** The mode that a session begins with, as its answer tells it. */
export function modeOf(result: Json): string {
  const mode = list(result.configOptions).find(({ category }) => category === "mode");
  return text(json(result.modes).currentModeId) || text(mode?.currentValue);
}
