/** What a shared project needs of the place where its files are. Paths have `/` and no `..`. */

/** A file or folder as it is at the moment. */
export interface FileInfo {
  /** Relative to the worktree; `""` for its root. */
  readonly path: string;
  readonly isDirectory: boolean;
  readonly inode: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly mtime: number;
  readonly size: number;
  /** Whether version control ignores it; what is in an ignored folder is not listed. */
  readonly isIgnored: boolean;
  /** Where a symbolic link leads, if it leads out of the worktree. */
  readonly externalPath?: string | undefined;
  readonly isFifo: boolean;
}

/** Thrown for what is not there. */
export class NoSuchFileError extends Error {
  override readonly name = "NoSuchFileError";
  constructor(path: string, options?: ErrorOptions) {
    super(`No such file or folder: ${JSON.stringify(path)}`, options);
  }
}

/** The files of one worktree. */
export interface ProjectFiles {
  /** Name of the root. */
  readonly rootName: string;
  /** Where it is on the host's machine; shown to guests. */
  readonly absPath: string;
  /** The whole tree with its root, every folder before what is in it. */
  list(): Promise<FileInfo[]>;
  /** One file or folder; undefined if it is not there. */
  stat(path: string): Promise<FileInfo | undefined>;
  /** A file's content. @throws {NoSuchFileError} */
  read(path: string): Promise<Uint8Array>;
  /** Replaces a file's content, or makes the file with the folders above it. */
  write(path: string, content: Uint8Array): Promise<void>;
  /** Makes a folder with the folders above it. */
  makeDirectory(path: string): Promise<void>;
  /** Moves a file or folder, over nothing. @throws {NoSuchFileError} */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with what is in it. @throws {NoSuchFileError} */
  remove(path: string): Promise<void>;
}
