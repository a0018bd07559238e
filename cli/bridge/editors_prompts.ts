/** Prompts of the editor, which knows nothing of a device's turn: they wait until that is over. [agents 4b] */
import { type Json, lineOf, REQUEST_CANCELLED } from "./acp.ts";
import type { OpenSessions } from "./open_sessions.ts";
import type { Session } from "./session.ts";
import { textOfPrompt } from "./thread_reporter.ts";

/** Who hears of prompts. */
export interface EditorsPromptsOptions {
  readonly sessions: OpenSessions;
  readonly toAgent: (line: Uint8Array) => void;
  /** The editor is answered here, not by the agent. */
  readonly answerEditor: (key: string, answer: Json) => void;
}

export class EditorsPrompts {
  readonly #options: EditorsPromptsOptions;

  constructor(options: EditorsPromptsOptions) {
    this.#options = options;
  }

  /** @returns whether the agent gets it now */
  take(session: Session, key: string, params: Json, line: Uint8Array): boolean {
    const begin = () => {
      session.editorsTurns.add(key);
      session.reporter.prompted(textOfPrompt(params));
    };
    if (!session.isOwnTurn) {
      begin();
      return true;
    }
    session.enqueue({
      editorsKey: key,
      start: () => {
        begin();
        this.#options.toAgent(line);
      },
      drop: () => {},
    });
    return false;
  }

  /** The editor cancels the turn: what waits is cancelled too. */
  cancel(session: Session): void {
    for (const { editorsKey } of session.takeBack()) {
      this.#options.answerEditor(editorsKey as string, { result: { stopReason: "cancelled" } });
    }
  }

  /** The editor gives up a request. @returns whether the agent gets to know: it has that request */
  givesUp(key: string): boolean {
    const error = { code: REQUEST_CANCELLED, message: "Request cancelled" };
    for (const session of this.#options.sessions) {
      if (session.takeBack(key).length === 0) continue;
      this.#options.answerEditor(key, { error });
      return false;
    }
    return true;
  }
}

/** The editor's answer to its own request. */
export function answerLine(key: string, answer: Json): Uint8Array {
  return lineOf({ id: JSON.parse(key), ...answer });
}
