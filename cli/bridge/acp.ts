/**
 * Messages of the Agent Client Protocol as the bridge reads them: copies, of which nothing is sure but
 * that they are JSON objects. [agents 4a]
 */
import type { AnyMessage, ContentBlock, ToolCallContent } from "@agentclientprotocol/sdk";

/** Names of the methods that the bridge takes part in. */
export const Method = {
  Initialize: "initialize",
  NewSession: "session/new",
  LoadSession: "session/load",
  ResumeSession: "session/resume",
  CloseSession: "session/close",
  DeleteSession: "session/delete",
  SetMode: "session/set_mode",
  Prompt: "session/prompt",
  Cancel: "session/cancel",
  Update: "session/update",
  RequestPermission: "session/request_permission",
  CancelRequest: "$/cancel_request",
} as const;

/** JSON-RPC's code for a request that its asker gave up. */
export const REQUEST_CANCELLED = -32800;

export type Json = Record<string, unknown>;

/** A message, as far as it has the parts of one. */
export interface Heard {
  readonly method: string | undefined;
  /** The id as JSON, so that 1 and "1" are two; undefined for a notification. */
  readonly key: string | undefined;
  readonly id: string | number | null | undefined;
  readonly params: Json;
  readonly result: Json | undefined;
  readonly error: Json | undefined;
}

/** Undefined for what is no message; that passes unread. */
export function hear(line: Uint8Array): Heard | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(line));
  } catch {
    // Agents write all sorts of things; whether it is a message is the other side's to say.
    return undefined;
  }
  if (!isJson(value)) return undefined;
  const { id } = value;
  const isId = typeof id === "string" || typeof id === "number";
  return {
    method: typeof value.method === "string" ? value.method : undefined,
    id: isId ? id : undefined,
    key: isId ? JSON.stringify(id) : undefined,
    params: json(value.params),
    result: "result" in value ? json(value.result) : undefined,
    error: isJson(value.error) ? value.error : undefined,
  };
}

/** A message as a line. */
export function lineOf(message: Omit<AnyMessage, "jsonrpc">): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object, empty if it is none. */
export function json(value: unknown): Json {
  return isJson(value) ? value : {};
}

/** A string, empty if it is none. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The objects of an array. */
export function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

/** What people read of some content; what is no text is named. */
export function textOfContent(value: unknown): string {
  const block = json(value);
  const type = block.type as ContentBlock["type"] | undefined;
  switch (type) {
    case "text":
      return text(block.text);
    case "resource_link":
      return `[${text(block.name) || text(block.uri)}](${text(block.uri)})`;
    case "resource": {
      const { uri, text: inside } = json(block.resource);
      return `[${text(uri)}]${typeof inside === "string" ? `\n${inside}` : ""}`;
    }
    default:
      return type === undefined ? "" : `[${type}]`;
  }
}

/** What a tool says, and what it changes, as people read it. */
export function textOfToolContent(value: unknown): { text: string; diff: string } {
  const texts: string[] = [];
  const diffs: string[] = [];
  for (const part of list(value)) {
    const type = part.type as ToolCallContent["type"];
    if (type === "content") texts.push(textOfContent(part.content));
    else if (type === "diff") diffs.push(diffOf(part));
    else if (type === "terminal") texts.push(`[terminal ${text(part.terminalId)}]`);
  }
  return { text: texts.join("\n"), diff: diffs.join("\n") };
}

/** All old lines out, all new ones in: the agent sends no finer one. */
function diffOf({ path, oldText, newText }: Json): string {
  const marked = (mark: string, value: unknown) =>
    text(value) === "" ? [] : text(value).replace(/\n$/, "").split("\n").map((one) => mark + one);
  const name = text(path);
  return [
    `--- ${typeof oldText === "string" ? name : "/dev/null"}`,
    `+++ ${name}`,
    ...marked("-", oldText),
    ...marked("+", newText),
  ].join("\n");
}
