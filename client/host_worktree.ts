/** A folder that a host shares: its entries, and what happens to them. [projects 7.1] */
import type { Entry, Timestamp, WorktreeMetadata } from "../proto/mod.ts";
import { type FileInfo, NoSuchFileError, type ProjectFiles } from "./project_files.ts";
import { type TreeChunk, TreeStream } from "./tree_stream.ts";

/** A change of the tree that has its number. */
export interface TreeResult {
  /** The entry concerned; undefined where it is gone. */
  readonly entry: Entry | undefined;
  /** Guests wait for the update with this number. [projects 7.1] */
  readonly scanId: bigint;
}

/** Entries of a {@link ProjectFiles}, each with an id that stays with it. */
export class HostWorktree {
  readonly id: bigint;
  readonly files: ProjectFiles;
  /** Brings the entries to the server. */
  readonly stream: TreeStream;
  readonly #nextEntryId: () => bigint;
  readonly #byPath = new Map<string, Entry>();
  readonly #byId = new Map<bigint, Entry>();
  #scanId = 0n;

  /**
   * @param nextEntryId gives ids that no entry of the project has had.
   * @param send sends one message of this worktree; resolves with its answer.
   */
  constructor(
    id: bigint,
    files: ProjectFiles,
    nextEntryId: () => bigint,
    send: (worktree: HostWorktree, chunk: TreeChunk) => Promise<void>,
  ) {
    this.id = id;
    this.files = files;
    this.#nextEntryId = nextEntryId;
    this.stream = new TreeStream((chunk) => send(this, chunk));
  }

  /** What the others are told of it before its entries. */
  get metadata(): WorktreeMetadata {
    const { rootName, absPath } = this.files;
    return { id: this.id, rootName, visible: true, absPath };
  }

  /** Number of the last change. */
  get scanId(): bigint {
    return this.#scanId;
  }

  /** All entries. */
  get entries(): Iterable<Entry> {
    return this.#byPath.values();
  }

  /** Number of entries. */
  get size(): number {
    return this.#byPath.size;
  }

  /** The entry at a path. */
  entryAt(path: string): Entry | undefined {
    return this.#byPath.get(path);
  }

