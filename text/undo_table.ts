import { EditRecord } from "./edit_record.ts";
import { type Lamport, lamportKey } from "./lamport.ts";

/** The edits of a document by timestamp. [channels 9.5] */
export class UndoTable {
  readonly #records = new Map<number, EditRecord>();

  /** The record of `edit`, made if there is none. */
  record(edit: Lamport): EditRecord {
    const key = lamportKey(edit);
    let record = this.#records.get(key);
    if (record === undefined) {
      record = new EditRecord(edit);
      this.#records.set(key, record);
    }
    return record;
  }

  /** How often `edit` was undone and redone, 0 if it is unknown. */
  count(edit: Lamport): number {
    return this.#records.get(lamportKey(edit))?.count ?? 0;
  }
}
