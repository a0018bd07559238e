/**
 * Stands between an editor and its agent: passes on each line as it is, tells threads what it sees, and
 * puts in what the user's other devices want done. [agents 1a] [agents 4]
 */
import type { AgentEventInit } from "../../client/mod.ts";
import type { Heard, Json } from "./acp.ts";
import { hear, json, lineOf, list, Method, REQUEST_CANCELLED, text } from "./acp.ts";
import { type Question, Session } from "./session.ts";
import { modeOf, textOfPrompt, ThreadReporter } from "./thread_reporter.ts";

/** What a {@link Bridge} is put between. */
export interface BridgeOptions {
  readonly toAgent: (line: Uint8Array) => void;
  readonly toEditor: (line: Uint8Array) => void;
  readonly publish: (event: AgentEventInit) => void;
  readonly sessions: SessionBook;
  /** A session of this thread is open here. */
  readonly run: (threadId: string) => void;
  readonly log: (text: string) => void;
}

/** Which session is which thread, for as long as both are remembered. */
export interface SessionBook {
  threadOf(sessionId: string): string | undefined;
  note(sessionId: string, threadId: string): void;
}

/** What the bridge asked the agent itself. */
type Answered = (heard: Heard) => void;

export class Bridge {
  readonly options: BridgeOptions;
  readonly sessions = new Map<string, Session>();
  /** Unanswered, by the agent's id. */
  readonly questions = new Map<string, Question>();
  agent: { readonly name: string; readonly version: string } | undefined;
  /** Folder of the session that was opened last. */
  cwd = "";
  ended: string | undefined;
  /** Requests of the editor that the agent has not answered, by id. */
  readonly #asked = new Map<string, { readonly method: string; readonly params: Json }>();
  readonly #own = new Map<string, Answered>();
  /** Questions that a device has answered and the editor has not. */
  readonly #withdrawn = new Set<string>();
  readonly #prefix = `parley-${crypto.randomUUID()}-`;
  #count = 0;
  readonly #opened = new Set<() => void>();

