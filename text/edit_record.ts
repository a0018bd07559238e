import type { Fragment } from "./fragment.ts";
import { type Lamport, lamportKey } from "./lamport.ts";
import type { View } from "./view.ts";

interface Undo extends Lamport {
  readonly count: number;
}

/**
 * What a document knows of one edit: its fragments, and how often it was undone and redone. Its
 * fragments point to it, so that their visibility needs no table look-ups. [channels 9.5]
 */
export class EditRecord implements Lamport {
  readonly replicaId: number;
  readonly timestamp: number;
  /** Orders edits as their timestamps do. */
  readonly key: number;
  #fragments: Fragment[] | undefined;
  #count = 0;
  #undos: Undo[] | undefined;

  constructor({ replicaId, timestamp }: Lamport) {
    this.replicaId = replicaId;
    this.timestamp = timestamp;
    this.key = lamportKey(this);
  }

  /** Fragments that it inserted or deleted: the ones whose visibility its undo may change. */
  get fragments(): readonly Fragment[] {
    return this.#fragments ?? [];
  }

  /** Counts `fragment`, a new one or one that was split off, as inserted or deleted by it. */
  addFragment(fragment: Fragment): void {
    // Most have one only, and an array that grows from empty reserves room for 17.
    if (this.#fragments === undefined) this.#fragments = [fragment];
    else this.#fragments.push(fragment);
  }

  /** Largest count of any undo operation on it, 0 if there was none. */
  get count(): number {
    return this.#count;
  }

  /** Whether it is undone now: after undo and redo it is not. */
  get undone(): boolean {
    return this.#count % 2 === 1;
  }

  /** Whether it was undone for the owner of `view`. */
  undoneAt(view: View): boolean {
    if (this.#undos === undefined) return false;
    let count = 0;
    for (const undo of this.#undos) {
      if (undo.count > count && view.observes(undo)) count = undo.count;
    }
    return count % 2 === 1;
  }

  /** Records that the operation `undo` sets the count of this edit; says if {@link undone} changed. */
  addUndo({ replicaId, timestamp }: Lamport, count: number): boolean {
    const before = this.undone;
    (this.#undos ??= []).push({ replicaId, timestamp, count });
    this.#count = Math.max(this.#count, count);
    return this.undone !== before;
  }
}
