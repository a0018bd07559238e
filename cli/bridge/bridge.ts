/**
 * Stands between an editor and its agent: passes on each line as it is, tells threads what it sees, and
 * puts in what the user's other devices want done. [agents 1a] [agents 4]
 */
import type { Heard, Json } from "./acp.ts";
import { hear, json, lineOf, Method, text } from "./acp.ts";
import { answerLine, EditorsPrompts } from "./editors_prompts.ts";
import { OpenSessions, type OpenSessionsOptions } from "./open_sessions.ts";
import { Questions } from "./questions.ts";
import type { Session } from "./session.ts";
import { modeOf } from "./thread_reporter.ts";

/** What a {@link Bridge} is put between. */
export interface BridgeOptions extends OpenSessionsOptions {
  readonly toAgent: (line: Uint8Array) => void;
  readonly toEditor: (line: Uint8Array) => void;
  readonly log: (text: string) => void;
}

/** What the bridge asked the agent itself. */
type Answered = (heard: Heard) => void;

export class Bridge {
  readonly options: BridgeOptions;
  readonly sessions: OpenSessions;
  readonly questions: Questions;
  /** Why nothing more happens here, once it does not. */
  ended: string | undefined;
  readonly #prompts: EditorsPrompts;
  /** Requests of the editor that the agent has not answered, by id. */
  readonly #asked = new Map<string, { readonly method: string; readonly params: Json }>();
  readonly #own = new Map<string, Answered>();
  readonly #prefix = `parley-${crypto.randomUUID()}-`;
  #count = 0;