  constructor(options: BridgeOptions) {
    this.options = options;
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

  /** A session is open from now on; its thread goes on, or begins. */
  open(sessionId: string, how: {
    readonly cwd: string;
    readonly result: Json;
    readonly isEditors: boolean;
    /** The thread that a device has begun for it, and whether that has a title. */
    readonly thread?: { readonly threadId: string; readonly hasTitle: boolean };
  }): Session {
    const { cwd, result, isEditors, thread } = how;
    const { sessions, publish, run } = this.options;
    const before = this.sessions.get(sessionId);
    const known = thread?.threadId ?? before?.reporter.threadId ?? sessions.threadOf(sessionId);
    const threadId = known ?? crypto.randomUUID();
    const session = before ??
      new Session(sessionId, new ThreadReporter(threadId, publish), isEditors);
    session.isEditors ||= isEditors;
    this.sessions.set(sessionId, session);
    if (known === undefined || thread !== undefined) sessions.note(sessionId, threadId);
    run(threadId);
    const { name: agent = "", version: agentVersion = "" } = this.agent ?? {};
    const facts = { sessionId, cwd, mode: modeOf(result), agent, agentVersion };
    if (known === undefined) session.reporter.created(facts);
    else session.reporter.continued(facts, thread?.hasTitle ?? true);
    this.cwd = cwd;
    for (const opened of this.#opened) opened();
    return session;
  }

  /** The open session of a thread. */
  sessionOf(threadId: string): Session | undefined {
    return [...this.sessions.values()].find(({ reporter }) => reporter.threadId === threadId);
  }

  /** As {@link sessionOf}, once the editor has opened it. @throws {Error} the bridge ended before */
  whenOpen(threadId: string): Promise<Session> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const session = this.sessionOf(threadId);
        if (session === undefined && this.ended === undefined) return false;
        this.#opened.delete(look);
        if (session === undefined) reject(new Error(this.ended));
        else resolve(session);
        return true;
      };
      this.#opened.add(look);
      look();
    });
  }

  /** Answers a question in the editor's place. */
  answer(question: Question, optionId: string | undefined): void {
    const { id, session } = question;
    const key = JSON.stringify(id);
    const outcome = optionId === undefined
      ? { outcome: "cancelled" }
      : { outcome: "selected", optionId };
    this.questions.delete(key);
    this.options.toAgent(lineOf({ id, result: { outcome } }));
    if (!session.isEditors) return;
    this.#withdrawn.add(key);
    this.options.toEditor(lineOf({ method: Method.CancelRequest, params: { requestId: id } }));
  }

  /** The questions of a session. */
  questionsOf(session: Session): Question[] {
    return [...this.questions.values()].filter((question) => question.session === session);
  }

  /** Agent or editor have ended. */
  end(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    for (const session of this.sessions.values()) {
      if (session.isRunning) session.reporter.failed(reason);
      session.end(reason);
    }
    this.sessions.clear();
    for (const opened of this.#opened) opened();
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
    if (method === undefined) return this.#editorAnswers(heard);
    if (method === Method.CancelRequest) {
      return !this.#takeBack(JSON.stringify(params.requestId), {
        error: { code: REQUEST_CANCELLED, message: "Request cancelled" },
      });
    }
    const session = this.sessions.get(text(params.sessionId));
    if (method === Method.Cancel) {
      if (session !== undefined) this.#cancelHeld(session);
      return true;
    }
    if (key === undefined) return true;
    this.#asked.set(key, { method, params });
    if (method === Method.Prompt && session !== undefined) {
      return this.#editorPrompts(session, key, params, line);
    }
    if (method === Method.LoadSession || method === Method.ResumeSession) this.#loads(params);
    return true;
  }

  /** The editor knows nothing of a device's turn: its prompt waits until that is over. */
  #editorPrompts(session: Session, key: string, params: Json, line: Uint8Array): boolean {
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
        this.options.toAgent(line);
      },
      drop: () => {},
    });
    return false;
  }

  #cancelHeld(session: Session): void {
    for (const { editorsKey } of session.takeBack()) {
      this.#answerEditor(editorsKey as string, { result: { stopReason: "cancelled" } });
    }
  }

  #takeBack(key: string, answer: Json): boolean {
    for (const session of this.sessions.values()) {
      if (session.takeBack(key).length === 0) continue;
      this.#answerEditor(key, answer);
      return true;
    }
    return false;
  }

  #answerEditor(key: string, answer: Json): void {
    this.#asked.delete(key);
    this.options.toEditor(lineOf({ id: JSON.parse(key), ...answer }));
  }

  #editorAnswers({ key = "", result }: Heard): boolean {
    // Somebody else was first; what the editor says now is no answer any more.
    if (this.#withdrawn.delete(key)) return false;
    const question = this.questions.get(key);
    if (question === undefined) return true;
    this.questions.delete(key);
    const { outcome, optionId } = json(result?.outcome);
    const option = question.options.find((one) => one.optionId === optionId);
    question.session.reporter.permissionResolved(question.toolUseId, {
      allowed: outcome === "selected" && text(option?.kind).startsWith("allow"),
      optionId: text(optionId),
    });
    return true;
  }

  /** Its history comes before the answer. */
  #loads({ sessionId, cwd }: Json): void {
    const id = text(sessionId);
    const isKnown = this.sessions.has(id) || this.options.sessions.threadOf(id) !== undefined;
    if (isKnown) {
      const session = this.sessions.get(id);
      if (session === undefined) return;
      session.replay = "known";
      session.isEditors = true;
      return;
    }
    const session = this.open(id, { cwd: text(cwd), result: {}, isEditors: true });
    session.replay = "new";
  }

  #agentSays(method: string, heard: Heard): boolean {
    const { params, id, key } = heard;
    if (method === Method.CancelRequest) return this.#agentTakesBack(params);
    const session = this.sessions.get(text(params.sessionId));
    if (session === undefined) return true;
    if (method === Method.Update) {
      if (session.replay !== "known") {
        session.reporter.update(json(params.update), session.replay === "new");
      }
      return session.isEditors;
    }
    if (method === Method.RequestPermission && key !== undefined) {
      const toolCall = json(params.toolCall);
      const options = list(params.options);
      const toolUseId = text(toolCall.toolCallId);
      this.questions.set(key, { id: id as string | number, session, toolUseId, options });
      session.reporter.permissionRequested(toolCall, options);
      return session.isEditors;
    }
    return true;
  }

  /** A question that only devices know of is answered here; the editor does that itself. */
  #agentTakesBack({ requestId }: Json): boolean {
    const question = this.questions.get(JSON.stringify(requestId));
    if (question === undefined || question.session.isEditors) return true;
    const { session: { reporter }, toolUseId } = question;
    reporter.permissionResolved(toolUseId, { allowed: false, optionId: "" });
    this.answer(question, undefined);
    return false;
  }

  #agentAnswered(method: string, params: Json, heard: Heard): void {
    const { result, error, key = "" } = heard;
    const session = this.sessions.get(text(params.sessionId));
    switch (method) {
      case Method.Initialize: {
        const { name, version } = json(result?.agentInfo);
        if (result !== undefined) this.agent = { name: text(name), version: text(version) };
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
        this.open(id, { cwd: text(params.cwd), result: result ?? {}, isEditors: true });
        return;
      }
      case Method.SetMode:
        if (error === undefined) session?.reporter.mode(text(params.modeId));
        return;
      case Method.CloseSession:
      case Method.DeleteSession:
        if (error !== undefined || session === undefined) return;
        this.sessions.delete(session.id);
        return session.end("the session has been closed in the editor");
      default: {
        // session/new, and whatever else opens one.
        const id = text(result?.sessionId);
        if (!method.startsWith("session/") || id === "" || this.sessions.has(id)) return;
        this.open(id, { cwd: text(params.cwd), result: result ?? {}, isEditors: true });
      }
    }
  }

  #notLoaded(session: Session | undefined): void {
    if (session === undefined) return;
    const wasNew = session.replay === "new";
    session.replay = undefined;
    if (!wasNew) return;
    this.sessions.delete(session.id);
    session.reporter.failed("the agent could not load the session");
    session.end("the agent could not load the session");
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
