/** A folder of this machine's disk as a worktree; for Deno and Node. */
import type { Dirent } from "node:fs";
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, resolve, sep } from "node:path";
import { IgnoreRules } from "./gitignore.ts";
import { type FileInfo, NoSuchFileError, type ProjectFiles } from "./project_files.ts";

/** What editors show to nobody: the insides of version control, and what systems leave behind. */
const EXCLUDED: ReadonlySet<string> = new Set([
  ".git",
  ".svn",
  ".hg",
  ".jj",
  ".sl",
  ".repo",
  "CVS",
  ".DS_Store",
  "Thumbs.db",
]);

/** Questions to the file system that are open at a time. */
const PARALLEL = 64;

/** The parts of `fs.Stats` that are needed. */
interface Stats {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSymbolicLink(): boolean;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly size: number;
}

/** A folder on the disk. */
export class DiskFiles implements ProjectFiles {
  readonly rootName: string;
  readonly absPath: string;
  /** Rules that hold in a folder, of the folders that were read. */
  readonly #rules = new Map<string, IgnoreRules | undefined>();

  /** @param folder path of an existing folder. */
  constructor(folder: string) {
    this.absPath = resolve(folder);
    this.rootName = basename(this.absPath);
  }

  async list(): Promise<FileInfo[]> {
    const root = await this.stat("");
    if (root === undefined) throw new NoSuchFileError(this.absPath);
    this.#rules.clear();
    const found = [root];
    // Level by level: folders stand before what is in them, and many are read at once.
    for (let folders = [""]; folders.length > 0;) {
      const levels = await mapParallel(folders, (folder) => this.#readFolder(folder));
      folders = [];
      for (const info of levels.flat()) {
        found.push(info);
        if (info.isDirectory && !info.isIgnored && info.externalPath === undefined) {
          folders.push(info.path);
        }
      }
    }
    return found;
  }

  async stat(path: string): Promise<FileInfo | undefined> {
    if (isExcluded(path)) return undefined;
    await this.#rulesFor(parentOf(path));
    const info = await this.#info(path);
    // A list does not come this far below an ignored folder.
    const isWithin = info !== undefined && this.#isWithinIgnored(path);
    return isWithin ? { ...info, isIgnored: true } : info;
  }

  async read(path: string): Promise<Uint8Array> {
    return new Uint8Array(await missing(path, readFile(this.#locate(path))));
  }

  async write(path: string, content: Uint8Array): Promise<void> {
    const place = this.#locate(path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, content);
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(this.#locate(path), { recursive: true });
  }

  async rename(from: string, to: string): Promise<void> {
    const place = this.#locate(to);
    await mkdir(dirname(place), { recursive: true });
    await missing(from, rename(this.#locate(from), place));
  }

  async remove(path: string): Promise<void> {
    if (path === "") throw new RangeError("Cannot remove the root of a worktree");
    await missing(path, rm(this.#locate(path), { recursive: true }));
  }

  #locate(path: string): string {
    if (isExcluded(path)) {
      throw new RangeError(`Cannot touch ${JSON.stringify(path)}: it is no part of the project`);
    }
    const place = resolve(this.absPath, path);
    if (place !== this.absPath && !place.startsWith(this.absPath + sep)) {
      throw new RangeError(`Not a path within the worktree: ${JSON.stringify(path)}`);
    }
    return place;
  }

  async #readFolder(folder: string): Promise<FileInfo[]> {
    let children: Dirent[];
    try {
      children = await readdir(this.#locate(folder), { withFileTypes: true });
    } catch {
      // Gone meanwhile, or not ours to read: shown as empty.
      return [];
    }
    if (children.some(({ name }) => name === ".gitignore") || folder === "") {
      await this.#readRules(folder);
    }
    const paths = children.map(({ name }) => folder === "" ? name : `${folder}/${name}`)
      .filter((path) => !isExcluded(path));
    const infos = await mapParallel(paths, (path) => this.#info(path));
    return infos.filter((info) => info !== undefined);
  }

  async #info(path: string): Promise<FileInfo | undefined> {
    const place = this.#locate(path);
    let stats: Stats;
    let externalPath: string | undefined;
    try {
      stats = await lstat(place);
      if (stats.isSymbolicLink()) {
        stats = await stat(place);
        const target = await realpath(place);
        // Also a link to within: following it could go on for ever.
        if (stats.isDirectory() || !target.startsWith(this.absPath + sep)) externalPath = target;
      }
    } catch {
      // Gone, or a link to nothing.
      return undefined;
    }
    const isDirectory = stats.isDirectory();
    return {
      path,
      isDirectory,
      inode: BigInt(stats.ino),
      mtime: stats.mtimeMs,
      size: stats.size,
      isIgnored: path !== "" && this.#isIgnored(path, isDirectory),
      externalPath,
      isFifo: stats.isFIFO(),
    };
  }

  #isIgnored(path: string, isDirectory: boolean): boolean {
    for (let folder = parentOf(path);; folder = parentOf(folder)) {
      if (this.#rules.has(folder)) {
        return this.#rules.get(folder)?.ignores(path, isDirectory) ?? false;
      }
      if (folder === "") return false;
    }
  }

  #isWithinIgnored(path: string): boolean {
    for (let folder = parentOf(path); folder !== ""; folder = parentOf(folder)) {
      if (this.#isIgnored(folder, true)) return true;
    }
    return false;
  }

  /** Reads the rules of a folder that was not listed. */
  async #rulesFor(folder: string): Promise<void> {
    if (this.#rules.has(folder)) return;
    if (folder !== "") await this.#rulesFor(parentOf(folder));
    await this.#readRules(folder);
  }

  async #readRules(folder: string): Promise<void> {
    const above = folder === "" ? undefined : this.#rulesAbove(folder);
    const file = this.#locate(folder === "" ? ".gitignore" : `${folder}/.gitignore`);
    const text = await readFile(file, "utf8").catch(() => undefined);
    const rules = text === undefined ? above : new IgnoreRules(folder, text, above);
    this.#rules.set(folder, rules);
  }

  #rulesAbove(folder: string): IgnoreRules | undefined {
    for (let at = parentOf(folder);; at = parentOf(at)) {
      if (this.#rules.has(at) || at === "") return this.#rules.get(at);
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function isExcluded(path: string): boolean {
  return path.split("/").some((name) => EXCLUDED.has(name));
}

/** Waits for something that may fail because a file is not there. */
async function missing<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ENOENT") throw cause;
    throw new NoSuchFileError(path, { cause });
  }
}

async function mapParallel<T, R>(
  items: readonly T[],
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await map(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, work));
  return results;
}
