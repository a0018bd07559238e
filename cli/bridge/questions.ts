/** Permission requests of the agent: the first answer counts, whoever gives it. [agents 4c] */
import { type Heard, type Json, json, lineOf, list, Method, text } from "./acp.ts";
import type { Question, Session } from "./session.ts";

/** Where answers and withdrawals go. */
export interface QuestionsOptions {
  readonly toAgent: (line: Uint8Array) => void;
  readonly toEditor: (line: Uint8Array) => void;
}

export class Questions {
  readonly #options: QuestionsOptions;
  /** Unanswered, by the agent's id. */
  readonly #open = new Map<string, Question>();
  /** Those that a device has answered and the editor has not. */
  readonly #withdrawn = new Set<string>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Those of a session that nobody has answered. */
  of(session: Session): Question[] {
    return [...this.#open.values()].filter((question) => question.session === session);
  }

  /** The agent asks. */
  asked(session: Session, { id, key = "", params }: Heard): void {
    const toolCall = json(params.toolCall);
    const options = list(params.options);
    const toolUseId = text(toolCall.toolCallId);
    this.#open.set(key, { id: id as string | number, session, toolUseId, options });
    session.reporter.permissionRequested(toolCall, options);
  }

  /** The editor answers something. @returns whether the agent gets it */
  editorAnswers({ key = "", result }: Heard): boolean {
    // Somebody else was first; what the editor says now is no answer any more.
    if (this.#withdrawn.delete(key)) return false;
    const question = this.#open.get(key);
    if (question === undefined) return true;
    this.#open.delete(key);
    const { outcome, optionId } = json(result?.outcome);
    const option = question.options.find((one) => one.optionId === optionId);
    question.session.reporter.permissionResolved(question.toolUseId, {
      allowed: outcome === "selected" && text(option?.kind).startsWith("allow"),
      optionId: text(optionId),
    });
    return true;
  }

  /** Answers in the editor's place; without an option that it was cancelled. */
  answer({ id, session }: Question, optionId: string | undefined): void {
    const key = JSON.stringify(id);
    const outcome = optionId === undefined
      ? { outcome: "cancelled" }
      : { outcome: "selected", optionId };
    this.#open.delete(key);
    this.#options.toAgent(lineOf({ id, result: { outcome } }));
    if (!session.isEditors) return;
    this.#withdrawn.add(key);
    this.#options.toEditor(lineOf({ method: Method.CancelRequest, params: { requestId: id } }));
  }

  /**
   * The agent takes a question back. One that only devices know of is answered here; the editor does
   * that itself.
   *
   * @returns whether the editor gets it
   */
  agentTakesBack({ requestId }: Json): boolean {
    const question = this.#open.get(JSON.stringify(requestId));
    if (question === undefined || question.session.isEditors) return true;
    const { session: { reporter }, toolUseId } = question;
    reporter.permissionResolved(toolUseId, { allowed: false, optionId: "" });
    this.answer(question, undefined);
    return false;
  }
}
