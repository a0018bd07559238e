/** A host's part of version control: what it tells of a repository, and what guests may ask. */
import {
  type Branch,
  type GitFileStatus,
  GitStatusEnum,
  type Init,
  type OpenUncommittedDiffResponse,
  OpenUncommittedDiffResponse_ModeEnum,
  type StatusEntry,
  UpdateDiffBases_ModeEnum,
} from "../proto/mod.ts";
import type { Buffer } from "./buffer.ts";
import type { CollabClient } from "./collab_client.ts";
import { chunks } from "./operations.ts";
import type { GitBranch, GitStatusLine, ProjectGit } from "./project_git.ts";

/** Statuses that one message may have. [projects 7.3] */
const MAX_STATUSES = 256;

interface DiffBases {
  readonly committed: string | undefined;
  readonly staged: string | undefined;
}

/** One repository of a shared project. */
export class HostGit {
  readonly id: bigint;
  readonly #git: ProjectGit;
  readonly #client: CollabClient;
  readonly #projectId: bigint;
  /** By path, as guests know it. */
  #statuses = new Map<string, Init<StatusEntry>>();
  /** Of the buffers that somebody compares. */
  readonly #bases = new Map<Buffer, DiffBases>();
  #scanId = 0n;

  constructor(client: CollabClient, projectId: bigint, id: bigint, git: ProjectGit) {
    this.#client = client;
    this.#projectId = projectId;
    this.id = id;
    this.#git = git;
  }

  /** The folder that it is of. */
  get absPath(): string {
    return this.#git.absPath;
  }

  /** Looks at the repository again, and tells guests what is different. [projects 7.3] */
  async refresh(): Promise<void> {
    const [branches, lines] = await Promise.all([this.#git.branches(), this.#git.status()]);
    const now = new Map(lines.map((line) => [line.path, toEntry(line)]));
    const updated = [...now.values()].filter(({ repoPath }) =>
      !sameJson(this.#statuses.get(repoPath as string), now.get(repoPath as string))
    );
    const removed = [...this.#statuses.keys()].filter((path) => !now.has(path));
    this.#statuses = now;
    this.#scanId++;
    await this.#tell(branches, updated, removed);
    for (const buffer of this.#bases.keys()) await this.#refreshBases(buffer);
  }

  /** Tells all of it again, to a server that may have missed some. [projects 12.5] */
  async resend(): Promise<void> {
    await this.#tell(await this.#git.branches(), [...this.#statuses.values()], []);
  }

  /** Answers `GitGetBranches`. */
  async branches(): Promise<{ branches: Init<Branch>[] }> {
    return { branches: (await this.#git.branches()).map(toBranch) };
  }

  /** Answers `GitCreateBranch`. */
  async createBranch(name: string): Promise<Record<string, never>> {
    await this.#git.createBranch(name);
    await this.refresh();
    return {};
  }

  /** Answers `GitChangeBranch`. */
  async changeBranch(name: string): Promise<Record<string, never>> {
    await this.#git.changeBranch(name);
    await this.refresh();
    return {};
  }

  /** Answers `OpenUncommittedDiff`; changes are told from then on. */
  async openDiff(buffer: Buffer): Promise<Init<OpenUncommittedDiffResponse>> {
    const bases = await this.#read(buffer);
    this.#bases.set(buffer, bases);
    const { committed, staged } = bases;
    const mode = committed === staged
      ? OpenUncommittedDiffResponse_ModeEnum.INDEX_MATCHES_HEAD
      : OpenUncommittedDiffResponse_ModeEnum.INDEX_AND_HEAD;
    return {
      mode,
      ...(committed !== undefined && { committedText: committed }),
      ...(staged !== undefined && committed !== staged && { stagedText: staged }),
    };
  }

  async #refreshBases(buffer: Buffer): Promise<void> {
    const known = this.#bases.get(buffer);
    const bases = await this.#read(buffer);
    if (sameJson(known, bases)) return;
    this.#bases.set(buffer, bases);
    const { committed, staged } = bases;
    this.#client.send("UpdateDiffBases", {
      projectId: this.#projectId,
      bufferId: buffer.id,
      mode: committed === staged
        ? UpdateDiffBases_ModeEnum.INDEX_MATCHES_HEAD
        : UpdateDiffBases_ModeEnum.INDEX_AND_HEAD,
      ...(committed !== undefined && { committedText: committed }),
      ...(staged !== undefined && committed !== staged && { stagedText: staged }),
    });
  }

  async #read(buffer: Buffer): Promise<DiffBases> {
    const path = buffer.file?.path;
    if (path === undefined) return { committed: undefined, staged: undefined };
    const [committed, staged] = await Promise.all([
      this.#git.committedText(path),
      this.#git.stagedText(path),
    ]);
    return { committed, staged };
  }

  async #tell(
    branches: readonly GitBranch[],
    updated: readonly Init<StatusEntry>[],
    removed: readonly string[],
  ): Promise<void> {
    const head = branches.find(({ isHead }) => isHead);
    const rounds = Math.max(
      1,
      Math.ceil(updated.length / MAX_STATUSES),
      Math.ceil(removed.length / MAX_STATUSES),
    );
    const [added, gone] = [chunks(updated, MAX_STATUSES), chunks(removed, MAX_STATUSES)];
    for (let round = 0; round < rounds; round++) {
      await this.#client.request("UpdateRepository", {
        projectId: this.#projectId,
        id: this.id,
        absPath: this.#git.absPath,
        ...(head !== undefined && { branchSummary: toBranch(head) }),
        branchList: branches.map(toBranch),
        updatedStatuses: added[round] ?? [],
        removedStatuses: gone[round] ?? [],
        scanId: this.#scanId,
        isLastUpdate: round === rounds - 1,
      });
    }
  }
}