  /** The entry with an id. */
  entry(id: bigint): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Reads the whole tree, and tells what differs from what was known. */
  async scan(): Promise<void> {
    const infos = await this.files.list();
    const gone = new Set(this.#byPath.keys());
    const updated: Entry[] = [];
    for (const info of infos) {
      gone.delete(info.path);
      const known = this.#byPath.get(info.path);
      const entry = toEntry(known?.id ?? this.#nextEntryId(), info);
      if (known !== undefined && isSame(known, entry)) continue;
      this.#put(entry);
      updated.push(entry);
    }
    const removed = [...gone].map((path) => this.#drop(path));
    if (updated.length + removed.length > 0 || this.#scanId === 0n) this.#tell(updated, removed);
  }

  /** Looks at one path again, and at the folders above it that are not known. */
  async refresh(path: string): Promise<TreeResult> {
    const updated: Entry[] = [];
    for (const above of pathsDownTo(path)) {
      if (above !== path && this.#byPath.has(above)) continue;
      const info = await this.files.stat(above);
      if (info === undefined) return this.#forget(above, updated);
      const entry = toEntry(this.#byPath.get(above)?.id ?? this.#nextEntryId(), info);
      this.#put(entry);
      updated.push(entry);
    }
    this.#tell(updated, []);
    return { entry: this.#byPath.get(path), scanId: this.#scanId };
  }

  /** Makes a file or folder. @throws {Error} there is something. */
  async create(path: string, content: Uint8Array | "directory"): Promise<TreeResult> {
    this.#checkPath(path);
    if (await this.files.stat(path) !== undefined) {
      throw new Error(`Cannot create ${JSON.stringify(path)}: it exists`);
    }
    if (content === "directory") await this.files.makeDirectory(path);
    else await this.files.write(path, content);
    return await this.refresh(path);
  }

  /** Replaces a file's content. */
  async write(path: string, content: Uint8Array): Promise<TreeResult> {
    this.#checkPath(path);
    await this.files.write(path, content);
    return await this.refresh(path);
  }

  /** Moves an entry with all below it; they keep their ids. @throws {NoSuchFileError} */
  async rename(id: bigint, to: string): Promise<TreeResult> {
    this.#checkPath(to);
    const moved = this.#existing(id);
    const from = moved.path;
    if (await this.files.stat(to) !== undefined) {
      throw new Error(`Cannot rename ${JSON.stringify(from)} to ${JSON.stringify(to)}: it exists`);
    }
    await this.files.rename(from, to);
    const updated = this.#below(from).map((entry) => {
      const path = to + entry.path.slice(from.length);
      this.#byPath.delete(entry.path);
      return { ...entry, path, isHidden: isHidden(path) };
    });
    for (const entry of updated) this.#put(entry);
    this.#tell(updated, []);
    return await this.refresh(to);
  }

  /** Removes an entry with all below it. @throws {NoSuchFileError} */
  async remove(id: bigint): Promise<TreeResult> {
    const { path } = this.#existing(id);
    await this.files.remove(path);
    return this.#forget(path, []);
  }

  /** Guests name paths: none may lead out of the worktree, by itself or by a link, or to its root. */
  #checkPath(path: string): void {
    const isInside = path !== "" && !path.includes("\\") && !path.includes("\0") &&
      path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
    if (!isInside) throw new RangeError(`Not a path within the worktree: ${JSON.stringify(path)}`);
    for (const above of pathsDownTo(path).slice(0, -1)) {
      if (!this.#byPath.get(above)?.isExternal) continue;
      throw new RangeError(`Cannot write ${JSON.stringify(path)}: a link leads out of the project`);
    }
  }

  #existing(id: bigint): Entry {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new NoSuchFileError(`entry ${id}`);
    return entry;
  }

  #below(path: string): Entry[] {
    const prefix = `${path}/`;
    return [...this.#byPath.values()]
      .filter((entry) => entry.path === path || entry.path.startsWith(prefix));
  }

  #forget(path: string, updated: readonly Entry[]): TreeResult {
    const removed = this.#below(path).map((entry) => this.#drop(entry.path));
    this.#tell(updated, removed);
    return { entry: undefined, scanId: this.#scanId };
  }

  #put(entry: Entry): void {
    this.#byPath.set(entry.path, entry);
    this.#byId.set(entry.id, entry);
  }

  #drop(path: string): bigint {
    const { id } = this.#byPath.get(path) as Entry;
    this.#byPath.delete(path);
    this.#byId.delete(id);
    return id;
  }

  #tell(updated: readonly Entry[], removed: readonly bigint[]): void {
    this.#scanId++;
    this.stream.push({ scanId: this.#scanId, updated, removed });
  }
}

/** `a`, `a/b` and `a/b/c` for `a/b/c`. */
function pathsDownTo(path: string): string[] {
  const names = path.split("/");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function isHidden(path: string): boolean {
  return path.split("/").some((name) => name.startsWith("."));
}

/** Milliseconds as messages hold them. */
export function toTimestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

function toEntry(id: bigint, info: FileInfo): Entry {
  return {
    id,
    isDir: info.isDirectory,
    path: info.path,
    inode: info.inode,
    mtime: toTimestamp(info.mtime),
    isIgnored: info.isIgnored,
    isExternal: info.externalPath !== undefined,
    isFifo: info.isFifo,
    size: BigInt(info.size),
    ...(info.externalPath !== undefined && { canonicalPath: info.externalPath }),
    isHidden: isHidden(info.path),
  };
}

function isSame(a: Entry, b: Entry): boolean {
  return a.isDir === b.isDir && a.size === b.size && a.inode === b.inode &&
    a.isIgnored === b.isIgnored && a.mtime?.seconds === b.mtime?.seconds &&
    a.mtime?.nanos === b.mtime?.nanos;
}
