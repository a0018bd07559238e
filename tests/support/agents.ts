/** Events of agent threads as tests make and read them. */
import type { AgentEventInit } from "../../client/agent_events.ts";
import type { MessageTypes } from "../../proto/mod.ts";

export type WireEvent = MessageTypes["AgentEvent"];

/** A UUID that is the same for the same words. */
export function uuid(...words: readonly (string | number)[]): string {
  let hash = 0xcbf29ce484222325n;
  const bytes: string[] = [];
  for (let round = 0; round < 2; round++) {
    for (const char of `${round} ${words.join(" ")}`) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(char.codePointAt(0)!)) * 0x100000001b3n);
    }
    bytes.push(hash.toString(16).padStart(16, "0"));
  }
  const hex = bytes.join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`;
}

/** The first event of a thread. */
export function created(threadId: string, title = "A thread"): AgentEventInit {
  return { threadId, threadCreated: { title, cwd: "/work", agent: "tester" } };
}

/** A piece of a message's text. */
export function chunk(threadId: string, text: string, messageId = "m1"): AgentEventInit {
  return { threadId, messageChunk: { messageId, text } };
}

/** An event that is not a chunk. */
export function plan(threadId: string, content: string): AgentEventInit {
  return { threadId, planUpdated: { entries: [{ content }] } };
}

/** What events say one behind the other: text of chunks joined, everything else by its kind. */
export function textOf(events: Iterable<WireEvent>): string {
  let text = "";
  for (const event of events) text += event.messageChunk?.text ?? "";
  return text;
}

/** The seqs that events cover, in their order; fails on a hole, a double or a step back. */
export function coverage(events: Iterable<WireEvent>, from = 1n): bigint {
  let next = from;
  for (const { seq, firstSeq = seq } of events) {
    if (firstSeq !== next) throw new Error(`Expected seq ${next}, got ${firstSeq}..${seq}`);
    next = seq + 1n;
  }
  return next - 1n;
}
