/** An open file of a shared project, on one side or the other. [projects 9] */
import {
  type BufferState,
  type File,
  type Init,
  LineEndingEnum,
  type Operation as WireOperation,
  type Timestamp,
  type VectorClockEntry,
} from "../proto/mod.ts";
import {
  normalizeLineEndings,
  type Operation,
  Replica,
  type TextEdit,
  VersionVector,
} from "../text/mod.ts";
import { Condition } from "./condition.ts";
import { Listeners } from "./listeners.ts";
import {
  fromWireOperation,
  fromWireVersion,
  toWireOperation,
  toWireVersion,
} from "./operations.ts";
import { type Selection, Selections } from "./selections.ts";

/** What a {@link Buffer} is made of: what `CreateBufferForPeer` tells first. */
export interface BufferInit {
  readonly id: bigint;
  /** Who edits here. */
  readonly replicaId: number;
  /** The text before all operations, with any line endings. */
  readonly baseText: string;
  readonly file: File | undefined;
  /** Of `LineEndingEnum`. */
  readonly lineEnding: number;
  readonly savedVersion?: readonly VectorClockEntry[];
  readonly savedMtime?: Timestamp | undefined;
}

/** The text of a file, changed here and by others at once. */
export class Buffer {
  readonly id: bigint;
  readonly baseText: string;
  /** Tells the operations of edits made here, which everybody else has to get. */
  readonly edited: Listeners<Operation> = new Listeners<Operation>();
  /** Tells of selections set here, which everybody else has to get. */
  readonly selected: Listeners<Init<WireOperation>> = new Listeners<Init<WireOperation>>();
  /** Tells of everything that may have changed the text, made here or elsewhere. */
  readonly changed: Listeners<void> = new Listeners<void>();
  /** Where its text is kept; undefined for one without a file. */
  file: File | undefined;
  /** Of `LineEndingEnum`: how the file ends its lines. In here they end in `\n`. */
  lineEnding: number;
  #savedVersion: VersionVector;
  savedMtime: Timestamp | undefined;
  /** Whether this user may not change it at present. [projects 4] */
  isReadOnly = false;
  readonly #selections: Selections;
  readonly #replica: Replica;
  readonly #versions = new Condition();

  constructor(init: BufferInit) {
    this.id = init.id;
    this.baseText = init.baseText;
    this.file = init.file;
    this.lineEnding = init.lineEnding;
    this.#replica = new Replica({ replicaId: init.replicaId, baseText: init.baseText });
    this.#selections = new Selections(this.#replica, init.id);
    this.#savedVersion = init.savedVersion === undefined
      ? this.#replica.document.version
      : fromWireVersion(init.savedVersion);
    this.savedMtime = init.savedMtime;
  }

  /** The text, with `\n` at the ends of lines. */
  get text(): string {
    return this.#replica.text();
  }

  /** The text as the file has it. */
  get fileText(): string {
    return this.lineEnding === LineEndingEnum.Windows
      ? this.text.replaceAll("\n", "\r\n")
      : this.text;
  }

