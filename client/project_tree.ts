/** A guest's copy of a project's worktrees, as `UpdateWorktree` tells them. [projects 7.1] */
import type {
  Entry,
  Init,
  RejoinWorktree,
  UpdateWorktree,
  WorktreeMetadata,
} from "../proto/mod.ts";
import { Condition } from "./condition.ts";
import { Listeners } from "./listeners.ts";

/** One worktree as far as it is known. */
export class GuestWorktree {
  readonly id: bigint;
  metadata: WorktreeMetadata;
  readonly #byPath = new Map<string, Entry>();
  readonly #byId = new Map<bigint, Entry>();
  #scanId = 0n;
  #completedScanId = 0n;

  constructor(metadata: WorktreeMetadata) {
    this.id = metadata.id;
    this.metadata = metadata;
  }

  /** All entries, in no order. */
  get entries(): Iterable<Entry> {
    return this.#byPath.values();
  }

  /** Number of entries. */
  get size(): number {
    return this.#byPath.size;
  }

  /** Number of the last change of which everything has come. */
  get completedScanId(): bigint {
    return this.#completedScanId;
  }

  /** Whether nothing of the last change is missing, and there was one. */
  get isComplete(): boolean {
    return this.#scanId > 0n && this.#completedScanId === this.#scanId;
  }

  /** The entry at a path. */
  entryAt(path: string): Entry | undefined {
    return this.#byPath.get(path);
  }

  /** The entry with an id. */
  entry(id: bigint): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Takes a message about it. */
  apply(update: UpdateWorktree): void {
    this.metadata = { ...this.metadata, rootName: update.rootName, absPath: update.absPath };
    for (const id of update.removedEntries) this.#remove(id);
    for (const entry of update.updatedEntries) {
      this.#remove(entry.id);
      // Two entries at one path would be one too many.
      const former = this.#byPath.get(entry.path);
      if (former !== undefined) this.#byId.delete(former.id);
      this.#byPath.set(entry.path, entry);
      this.#byId.set(entry.id, entry);
    }
    this.#scanId = update.scanId;
    if (update.isLastUpdate) this.#completedScanId = update.scanId;
  }

  #remove(id: bigint): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    // Of a rename, the path may be another entry's by now.
    if (this.#byPath.get(entry.path) === entry) this.#byPath.delete(entry.path);
  }
}

/** The worktrees of a project. */
export class ProjectTree {
  /** Tells of every message, once it is applied. */
  readonly changed: Listeners<GuestWorktree> = new Listeners<GuestWorktree>();
  readonly #worktrees = new Map<bigint, GuestWorktree>();
  readonly #state = new Condition();

  /** The worktrees, by their ids. */
  get worktrees(): ReadonlyMap<bigint, GuestWorktree> {
    return this.#worktrees;
  }

  /** Takes the complete list of worktrees; those that stay keep their entries. [projects 5.2] */
  setWorktrees(list: readonly WorktreeMetadata[]): void {
    const listed = new Set(list.map(({ id }) => id));
    for (const id of this.#worktrees.keys()) if (!listed.has(id)) this.#worktrees.delete(id);
    for (const metadata of list) {
      const known = this.#worktrees.get(metadata.id);
      if (known === undefined) this.#worktrees.set(metadata.id, new GuestWorktree(metadata));
      else known.metadata = metadata;
    }
    this.#state.changed();
  }

  /** Takes a message about one of them; what is about another is ignored. */
  apply(update: UpdateWorktree): void {
    const worktree = this.#worktrees.get(update.worktreeId);
    if (worktree === undefined) return;
    worktree.apply(update);
    this.#state.changed();
    this.changed.tell(worktree);
  }

  /** Where a path is: the first worktree that has it. */
  find(path: string): { worktree: GuestWorktree; entry: Entry } | undefined {
    for (const worktree of this.#worktrees.values()) {
      const entry = worktree.entryAt(path);
      if (entry !== undefined) return { worktree, entry };
    }
    return undefined;
  }

  /** Resolves once all of a change has come. A worktree that goes meanwhile is not waited for. */
  async until(worktreeId: bigint, scanId: bigint): Promise<void> {
    await this.#state.until(() => {
      const worktree = this.#worktrees.get(worktreeId);
      return worktree === undefined || worktree.completedScanId >= scanId;
    });
  }

  /** Resolves once all worktrees are complete. */
  async complete(): Promise<void> {
    await this.#state.until(() =>
      [...this.#worktrees.values()].every((worktree) => worktree.isComplete)
    );
  }

  /** What `RejoinRoom` says about them. [projects 12.2] */
  rejoin(): Init<RejoinWorktree>[] {
    return [...this.#worktrees.values()]
      .map(({ id, completedScanId }) => ({ id, scanId: completedScanId }));
  }

  /** Nothing will change any more. */
  end(error: Error): void {
    this.#state.fail(error);
  }
}