function toBranch({ ref, isHead, commit, subject, timestamp }: GitBranch): Init<Branch> {
  return {
    refName: ref,
    isHead,
    unixTimestamp: BigInt(timestamp),
    mostRecentCommit: { sha: commit, subject, commitTimestamp: BigInt(timestamp) },
  };
}

const STATUSES: Readonly<Record<string, number>> = {
  " ": GitStatusEnum.Unmodified,
  A: GitStatusEnum.Added,
  C: GitStatusEnum.Copied,
  D: GitStatusEnum.Deleted,
  M: GitStatusEnum.Modified,
  R: GitStatusEnum.Renamed,
  T: GitStatusEnum.TypeChanged,
  U: GitStatusEnum.Updated,
};

function toEntry({ path, index, worktree }: GitStatusLine): Init<StatusEntry> {
  return { repoPath: path, ...statusOf(index, worktree) };
}

function statusOf(
  index: string,
  worktree: string,
): { simpleStatus: number; status: Init<GitFileStatus> } {
  if (index === "?") return { simpleStatus: GitStatusEnum.Added, status: { untracked: {} } };
  if (index === "!") return { simpleStatus: GitStatusEnum.Added, status: { ignored: {} } };
  const [first, second] = [index, worktree].map((letter) =>
    STATUSES[letter] ?? GitStatusEnum.Modified
  ) as [number, number];
  const isConflict = index === "U" || worktree === "U" || index + worktree === "AA" ||
    index + worktree === "DD";
  if (isConflict) {
    return {
      simpleStatus: GitStatusEnum.Conflict,
      status: { unmerged: { firstHead: first, secondHead: second } },
    };
  }
  return {
    simpleStatus: worktree === " " ? first : second,
    status: { tracked: { indexStatus: first, worktreeStatus: second } },
  };
}

/** Whether both hold the same; they are small, and hold bigints. */
function sameJson(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part) => typeof part === "bigint" ? `${part}n` : part);
  return text(a) === text(b);
}
