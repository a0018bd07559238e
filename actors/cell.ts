/**
 * The part that all entity actors share: a mailbox, turns that run to completion, and what happens
 * when a turn throws. Lifecycle belongs to the kind's chart, which moves {@link Cell.phase}.
 * [style A4] [style A5] [design 1.6]
 */
import { RpcError } from "../rpc/errors.ts";
import type { ActorKind } from "../lib/metrics.ts";
import type { ActorSystem } from "./system.ts";
import { Turn } from "./turn.ts";

/** Written by the chart's entry actions only. */
export type Phase = "loading" | "live" | "failed" | "closed";

export interface Task {
  /** Applies the message: synchronously, without waiting. Throws {@link RpcError} to refuse it. */
  run(turn: Turn): void;
  /** Says that the message was refused. Not called when nobody waits for an answer. */
  refused?(error: RpcError): void;
  /** It tells of another actor's change, and what is remembered of it is wrong without the change. */
  readonly remembers?: boolean;
}

/** Messages that may wait while an actor loads. */
const MAILBOX_LIMIT = 10_000;

export abstract class Cell {
  readonly system: ActorSystem;
  abstract readonly kind: ActorKind;
  abstract readonly address: string;
  /** Counts replacements after crashes. */
  generation = 1;
  phase: Phase = "loading";
  /** Number of the journal's group with this actor's latest change. */
  #lastChange = 0;
  /** What it says of others' changes shows its own, too, and falls with them. */
  protected readonly showsOwn: boolean = true;
  /** Something that it said of others' changes fell so: it has to be said anew. */
  protected missed = false;
  #busy = false;
  #mailbox: { task: Task; gate: number }[] = [];

  constructor(system: ActorSystem) {
    this.system = system;
  }

  /** True when a message can be handled now, on the caller's stack. */
  get ready(): boolean {
    return this.phase === "live" && !this.#busy;
  }

  /** The chart's crash event: replace this generation, or give up. */
  protected abstract crashed(error: unknown): void;

  /**
   * The database refused what this actor wrote, or had heard of: memory and database differ, so start
   * over. One that is out of order goes on waiting: it is read anew in any case.
   */
  refusedByStore(): void {
    if (this.phase === "failed") return;
    this.phase = "loading";
    this.crashed(undefined);
  }

  /**
   * The group that must be stored before something is said: of the change that it was told of, and of
   * its own latest, which has its part in what is said and to whom.
   */
  #gateOf(heard: number, remembers: boolean): number {
    const own = this.#lastChange;
    if (!this.showsOwn) return Math.max(heard, own);
    const { journal } = this.system;
    const gate = journal.both(heard, own);
    if (gate !== heard && (remembers || gate !== own)) {
      journal.afterCommit(gate, (stored) => {
        if (!stored) this.missed = true;
      });
    }
    return gate;
  }

  /** Runs a task in a turn of its own, now or after what is before it. */
  enqueue(task: Task, gate = 0): void {
    if (this.#busy || this.phase === "loading") {
      if (this.#mailbox.length >= MAILBOX_LIMIT) {
        task.refused?.(RpcError.internal(`${this.address} has too much to do, try again later`));
      } else this.#mailbox.push({ task, gate });
    } else if (this.phase === "live") {
      this.#turn(task, gate);
      this.#drain();
    } else this.#refuse(task);
  }

  /** Called by the chart when a phase has been entered. */
  entered(phase: Phase): void {
    this.phase = phase;
    // What is loaded is stored: nothing waits for an earlier change, least of all for a refused one.
    if (phase === "loading") this.#lastChange = 0;
    else if (phase === "failed" || phase === "closed") {
      const waiting = this.#mailbox;
      this.#mailbox = [];
      for (const { task } of waiting) this.#refuse(task);
    }
  }

  /** The chart has come to rest in its phase: what waits may run, outside of the chart's actions. */
  settled(): void {
    this.#drain();
  }

  #drain(): void {
    while (this.#mailbox.length > 0 && this.ready) {
      const { task, gate } = this.#mailbox.shift() as { task: Task; gate: number };
      this.#turn(task, gate);
    }
  }

  #turn(task: Task, gate: number): void {
    const { journal } = this.system;
    if (task.remembers === true && gate > journal.durable) journal.heard(gate, this.address);
    // It did not come to pass.
    else if (task.remembers === true && journal.refused(gate)) return;
    const turn = new Turn(this.system);
    this.#busy = true;
    try {
      task.run(turn);
    } catch (error) {
      this.#busy = false;
      if (error instanceof RpcError && turn.writes.length === 0) task.refused?.(error);
      else this.#crash(task, error);
      return;
    }
    if (turn.writes.length > 0) {
      this.#lastChange = journal.append(this.address, turn.writes);
      gate = this.#lastChange;
    } else {
      gate = this.#gateOf(gate, task.remembers === true);
      // What it will tell from now on builds on the other's change.
      if (task.remembers === true) this.#lastChange = gate;
    }
    try {
      turn.speak(gate);
      this.#busy = false;
    } catch (error) {
      this.#busy = false;
      this.#crash(task, error);
    }
  }

  #crash(task: Task, error: unknown): void {
    this.system.metrics.actorCrashes.inc(this.kind);
    this.system.log.error("{address} crashed and is replaced: {error}", {
      address: this.address,
      generation: this.generation,
      error: error instanceof Error ? error.stack ?? error.message : String(error),
    });
    // An actor that has ended in this very turn is not brought back.
    if (this.phase !== "live") return;
    this.phase = "loading";
    task.refused?.(RpcError.internal("internal error, the server has logged it"));
    this.crashed(error);
  }

  #refuse(task: Task): void {
    task.refused?.(RpcError.internal(
      this.phase === "failed"
        ? `${this.address} failed repeatedly and is out of order, try again in a minute`
        : `${this.address} has ended`,
    ));
  }
}
