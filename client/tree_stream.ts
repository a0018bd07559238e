/** A host's chain of `UpdateWorktree` requests, each sent once the one before is acknowledged. */
import type { Entry, Init, UpdateWorktree } from "../proto/mod.ts";
import { Condition } from "./condition.ts";
import { chainText } from "./errors.ts";

/** Entries that one message may have, in each of its lists. [projects 7.1] */
const MAX_TREE_CHUNK = 256;

/** What changed in a tree, all at once. */
export interface TreeChange {
  readonly scanId: bigint;
  readonly updated: readonly Entry[];
  readonly removed: readonly bigint[];
}

/** The part of `UpdateWorktree` that a change makes; the worktree's own fields are added later. */
export type TreeChunk = Pick<
  Init<UpdateWorktree>,
  "updatedEntries" | "removedEntries" | "scanId" | "isLastUpdate"
>;

/**
 * Changes of one worktree on their way to the server. When a request fails, the chain stops; it goes
 * on with that request after {@link start}. [projects 12.5]
 */
export class TreeStream {
  readonly #send: (chunk: TreeChunk) => Promise<void>;
  readonly #changes: TreeChange[] = [];
  /** Entries and removals of the first change that are acknowledged. */
  #offset = 0;
  #run = 0;
  #isRunning = false;
  #isWorking = false;
  #error: unknown;
  readonly #state = new Condition();

  /** @param send sends one message; resolves with its answer. */
  constructor(send: (chunk: TreeChunk) => Promise<void>) {
    this.#send = send;
  }

  /** Adds a change behind the others. */
  push(change: TreeChange): void {
    this.#changes.push(change);
    if (this.#isRunning) this.#wake();
  }

  /** Starts the chain, or goes on where it stopped. */
  start(): void {
    this.#isRunning = true;
    this.#error = undefined;
    this.#work(++this.#run);
  }

  /** Stops the chain, whatever is on its way. */
  stop(): void {
    this.#isRunning = false;
    this.#run++;
    this.#state.changed();
  }

  /** Resolves once everything is acknowledged. @throws {Error} the chain stopped. */
  async flushed(): Promise<void> {
    await this.#state.until(() => this.#changes.length === 0 || !this.#isRunning);
    if (this.#changes.length === 0) return;
    throw new Error(
      `Cannot send the tree: ${this.#error === undefined ? "stopped" : chainText(this.#error)}`,
    );
  }

  #wake(): void {
    if (!this.#isWorking) this.#work(++this.#run);
  }

  async #work(run: number): Promise<void> {
    this.#isWorking = true;
    try {
      while (run === this.#run && this.#changes.length > 0) {
        const change = this.#changes[0] as TreeChange;
        const end = this.#offset + MAX_TREE_CHUNK;
        const isLastUpdate = end >= change.updated.length && end >= change.removed.length;
        await this.#send({
          updatedEntries: change.updated.slice(this.#offset, end),
          removedEntries: change.removed.slice(this.#offset, end),
          scanId: change.scanId,
          isLastUpdate,
        });
        if (run !== this.#run) return;
        this.#offset = isLastUpdate ? 0 : end;
        if (isLastUpdate) this.#changes.shift();
      }
    } catch (error) {
      if (run !== this.#run) return;
      this.#isRunning = false;
      this.#error = error;
    } finally {
      if (run === this.#run) {
        this.#isWorking = false;
        this.#state.changed();
      }
    }
  }
}
