/** The sessions that are open here, and which threads they are. [agents 4d] */
import type { AgentEventInit } from "../../client/mod.ts";
import type { Json } from "./acp.ts";
import { Session } from "./session.ts";
import { modeOf, ThreadReporter } from "./thread_reporter.ts";

/** Which session is which thread, for as long as both are remembered. */
export interface SessionBook {
  threadOf(sessionId: string): string | undefined;
  note(sessionId: string, threadId: string): void;
}

/** What {@link OpenSessions} are made with. */
export interface OpenSessionsOptions {
  readonly publish: (event: AgentEventInit) => void;
  readonly sessions: SessionBook;
  /** A session of this thread is open here. */
  readonly run: (threadId: string) => void;
}

/** How a session is opened. */
export interface Opening {
  readonly cwd: string;
  readonly result: Json;
  readonly isEditors: boolean;
  /** The thread that a device has begun for it, and whether that has a title. */
  readonly thread?: { readonly threadId: string; readonly hasTitle: boolean };
}

export class OpenSessions {
  /** What the agent calls itself, once it has. */
  agent: { readonly name: string; readonly version: string } | undefined;
  /** Folder of the session that was opened last. */
  cwd = "";
  readonly #options: OpenSessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #opened = new Set<() => void>();
  #ended: string | undefined;

  constructor(options: OpenSessionsOptions) {
    this.#options = options;
  }

  get(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** Whether its thread is known, be it open or not. */
  knows(sessionId: string): boolean {
    return this.#sessions.has(sessionId) ||
      this.#options.sessions.threadOf(sessionId) !== undefined;
  }

  /** A session is open from now on; its thread goes on, or begins. */
  open(sessionId: string, { cwd, result, isEditors, thread }: Opening): Session {
    const { sessions, publish, run } = this.#options;
    const before = this.#sessions.get(sessionId);
    const known = thread?.threadId ?? before?.reporter.threadId ?? sessions.threadOf(sessionId);
    const threadId = known ?? crypto.randomUUID();
    const session = before ??
      new Session(sessionId, new ThreadReporter(threadId, publish), isEditors);
    session.isEditors ||= isEditors;
    this.#sessions.set(sessionId, session);
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

  /** Nothing more happens in it. */
  close(session: Session, reason: string): void {
    this.#sessions.delete(session.id);
    session.end(reason);
  }

  /** The open session of a thread. */
  of(threadId: string): Session | undefined {
    return [...this].find(({ reporter }) => reporter.threadId === threadId);
  }

  /** As {@link of}, once the editor has opened it. @throws {Error} the bridge ended before */
  whenOpen(threadId: string): Promise<Session> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const session = this.of(threadId);
        if (session === undefined && this.#ended === undefined) return;
        this.#opened.delete(look);
        if (session === undefined) reject(new Error(this.#ended));
        else resolve(session);
      };
      this.#opened.add(look);
      look();
    });
  }

  /** None will be opened any more. */
  end(reason: string): void {
    this.#ended = reason;
    for (const session of [...this]) {
      if (session.isRunning) session.reporter.failed(reason);
      this.close(session, reason);
    }
    for (const opened of this.#opened) opened();
  }
}
