/** One session of the agent: whose turn it is, and what it asks. [agents 4b] [agents 4c] */
import { RpcError } from "../../rpc/errors.ts";
import { type Json, list, text } from "./acp.ts";
import type { ThreadReporter } from "./thread_reporter.ts";

/** A prompt that waits for the end of the turn before it. */
export interface WaitingPrompt {
  /** Of the editor's prompt: its id as JSON. */
  readonly editorsKey?: string;
  start(): void;
  /** It will never start. */
  drop(reason: string): void;
}

/** A permission request that nobody has answered. */
export interface Question {
  readonly id: string | number;
  readonly session: Session;
  readonly toolUseId: string;
  readonly options: readonly Json[];
}

export class Session {
  readonly id: string;
  readonly reporter: ThreadReporter;
  /** False for one that a device has opened: the editor does not know it. */
  isEditors: boolean;
  /** While its history is sent once more. */
  replay: "known" | "new" | undefined;
  /** The turn of a device's prompt, which the editor does not know of. */
  isOwnTurn = false;
  /** Ids of the editor's prompts that run. */
  readonly editorsTurns = new Set<string>();
  readonly #waiting: WaitingPrompt[] = [];

  constructor(id: string, reporter: ThreadReporter, isEditors: boolean) {
    this.id = id;
    this.reporter = reporter;
    this.isEditors = isEditors;
  }

  get isRunning(): boolean {
    return this.isOwnTurn || this.editorsTurns.size > 0;
  }

  /** Starts it when nothing runs. @returns false if it has to wait */
  enqueue(prompt: WaitingPrompt): boolean {
    this.#waiting.push(prompt);
    this.next();
    return !this.#waiting.includes(prompt);
  }

  /** Starts what waits, once the turn is over. */
  next(): void {
    if (this.isRunning) return;
    this.#waiting.shift()?.start();
  }

  /** Takes back the editor's prompts that wait: all, or the one with this key. */
  takeBack(key?: string): WaitingPrompt[] {
    const taken = this.#waiting.filter(({ editorsKey }) =>
      editorsKey !== undefined && (key === undefined || key === editorsKey)
    );
    for (const prompt of taken) this.#waiting.splice(this.#waiting.indexOf(prompt), 1);
    return taken;
  }

  /** Nothing more happens in it. */
  end(reason: string): void {
    for (const prompt of this.#waiting.splice(0)) prompt.drop(reason);
  }
}

/**
 * The option to answer with.
 *
 * @param wanted its id; empty for the plainest one
 * @returns undefined when the agent offers none that refuses
 * @throws {RpcError} there is no such option
 */
export function optionFor(
  { options, toolUseId }: Question,
  allowed: boolean,
  wanted: string,
): string | undefined {
  const kinds = allowed ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"];
  const fitting = list(options).filter(({ kind }) => kinds.includes(text(kind)))
    .sort((a, b) => kinds.indexOf(text(a.kind)) - kinds.indexOf(text(b.kind)));
  const found = fitting.find(({ optionId }) => wanted === "" || optionId === wanted);
  if (found !== undefined) return text(found.optionId);
  if (wanted === "" && !allowed) return undefined;
  const offered = fitting.map(({ optionId }) => text(optionId)).join(", ") || "none";
  throw RpcError.internal(
    `the tool ${toolUseId} has no option "${wanted}": to ${
      allowed ? "allow" : "deny"
    } it there are the options ${offered}`,
  );
}
