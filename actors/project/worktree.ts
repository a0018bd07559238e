/**
 * One worktree as its host told it. Entries are kept as the host's own bytes, in pages as large as
 * a chunk of the protocol, so that a join sends what is already encoded. [projects 7.1] [projects 7.2]
 */
import { concatBytes, lengthDelimited } from "../../rpc/fields.ts";
import { frameOf } from "../../rpc/frame.ts";
import { compress } from "../../rpc/zstd_compress.ts";

/** Entries, or removed ids, in one `UpdateWorktree`. [projects 7.2] */
export const CHUNK = 256;

/** `UpdateWorktree.updated_entries`. */
const UPDATED_ENTRIES = 4;
/** Below this, compressing costs more than it saves. */
const COMPRESS_FROM = 512;

/** One entry's bytes, within the message that brought it. */
export interface EntryBytes {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
}

interface Entry extends EntryBytes {
  readonly id: bigint;
  readonly scanId: bigint;
  page: number;
}

/** Encoded entries of one chunk: a complete zstd frame and the length of what is in it. */
export interface EncodedChunk {
  readonly frame: Uint8Array;
  readonly plainLength: number;
}

class Page {
  readonly entries: Entry[];
  /** A snapshot reads this page: a change makes a copy. */
  shared = false;
  #encoded: EncodedChunk | undefined;

  constructor(entries: Entry[] = []) {
    this.entries = entries;
  }

  encoded(): EncodedChunk {
    return this.#encoded ??= encodeEntries(this.entries);
  }

  /** The page to change: this one, or a copy when a snapshot reads it. */
  writable(): Page {
    if (this.shared) return new Page([...this.entries]);
    this.#encoded = undefined;
    return this;
  }
}

/** Entries as `updated_entries` fields in a frame of their own. */
export function encodeEntries(entries: readonly EntryBytes[]): EncodedChunk {
  const plain = concatBytes(
    entries.map(({ buffer, start, end }) =>
      lengthDelimited(UPDATED_ENTRIES, buffer.subarray(start, end))
    ),
  );
  const frame = plain.length < COMPRESS_FROM ? frameOf(plain).slice() : compress(plain);
  return { frame, plainLength: plain.length };
}

/** What a guest that had a worktree up to a scan is missing. [projects 12.4] */
export interface WorktreeDelta {
  readonly updated: readonly EntryBytes[];
  readonly removed: readonly bigint[];
}

export class Worktree {
  readonly id: bigint;
  rootName: string;
  absPath: string;
  visible: boolean;
  scanId = 0n;
  completedScanId = 0n;
  rootRepoCommonDir: string | undefined;
  readonly #entries = new Map<bigint, Entry>();
  readonly #tombstones = new Map<bigint, bigint>();
  #pages: Page[] = [];

  constructor(id: bigint, rootName: string, absPath: string, visible: boolean) {
    this.id = id;
    this.rootName = rootName;
    this.absPath = absPath;
    this.visible = visible;
  }

  get entryCount(): number {
    return this.#entries.size;
  }

  /** The last scan is complete; a worktree that was never scanned counts as complete. [projects 6.4] */
  get complete(): boolean {
    return this.scanId === this.completedScanId;
  }

  /** Inserts an entry or replaces the one with its id; a tombstone of that id is lifted. */
  put(id: bigint, scanId: bigint, bytes: EntryBytes): void {
    this.#tombstones.delete(id);
    const old = this.#entries.get(id);
    const entry: Entry = {
      id,
      scanId,
      buffer: bytes.buffer,
      start: bytes.start,
      end: bytes.end,
      page: old?.page ?? this.#pageWithRoom(),
    };
    this.#entries.set(id, entry);
    const page = this.#writablePage(entry.page);
    const at = old === undefined ? -1 : page.entries.findIndex((one) => one.id === id);
    if (at < 0) page.entries.push(entry);
    else page.entries[at] = entry;
  }

  /** Marks an entry removed; false when it is not known. */
  remove(id: bigint, scanId: bigint): boolean {
    const old = this.#entries.get(id);
    if (old === undefined) return false;
    this.#entries.delete(id);
    this.#tombstones.set(id, scanId);
    const page = this.#writablePage(old.page);
    const at = page.entries.findIndex((one) => one.id === id);
    if (at >= 0) page.entries.splice(at, 1);
    return true;
  }

  /** Puts a removed entry back as removed, when a project is restored. */
  restoreTombstone(id: bigint, scanId: bigint): void {
    this.#tombstones.set(id, scanId);
  }

  /**
   * All entries as chunks, at least one, each encoded when it is asked for. Changes after this call
   * do not show in it.
   */
  snapshot(): Iterable<EncodedChunk> {
    const pages = this.#pages.filter((page) => page.entries.length > 0);
    for (const page of pages) page.shared = true;
    return encodedPages(pages);
  }

  /** What changed after a scan. [projects 12.4] */
  since(scanId: bigint): WorktreeDelta {
    const updated: EntryBytes[] = [];
    for (const entry of this.#entries.values()) if (entry.scanId > scanId) updated.push(entry);
    const removed: bigint[] = [];
    for (const [id, at] of this.#tombstones) if (at > scanId) removed.push(id);
    return { updated, removed };
  }

  #pageWithRoom(): number {
    const last = this.#pages.length - 1;
    const page = this.#pages[last];
    if (page !== undefined && page.entries.length < CHUNK) return last;
    // Pages that have lost most of their entries are filled again before a new one is made.
    if (this.#entries.size < (this.#pages.length * CHUNK) / 2) {
      const sparse = this.#pages.findIndex((one) => one.entries.length < CHUNK / 2);
      if (sparse >= 0) return sparse;
    }
    this.#pages.push(new Page());
    return last + 1;
  }

  #writablePage(index: number): Page {
    const page = (this.#pages[index] as Page).writable();
    this.#pages[index] = page;
    return page;
  }
}

function* encodedPages(pages: readonly Page[]): Generator<EncodedChunk, void> {
  if (pages.length === 0) yield encodeEntries([]);
  for (const page of pages) yield page.encoded();
}
