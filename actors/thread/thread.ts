/** A thread of an agent: the actor that numbers its events and carries its commands. [agents 3] */
import { agentLimits } from "../../lib/agent_policy.ts";
import type { TimerId } from "../../lib/clock.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import { errorField } from "../../rpc/outbox.ts";
import type { ThreadEvent, ThreadMessage, ThreadRef } from "../refs/mod.ts";
import type { Phase } from "../cell.ts";
import { Entity } from "../entity.ts";
import { threadKey } from "../registry.ts";
import { answerError } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import type { ThreadContext } from "./context.ts";
import { factsOf, tellFacts } from "./facts.ts";
import { type PlainMessage, threadMessages } from "./handlers.ts";
import { publishEvents } from "./publishing.ts";
import { loadThread, threadRow } from "./rows.ts";
import { ThreadState } from "./state.ts";
import { Tail } from "./tail.ts";

type Publish = Extract<ThreadMessage, { type: "thread.publish" }>;

export class AgentThread extends Entity implements ThreadRef {
  readonly kind = "thread";
  readonly userId: number;
  readonly id: string;
  readonly address: string;
  #state = new ThreadState();
  readonly #tail = new Tail();
  /** Requests of hosts, in their order; the first is at work. */
  #publishing: Publish[] = [];
  #touchedAt: number;
  #isOver = false;
  #idleTimer: TimerId | undefined;

  constructor(system: ActorSystem, userId: number, id: string) {
    super(system);
    this.userId = userId;
    this.id = id;
    this.address = `/threads/${userId}/${id}`;
    this.#touchedAt = system.clock.now();
    system.registry.threads.set(threadKey(userId, id), this);
    this.begin({
      first: "loading",
      load: (signal) => this.#load(signal),
      failed: "out of order",
      dispose: () => this.#dispose(),
    });
  }

  get number(): number {
    return this.#state.number;
  }

  get storedSeq(): number {
    return this.#tail.storedSeq;
  }

  get firstSeq(): number {
    return this.#state.firstSeq;
  }

  stored(after: number, limit: number): readonly ThreadEvent[] | undefined {
    return this.#tail.stored(after, limit);
  }

