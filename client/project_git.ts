/** The repository of a shared folder, as a host needs it. [projects 7.3] */

/** A branch. */
export interface GitBranch {
  /** `refs/heads/main`. */
  readonly ref: string;
  readonly isHead: boolean;
  readonly commit: string;
  readonly subject: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** How a file differs from the last commit; letters as `git status --porcelain` has them. */
export interface GitStatusLine {
  readonly path: string;
  /** In the index: `M`, `A`, `D`, `R`, `?` …, a space for no difference. */
  readonly index: string;
  /** In the folder, against the index. */
  readonly worktree: string;
}

/** A repository; of this machine's disk it is `DiskGit`. */
export interface ProjectGit {
  readonly absPath: string;
  /** All local branches. */
  branches(): Promise<GitBranch[]>;
  /** Files that differ from the last commit. */
  status(): Promise<GitStatusLine[]>;
  /** Text of a file in the last commit; undefined if it has none. */
  committedText(path: string): Promise<string | undefined>;
  /** Text of a file in the index; undefined if it has none. */
  stagedText(path: string): Promise<string | undefined>;
  /** Makes a branch of the present commit, and goes to it. */
  createBranch(name: string): Promise<void>;
  /** Goes to a branch. */
  changeBranch(name: string): Promise<void>;
}