  /** All that was applied here. */
  get version(): VectorClockEntry[] {
    return toWireVersion(this.#replica.document.version);
  }

  /** The version that the file has. */
  get savedVersion(): VectorClockEntry[] {
    return toWireVersion(this.#savedVersion);
  }

  /** Whether something was changed since the file was written. */
  get isDirty(): boolean {
    return !this.#savedVersion.covers(this.#replica.document.version);
  }

  /** Operations that wait for others which have not come. */
  get waitingCount(): number {
    return this.#replica.document.waitingCount;
  }

  /**
   * Changes the text.
   *
   * @param edits ascending, without overlap, all in terms of the text before.
   * @throws {Error} it {@link isReadOnly}.
   */
  edit(edits: readonly TextEdit[]): void {
    this.#checkWritable();
    this.#tell(this.#replica.edit(edits));
  }

  /** Makes `content` the text, by changing what differs between its equal begin and end. */
  replaceText(content: string): void {
    const old = this.text;
    const text = normalizeLineEndings(content);
    const limit = Math.min(old.length, text.length);
    let start = 0;
    while (start < limit && old[start] === text[start]) start++;
    // Half of a surrogate pair may be equal; an edit must not split one.
    if (start > 0 && isHighSurrogate(old.charCodeAt(start - 1))) start--;
    let tail = 0;
    while (tail < limit - start && old.at(-1 - tail) === text.at(-1 - tail)) tail++;
    if (tail > 0 && isLowSurrogate(old.charCodeAt(old.length - tail))) tail--;
    this.edit([{ start, end: old.length - tail, text: text.slice(start, text.length - tail) }]);
  }

  /** Takes back the last own edit that is in force. */
  undo(): void {
    this.#checkWritable();
    this.#tell(this.#replica.undo());
  }

  /** Brings back the own edit that was taken back last. */
  redo(): void {
    this.#checkWritable();
    this.#tell(this.#replica.redo());
  }

  /** Sets where the own cursors are, and what they select. */
  select(selections: readonly Selection[]): void {
    this.selected.tell(this.#selections.set(selections));
  }

  /** Where the cursors of a replica are. */
  selectionsOf(replicaId: number): Selection[] {
    return this.#selections.of(replicaId);
  }

  /** Takes operations of others, in any order and any number of times. */
  apply(operations: readonly WireOperation[]): void {
    const edits: Operation[] = [];
    for (const operation of operations) {
      const { updateLineEnding, updateSelections } = operation;
      if (updateSelections !== undefined) this.#selections.apply(updateSelections);
      if (updateLineEnding !== undefined) this.lineEnding = updateLineEnding.lineEnding;
      const edit = fromWireOperation(operation);
      if (edit !== undefined) edits.push(edit);
    }
    if (edits.length === 0) return;
    const { rejected: [error] } = this.#replica.apply(edits);
    this.#versions.changed();
    this.changed.tell();
    if (error !== undefined) throw error;
  }

  /** Selections, which no version tells of: everybody's, or those of one replica. */
  selectionOperations(replicaId?: number): Init<WireOperation>[] {
    return this.#selections.operations(replicaId);
  }

  /** A collaborator has left, and his cursors with him. */
  dropSelections(replicaId: number): void {
    this.#selections.drop(replicaId);
  }

  /** Operations that somebody who has `version` lacks; all of them if it is left out. */
  missingOperations(version: readonly VectorClockEntry[] = []): Init<WireOperation>[] {
    const missing = this.#replica.document.missingOperations(fromWireVersion(version));
    return missing.map(toWireOperation);
  }

  /** Whether all of `version` was applied here. */
  observes(version: readonly VectorClockEntry[]): boolean {
    return this.#replica.document.version.covers(fromWireVersion(version));
  }

  /** Resolves once all of `version` was applied here. */
  async until(version: readonly VectorClockEntry[]): Promise<void> {
    await this.#versions.until(() => this.observes(version));
  }

  /** The file was written with the text of `version`. */
  saved(version: readonly VectorClockEntry[], mtime: Timestamp | undefined): void {
    this.#savedVersion = fromWireVersion(version);
    this.savedMtime = mtime;
    this.#versions.changed();
  }

  /** What somebody who opens it needs before the operations. [projects 9.2] */
  state(): BufferState {
    return {
      id: this.id,
      file: this.file,
      baseText: this.baseText,
      lineEnding: this.lineEnding,
      savedVersion: this.savedVersion,
      savedMtime: this.savedMtime,
    };
  }

  /** Nobody will send anything for it any more. */
  end(error: Error): void {
    this.#versions.fail(error);
  }

  #checkWritable(): void {
    if (!this.isReadOnly) return;
    throw new Error(`Cannot change ${this.file?.path ?? "this buffer"}: you may only read it`);
  }

  #tell(operation: Operation | undefined): void {
    if (operation === undefined) return;
    this.edited.tell(operation);
    this.#versions.changed();
    this.changed.tell();
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
