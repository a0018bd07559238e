import { Fragment } from "./fragment.ts";
import { FragmentBranch, FragmentLeaf, type FragmentNode } from "./fragment_node.ts";
import type { TextStore } from "./text_store.ts";
import type { View } from "./view.ts";

/** A place in a fragment. */
export interface FragmentPosition {
  readonly fragment: Fragment;
  /** Bytes of it before the place, at least 1; its whole length for the place behind it. */
  readonly within: number;
}

/** What lies before a fragment. */
export interface FragmentOffset {
  /** The fragment; undefined at the end of the document. */
  readonly fragment: Fragment | undefined;
  /** Bytes of all fragments before it. */
  readonly total: number;
  /** Bytes of the visible fragments before it. */
  readonly visible: number;
  /** UTF-16 code units of the visible fragments before it. */
  readonly units: number;
}

/**
 * The list of fragments of a document as a B+ tree that only grows. Every node knows the sums of
 * what is below it, so that a place is found, and a change counted, in logarithmic time.
 * [channels 9.4] [channels 9.12]
 */
export class FragmentTree implements Iterable<Fragment> {
  readonly #store: TextStore;
  readonly #first = new FragmentLeaf();
  #last = this.#first;
  #root: FragmentNode = this.#first;

  /** @param store the texts that the fragments are ranges of. */
  constructor(store: TextStore) {
    this.#store = store;
  }

  /** Bytes of the visible fragments. */
  get visible(): number {
    return this.#root.visible;
  }

  /** UTF-16 code units of the visible fragments. */
  get units(): number {
    return this.#root.units;
  }

  /** The leftmost fragment. */
  first(): Fragment | undefined {
    return this.#first.fragments[0];
  }

  /** The fragment to the right of `fragment`. */
  next(fragment: Fragment): Fragment | undefined {
    const leaf = fragment.leaf!;
    return leaf.fragments[leaf.fragments.indexOf(fragment) + 1] ?? leaf.next?.fragments[0];
  }

  /** The fragments from left to right. The tree must not change meanwhile. */
  *[Symbol.iterator](): Iterator<Fragment> {
    let leaf: FragmentLeaf | undefined = this.#first;
    for (; leaf !== undefined; leaf = leaf.next) yield* leaf.fragments;
  }

  /** Puts a new fragment to the left of `at`, or at the right end. */
  insertBefore(at: Fragment | undefined, fragment: Fragment): void {
    const leaf = at?.leaf ?? this.#last;
    leaf.insert(at === undefined ? leaf.fragments.length : leaf.fragments.indexOf(at), fragment);
    this.#rebalance(leaf);
  }

  /**
   * Cuts `fragment` in two, both with the same insertion, visibility and deletions.
   *
   * @param within bytes that it keeps, at least 1 and fewer than it has.
   * @returns the tail, a new fragment to its right.
   */
  split(fragment: Fragment, within: number): Fragment {
    const ascii = fragment.units === fragment.length;
    const cut = fragment.start + within;
    const headUnits = ascii ? within : this.#store.countUnits(fragment.start, cut);
    const tail = new Fragment(
      fragment.insertion,
      cut,
      fragment.length - within,
      fragment.units - headUnits,
    );
    tail.visible = fragment.visible;
    tail.deletions = fragment.deletions;
    fragment.length = within;
    fragment.units = headUnits;
    tail.insertion.addFragment(tail);
    for (const deletion of tail.deletions) deletion.addFragment(tail);

    const leaf = fragment.leaf!;
    leaf.insertTail(leaf.fragments.indexOf(fragment) + 1, tail);
    this.#rebalance(leaf);
    return tail;
  }

  /** Makes `fragment` visible or invisible, as its insertion and deletions have it. */
  refresh(fragment: Fragment): void {
    fragment.leaf!.show(fragment, fragment.shouldBeVisible());
  }

  /**
   * The place `offset` bytes from the start, where only fragments count whose insertion is in
   * `view`; undefined behind the end. Between two fragments it is behind the left one.
   *
   * @param offset at least 1.
   */
  seek(view: View, offset: number): FragmentPosition | undefined {
    return seekIn(this.#root, view, { left: offset });
  }

  /**
   * The fragment in which a place in the visible text lies, and what lies before that fragment.
   *
   * @param measure what `amount` counts: visible bytes, or visible UTF-16 code units.
   * @param side at a place between fragments: the visible one left of it, or the visible one right
   *   of it, with which all invisible ones between them lie before the place.
   */
  locate(measure: "visible" | "units", amount: number, side: "left" | "right"): FragmentOffset {
    let total = 0;
    let visible = 0;
    let units = 0;
    const isBefore = (size: { visible: number; units: number }) => {
      const end = (measure === "visible" ? visible : units) + size[measure];
      return side === "left" ? end < amount : end <= amount;
    };
    let node: FragmentNode | undefined = this.#root;
    if (isBefore(node)) node = undefined;
    descend: while (node instanceof FragmentBranch) {
      for (const child of node.children) {
        if (!isBefore(child)) {
          node = child;
          continue descend;
        }
        total += child.total;
        visible += child.visible;
        units += child.units;
      }
      node = undefined;
    }
    for (const fragment of node?.fragments ?? []) {
      const size = fragment.visible
        ? { visible: fragment.length, units: fragment.units }
        : { visible: 0, units: 0 };
      if (!isBefore(size)) return { fragment, total, visible, units };
      total += fragment.length;
      visible += size.visible;
      units += size.units;
    }
    return {
      fragment: undefined,
      total: this.#root.total,
      visible: this.#root.visible,
      units: this.#root.units,
    };
  }

  #rebalance(leaf: FragmentLeaf): void {
    let node: FragmentNode = leaf;
    while (node.full) {
      const right: FragmentNode = node.split();
      if (node === this.#last) this.#last = right as FragmentLeaf;
      if (node.parent === undefined) {
        const root = new FragmentBranch();
        root.push(node);
        root.push(right);
        this.#root = root;
        return;
      }
      node.parent.insertAfter(node, right);
      node = node.parent;
    }
  }
}

/** @param view undefined where everything is in it. */
function seekIn(
  node: FragmentNode,
  view: View | undefined,
  offset: { left: number },
): FragmentPosition | undefined {
  const width = view === undefined ? node.total : node.widthAt(view);
  if (width !== undefined) {
    if (width < offset.left) {
      offset.left -= width;
      return undefined;
    }
    view = undefined;
  }
  if (node instanceof FragmentBranch) {
    for (const child of node.children) {
      // Saves most of the calls.
      if (view === undefined && child.total < offset.left) {
        offset.left -= child.total;
        continue;
      }
      const found = seekIn(child, view, offset);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const fragment of node.fragments) {
    if (view !== undefined && !view.observes(fragment.insertion)) continue;
    if (offset.left <= fragment.length) return { fragment, within: offset.left };
    offset.left -= fragment.length;
  }
  return undefined;
}
