import type { EditRecord } from "./edit_record.ts";
import type { FragmentLeaf } from "./fragment_node.ts";
import type { View } from "./view.ts";

const NO_DELETIONS: readonly EditRecord[] = [];

/**
 * A run of bytes that were inserted by one edit and deleted by the same ones. Split, but never
 * merged with another one or removed. [channels 9.4]
 */
export class Fragment {
  /** Edits that deleted it. Shared by the halves of a split, hence replaced and not changed. */
  deletions: readonly EditRecord[] = NO_DELETIONS;
  /** Whether it is part of the text. Only its tree changes it, which counts it. */
  visible: boolean;
  /** Where it is in the tree. */
  leaf: FragmentLeaf | undefined;

  constructor(
    /** The edit that inserted it. */
    readonly insertion: EditRecord,
    /** Its first byte in the text store. */
    readonly start: number,
    /** Bytes, at least 1. Shrinks when it is split. */
    public length: number,
    /** UTF-16 code units of these bytes. */
    public units: number,
  ) {
    this.visible = !insertion.undone;
  }

  /** First byte behind it in the text store. */
  get end(): number {
    return this.start + this.length;
  }

  /** Whether its insertion is in force and no deletion is. [channels 9.5] */
  shouldBeVisible(): boolean {
    if (this.insertion.undone) return false;
    for (const deletion of this.deletions) if (!deletion.undone) return false;
    return true;
  }

  /** Whether it was part of the text for the owner of `view`. [channels 9.5] */
  wasVisible(view: View): boolean {
    if (!view.observes(this.insertion) || this.insertion.undoneAt(view)) return false;
    for (const deletion of this.deletions) {
      if (view.observes(deletion) && !deletion.undoneAt(view)) return false;
    }
    return true;
  }

  /** Marks it as deleted by `edit`. */
  addDeletion(edit: EditRecord): void {
    this.deletions = [...this.deletions, edit];
    edit.addFragment(this);
  }
}
