import type { Fragment } from "./fragment.ts";
import type { View } from "./view.ts";

/** Fragments that a leaf holds at most. Measured: 16 to 64, with 8 or 16 children, do equally well. */
const MAX_FRAGMENTS = 32;
/** Nodes that a branch holds at most. */
const MAX_CHILDREN = 16;

/** A leaf or branch of the tree of fragments, with the sums of what is below it. */
export type FragmentNode = FragmentLeaf | FragmentBranch;

abstract class Summary {
  parent: FragmentBranch | undefined;
  /** Bytes of all fragments. */
  total = 0;
  /** Bytes of the visible fragments. */
  visible = 0;
  /** UTF-16 code units of the visible fragments. */
  units = 0;
  /**
   * The inserting replicas, and per replica the oldest and newest timestamp: they tell whether
   * somebody could see all fragments here, or none, without a look at each.
   */
  #replicas: number[] = [];
  #oldest: number[] = [];
  #newest: number[] = [];

  /**
   * Bytes of the fragments whose insertion is in `view`, if that is all or none of them;
   * undefined if it depends on the fragment.
   */
  widthAt(view: View): number | undefined {
    let all = true;
    let unseen = 0;
    for (let i = 0; i < view.behind.length; i++) {
      const at = this.#replicas.indexOf(view.behind[i]!);
      if (at === -1) continue;
      const seen = view.seen[i]!;
      if (seen < this.#newest[at]!) all = false;
      if (seen < this.#oldest[at]!) unseen++;
    }
    if (all) return this.total;
    return unseen === this.#replicas.length ? 0 : undefined;
  }

  protected clear(): void {
    this.total = this.visible = this.units = 0;
    this.#replicas = [];
    this.#oldest = [];
    this.#newest = [];
  }

  protected addFragment(fragment: Fragment): void {
    this.total += fragment.length;
    if (fragment.visible) {
      this.visible += fragment.length;
      this.units += fragment.units;
    }
    const { replicaId, timestamp } = fragment.insertion;
    this.#widen(replicaId, timestamp, timestamp);
  }

  protected addNode(node: Summary): void {
    this.total += node.total;
    this.visible += node.visible;
    this.units += node.units;
    for (let i = 0; i < node.#replicas.length; i++) {
      this.#widen(node.#replicas[i]!, node.#oldest[i]!, node.#newest[i]!);
    }
  }

  #widen(replicaId: number, oldest: number, newest: number): void {
    const at = this.#replicas.indexOf(replicaId);
    if (at === -1) {
      this.#replicas.push(replicaId);
      this.#oldest.push(oldest);
      this.#newest.push(newest);
    } else {
      if (oldest < this.#oldest[at]!) this.#oldest[at] = oldest;
      if (newest > this.#newest[at]!) this.#newest[at] = newest;
    }
  }

  /** Counts a fragment that was put into this leaf, here and above. */
  protected countIn(fragment: Fragment): void {
    // deno-lint-ignore no-this-alias
    let node: Summary | undefined = this;
    for (; node !== undefined; node = node.parent) node.addFragment(fragment);
  }

  /** Counts a fragment of this leaf that appeared or disappeared, here and above. */
  protected countVisible(bytes: number, units: number): void {
    // deno-lint-ignore no-this-alias
    let node: Summary | undefined = this;
    for (; node !== undefined; node = node.parent) {
      node.visible += bytes;
      node.units += units;
    }
  }
}

/** A run of fragments. */
export class FragmentLeaf extends Summary {
  /** The leaf to the right. */
  next: FragmentLeaf | undefined;
  /** Never empty, except in an empty tree. */
  readonly fragments: Fragment[] = [];

  /** Puts a new fragment in; {@link split} has to follow if that makes the leaf {@link full}. */
  insert(at: number, fragment: Fragment): void {
    this.#place(at, fragment);
    this.countIn(fragment);
  }

  /** Puts in the tail that was cut off from a fragment of this leaf, which changes no sum. */
  insertTail(at: number, fragment: Fragment): void {
    this.#place(at, fragment);
  }

  #place(at: number, fragment: Fragment): void {
    fragment.leaf = this;
    if (at === this.fragments.length) this.fragments.push(fragment);
    else this.fragments.splice(at, 0, fragment);
  }

  /** Makes a fragment of this leaf visible, or invisible. */
  show(fragment: Fragment, visible: boolean): void {
    if (fragment.visible === visible) return;
    fragment.visible = visible;
    if (visible) this.countVisible(fragment.length, fragment.units);
    else this.countVisible(-fragment.length, -fragment.units);
  }

  /** Whether it holds more than it should. */
  get full(): boolean {
    return this.fragments.length > MAX_FRAGMENTS;
  }

  /** Moves the right half into a new leaf on the right. */
  split(): FragmentLeaf {
    const right = new FragmentLeaf();
    right.next = this.next;
    this.next = right;
    for (const fragment of this.fragments.splice(this.fragments.length >> 1)) {
      fragment.leaf = right;
      right.fragments.push(fragment);
      right.addFragment(fragment);
    }
    this.clear();
    for (const fragment of this.fragments) this.addFragment(fragment);
    return right;
  }
}

/** A run of nodes of equal height. */
export class FragmentBranch extends Summary {
  /** Never empty. */
  readonly children: FragmentNode[] = [];

  /** Puts `node` at the right end and counts it. */
  push(node: FragmentNode): void {
    node.parent = this;
    this.children.push(node);
    this.addNode(node);
  }

  /** Puts in `node`, which was split off from `left`; this changes no sum. */
  insertAfter(left: FragmentNode, node: FragmentNode): void {
    node.parent = this;
    this.children.splice(this.children.indexOf(left) + 1, 0, node);
  }

  /** Whether it holds more than it should. */
  get full(): boolean {
    return this.children.length > MAX_CHILDREN;
  }

  /** Moves the right half into a new branch on the right. */
  split(): FragmentBranch {
    const right = new FragmentBranch();
    for (const node of this.children.splice(this.children.length >> 1)) right.push(node);
    this.clear();
    for (const node of this.children) this.addNode(node);
    return right;
  }
}