  tell(message: ThreadMessage, gate: number): void {
    this.#touchedAt = this.system.clock.now();
    if (message.type !== "thread.publish") {
      this.enqueue({
        run: (turn) => this.#run(turn, (context) => threadMessages(context, message)),
        refused: (error) => unheard(message, error),
      }, gate);
      return;
    }
    this.#publishing.push(message);
    if (this.#publishing.length === 1) this.#publishNext();
  }

  /** One request after the other: what one has stored, the next has to know. [agents R2] */
  #publishNext(): void {
    const message = this.#publishing[0];
    if (message === undefined) return;
    const refused = (error: RpcError) => this.#published(message, error);
    this.enqueue({
      run: (turn) => {
        const { knowsAllIds, number } = this.#state;
        const unknown = number === 0 || knowsAllIds
          ? []
          : message.events.filter(({ eventId }) => this.#state.recentSeq(eventId) === undefined);
        if (unknown.length === 0) {
          this.#publish(turn, message, new Map());
          return;
        }
        this.system.store.agents.seqsOf(number, unknown.map(({ eventId }) => eventId)).then(
          (stored) =>
            this.enqueue({ run: (later) => this.#publish(later, message, stored), refused }),
          (error) => {
            this.system.log.error("Events cannot be looked up: {error}", { error });
            refused(RpcError.databaseAway());
          },
        );
      },
      refused,
    });
  }

  #publish(turn: Turn, message: Publish, stored: ReadonlyMap<string, number>): void {
    this.#run(turn, (context) => publishEvents(context, message, stored));
    // Behind this turn's speech, which holds the answer.
    turn.then(() => this.#published(message, undefined));
  }

  #published(message: Publish, error: RpcError | undefined): void {
    if (this.#publishing[0] !== message) return;
    this.#publishing.shift();
    if (error !== undefined) {
      const results = message.events.map(() => ({ error: error.message, retry: true }));
      message.answer(results, 0);
    }
    this.#publishNext();
  }

  #run(turn: Turn, handle: (context: ThreadContext) => void): void {
    const state = this.#state;
    const before = state.lastSeq;
    let isChanged = false;
    const context: ThreadContext = {
      system: this.system,
      turn,
      userId: this.userId,
      threadId: this.id,
      state,
      tail: this.#tail,
      changed: () => isChanged = true,
      end: () => this.#isOver = true,
    };
    const was = factsOf(context);
    handle(context);
    tellFacts(context, was);
    if (isChanged) turn.put("agent_threads", threadRow(this.userId, this.id, state));
    if (state.lastSeq > before) {
      const seq = state.lastSeq;
      turn.then((gate) =>
        this.system.journal.afterCommit(gate, (stored) => {
          if (stored) this.#advance(state, seq, seq - before);
        })
      );
    }
    if (this.#isOver) turn.then(() => this.#endSoon());
  }

  /** Stored: whoever subscribed may have it. [agents R3] */
  #advance(state: ThreadState, seq: number, count: number): void {
    this.system.metrics.agentEventsStored.inc(count);
    // What was read back anew is told by the reading.
    if (state !== this.#state) return;
    this.#tail.advance(seq);
    state.forgetIds(seq);
    this.system.registry.desks.get(this.userId)?.advanced(this);
  }

  /** Behind the turn, when nothing else has come that may begin the thread. */
  #endSoon(): void {
    queueMicrotask(() => {
      if (!this.#isOver) return;
      this.#isOver = false;
      if (this.#publishing.length > 0 || !this.ready || this.#state.number !== 0) return;
      this.finish();
    });
  }

  override entered(phase: Phase): void {
    super.entered(phase);
    if (this.#idleTimer !== undefined) this.system.clock.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (phase === "live") this.#watchIdleness();
  }

  #watchIdleness(): void {
    this.#idleTimer = this.system.clock.setTimeout(() => {
      if (this.#isIdle()) this.rest();
      else this.#watchIdleness();
    }, agentLimits.threadIdle);
  }

  /** Nobody has touched it for a while, and nothing waits in it. */
  #isIdle(): boolean {
    const { clock } = this.system;
    return this.#publishing.length === 0 && clock.now() - this.#touchedAt >= 60_000 &&
      this.#state.waitingCommands().every(({ waiters, sentTo }) =>
        waiters.length === 0 && sentTo === undefined
      );
  }

  async #load(signal: AbortSignal): Promise<boolean> {
    await this.system.journal.settled();
    const state = await loadThread(this.system.store, this.userId, this.id);
    if (signal.aborted) return false;
    if (this.generation > 1) this.#takeOver(this.#state, state);
    this.#state = state;
    this.#tail.reset(state.lastSeq);
    if (state.number !== 0) this.system.registry.desks.get(this.userId)?.advanced(this);
    return true;
  }

  /** What is not stored goes on: who waits for an answer, and what the host has been asked. */
  #takeOver(before: ThreadState, state: ThreadState): void {
    const { agentCommandsWaiting } = this.system.metrics;
    agentCommandsWaiting.inc(state.waitingCommands().length - before.waitingCommands().length);
    for (const [commandId, { sentTo, waiters }] of before.commands) {
      const command = state.commands.get(commandId);
      if (command !== undefined) Object.assign(command, { sentTo, waiters });
      else {
        const field = errorField(ErrorCode.Internal, "the command could not be stored, try again");
        for (const { connection, requestId } of waiters) {
          connection.outbox.push(field, requestId, 0);
        }
      }
    }
  }

  #dispose(): void {
    const key = threadKey(this.userId, this.id);
    if (this.system.registry.threads.get(key) === this) this.system.registry.threads.delete(key);
  }
}

/** Somebody waits for an answer to a message that this thread does not take. */
function unheard(message: PlainMessage, error: RpcError): void {
  if (message.type === "thread.create" || message.type === "thread.command") {
    answerError(message.request, error);
  }
}
