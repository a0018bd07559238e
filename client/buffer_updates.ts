/** Sends what is edited here, one `UpdateBuffer` of a project at a time. [projects 9.3] */
import type { Init, Operation } from "../proto/mod.ts";
import { Condition } from "./condition.ts";

/** Changes that one round may take. [projects 9.3] */
const BATCH = 128;

/** Sends operations of one buffer; resolves with the answer. */
export type SendUpdate = (
  bufferId: bigint,
  operations: readonly Init<Operation>[],
) => Promise<void>;

interface Change {
  readonly bufferId: bigint;
  readonly operation: Init<Operation>;
}

/** The queue of a project's own operations. What waits goes out together. */
export class BufferUpdates {
  readonly #send: SendUpdate;
  readonly #onFailure: "stop" | "go on";
  readonly #state = new Condition();
  #queue: Change[] = [];
  #isSending = false;
  #error: unknown;
  /** Grows with each {@link restart}, so that an answer of before changes nothing. */
  #generation = 0;

  /**
   * @param onFailure a guest stops, and drops what comes, until it has resynchronised; a host, whose
   *   buffers are the originals, goes on. [projects 9.3]
   */
  constructor(send: SendUpdate, onFailure: "stop" | "go on") {
    this.#send = send;
    this.#onFailure = onFailure;
  }

  /** What stopped it; undefined while it works. */
  get error(): unknown {
    return this.#error;
  }

  /** Sends an operation once those before it are acknowledged. */
  push(bufferId: bigint, ...operations: readonly Init<Operation>[]): void {
    if (this.#error !== undefined) return;
    for (const operation of operations) this.#queue.push({ bufferId, operation });
    this.#pump();
  }

  /** Forgets what waits and what failed: whoever calls it sends the missing operations himself. */
  restart(): void {
    this.#generation++;
    this.#queue = [];
    this.#error = undefined;
    this.#isSending = false;
  }

  /** Drops what comes until {@link restart}. */
  stop(error: unknown): void {
    this.#error ??= error;
    this.#queue = [];
    this.#state.changed();
  }

  /** Resolves once nothing waits: all is acknowledged, or it stopped. */
  idle(): Promise<void> {
    return this.#state.until(() => this.#queue.length === 0 && !this.#isSending);
  }

  async #pump(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const generation = this.#generation;
    // Whatever is edited in the same turn shares a message.
    await Promise.resolve();
    while (this.#queue.length > 0 && generation === this.#generation) {
      for (const [bufferId, operations] of byBuffer(this.#queue.splice(0, BATCH))) {
        try {
          await this.#send(bufferId, operations);
        } catch (error) {
          if (generation !== this.#generation) return;
          if (this.#onFailure === "stop") this.stop(error);
        }
        if (generation !== this.#generation) return;
        if (this.#error !== undefined) break;
      }
    }
    if (generation !== this.#generation) return;
    this.#isSending = false;
    this.#state.changed();
  }
}

function byBuffer(changes: readonly Change[]): Map<bigint, Init<Operation>[]> {
  const operations = new Map<bigint, Init<Operation>[]>();
  for (const { bufferId, operation } of changes) {
    const known = operations.get(bufferId);
    if (known === undefined) operations.set(bufferId, [operation]);
    else known.push(operation);
  }
  return operations;
}