  constructor(options: BridgeOptions) {
    this.options = options;
    this.sessions = new OpenSessions(options);
    this.questions = new Questions(options);
    this.#prompts = new EditorsPrompts({
      sessions: this.sessions,
      toAgent: options.toAgent,
      answerEditor: (key, answer) => {
        this.#asked.delete(key);
        options.toEditor(answerLine(key, answer));
      },
    });
  }

  /** A line that the editor wrote. */
  fromEditor(line: Uint8Array): void {
    if (!this.#reading(() => this.#heardEditor(line))) return;
    this.options.toAgent(line);
  }

  /** A line that the agent wrote. */
  fromAgent(line: Uint8Array): void {
    let after: (() => void) | void = undefined;
    const passes = this.#reading(() => {
      const heard = hear(line);
      if (heard === undefined) return true;
      if (heard.method !== undefined) return this.#agentSays(heard.method, heard);
      if (heard.key === undefined) return true;
      const own = this.#own.get(heard.key);
      if (own !== undefined) {
        this.#own.delete(heard.key);
        own(heard);
        return false;
      }
      const asked = this.#asked.get(heard.key);
      this.#asked.delete(heard.key);
      if (asked !== undefined) after = () => this.#agentAnswered(asked.method, asked.params, heard);
      return true;
    });
    if (passes) this.options.toEditor(line);
    // What follows from an answer comes behind it.
    this.#reading(() => after?.());
  }

  /** Asks the agent something of the bridge's own. */
  ask(method: string, params: Json, answered: Answered): void {
    const id = `${this.#prefix}${++this.#count}`;
    this.#own.set(JSON.stringify(id), answered);
    this.options.toAgent(lineOf({ id, method, params }));
  }

  /** Agent or editor have ended. */
  end(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.sessions.end(reason);
    for (const own of this.#own.values()) {
      own({ ...NOTHING, error: { message: reason } });
    }
    this.#own.clear();
  }

  /** Whatever goes wrong with the copy, the line goes its way. */
  #reading(read: () => boolean | void): boolean {
    try {
      return read() ?? true;
    } catch (error) {
      this.options.log(
        `A message could not be told: ${error instanceof Error ? error.stack : error}`,
      );
      return true;
    }
  }

  /** @returns whether the agent gets it, now */
  #heardEditor(line: Uint8Array): boolean {
    const heard = hear(line);
    if (heard === undefined) return true;
    const { method, key, params } = heard;
    if (method === undefined) return this.questions.editorAnswers(heard);
    if (method === Method.CancelRequest) {
      return this.#prompts.givesUp(JSON.stringify(params.requestId));
    }
    const session = this.sessions.get(text(params.sessionId));
    if (method === Method.Cancel) {
      if (session !== undefined) this.#prompts.cancel(session);
      return true;
    }
    if (key === undefined) return true;
    this.#asked.set(key, { method, params });
    if (method === Method.Prompt && session !== undefined) {
      return this.#prompts.take(session, key, params, line);
    }
    if (method === Method.LoadSession || method === Method.ResumeSession) this.#loads(params);
    return true;
  }

  /** Its history comes before the answer. */
  #loads({ sessionId, cwd }: Json): void {
    const id = text(sessionId);
    if (this.sessions.knows(id)) {
      const session = this.sessions.get(id);
      if (session === undefined) return;
      session.replay = "known";
      session.isEditors = true;
      return;
    }
    const session = this.sessions.open(id, { cwd: text(cwd), result: {}, isEditors: true });
    session.replay = "new";
  }

  #agentSays(method: string, heard: Heard): boolean {
    const { params, key } = heard;
    if (method === Method.CancelRequest) return this.questions.agentTakesBack(params);
    const session = this.sessions.get(text(params.sessionId));
    if (session === undefined) return true;
    if (method === Method.Update) {
      if (session.replay !== "known") {
        session.reporter.update(json(params.update), session.replay === "new");
      }
      return session.isEditors;
    }
    if (method === Method.RequestPermission && key !== undefined) {
      this.questions.asked(session, heard);
      return session.isEditors;
    }
    return true;
  }

  #agentAnswered(method: string, params: Json, heard: Heard): void {
    const { result, error, key = "" } = heard;
    const session = this.sessions.get(text(params.sessionId));
    switch (method) {
      case Method.Initialize: {
        const { name, version } = json(result?.agentInfo);
        if (result !== undefined) {
          this.sessions.agent = { name: text(name), version: text(version) };
        }
        return;
      }
      case Method.Prompt:
        if (session === undefined) return;
        session.editorsTurns.delete(key);
        tellEnd(session, heard);
        return session.next();
      case Method.LoadSession:
      case Method.ResumeSession: {
        if (error !== undefined) return this.#notLoaded(session);
        const isNew = session?.replay === "new";
        if (session !== undefined) {
          session.reporter.endReplay();
          session.replay = undefined;
        }
        const id = text(params.sessionId);
        if (isNew && session !== undefined) return session.reporter.mode(modeOf(result ?? {}));
        this.sessions.open(id, { cwd: text(params.cwd), result: result ?? {}, isEditors: true });
        return;
      }
      case Method.SetMode:
        if (error === undefined) session?.reporter.mode(text(params.modeId));
        return;
      case Method.CloseSession:
      case Method.DeleteSession:
        if (error !== undefined || session === undefined) return;
        return this.sessions.close(session, "the session has been closed in the editor");
      default: {
        // session/new, and whatever else opens one.
        const id = text(result?.sessionId);
        if (!method.startsWith("session/") || id === "" || this.sessions.get(id)) return;
        this.sessions.open(id, { cwd: text(params.cwd), result: result ?? {}, isEditors: true });
      }
    }
  }

  #notLoaded(session: Session | undefined): void {
    if (session === undefined) return;
    const wasNew = session.replay === "new";
    session.replay = undefined;
    if (!wasNew) return;
    session.reporter.failed("the agent could not load the session");
    this.sessions.close(session, "the agent could not load the session");
  }
}

const NOTHING: Heard = {
  method: undefined,
  key: undefined,
  id: undefined,
  params: {},
  result: undefined,
  error: undefined,
};

/** What the agent said at the end of a turn. */
export function tellEnd({ reporter }: Session, { result, error }: Heard): void {
  if (error === undefined) reporter.stopped(text(result?.stopReason));
  else reporter.failed(text(error.message));
}
