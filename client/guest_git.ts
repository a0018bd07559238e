/** What a guest asks about the host's repositories. [projects 8.2] */
import { type Branch, type UpdateDiffBases, UpdateDiffBases_ModeEnum } from "../proto/mod.ts";
import type { Buffer } from "./buffer.ts";
import type { CollabClient } from "./collab_client.ts";
import { Condition } from "./condition.ts";

/** The texts that a buffer is compared with; undefined where version control has none. */
export interface DiffBases {
  readonly committed: string | undefined;
  readonly staged: string | undefined;
}

/** Branches, and the texts of the last commit and the index. */
export class GuestGit {
  readonly #client: CollabClient;
  readonly #projectId: bigint;
  /** Of the buffers that were opened for comparison. */
  readonly #bases = new Map<bigint, DiffBases>();
  readonly #state = new Condition();

  constructor(client: CollabClient, projectId: bigint) {
    this.#client = client;
    this.#projectId = projectId;
  }

  /** The branches of a repository. */
  async branches(repositoryId: bigint): Promise<readonly Branch[]> {
    const request = { projectId: this.#projectId, repositoryId };
    return (await this.#client.request("GitGetBranches", request)).branches;
  }

  /** Makes a branch on the host, which goes to it. */
  async createBranch(repositoryId: bigint, branchName: string): Promise<void> {
    await this.#client.request("GitCreateBranch", {
      projectId: this.#projectId,
      repositoryId,
      branchName,
    });
  }

  /** Lets the host go to a branch. */
  async changeBranch(repositoryId: bigint, branchName: string): Promise<void> {
    await this.#client.request("GitChangeBranch", {
      projectId: this.#projectId,
      repositoryId,
      branchName,
    });
  }

  /** Compares a buffer from now on. @returns its bases now. */
  async open(buffer: Buffer): Promise<DiffBases> {
    const request = { projectId: this.#projectId, bufferId: buffer.id };
    const { committedText, stagedText, mode } = await this.#client.request(
      "OpenUncommittedDiff",
      request,
    );
    const bases = {
      committed: committedText,
      staged: mode === 0 ? committedText : stagedText,
    };
    this.#bases.set(buffer.id, bases);
    return bases;
  }

  /** The bases of a buffer that is compared. */
  bases(buffer: Buffer): DiffBases | undefined {
    return this.#bases.get(buffer.id);
  }

  /** Resolves once the bases of a buffer are as `test` wants them. */
  async until(buffer: Buffer, test: (bases: DiffBases) => boolean): Promise<void> {
    await this.#state.until(() => {
      const bases = this.#bases.get(buffer.id);
      return bases !== undefined && test(bases);
    });
  }

  /** The host tells other bases. */
  onUpdate({ bufferId, committedText, stagedText, mode }: UpdateDiffBases): void {
    const known = this.#bases.get(bufferId);
    if (known === undefined) return;
    const committed = mode === UpdateDiffBases_ModeEnum.INDEX_ONLY
      ? known.committed
      : committedText;
    const staged = mode === UpdateDiffBases_ModeEnum.HEAD_ONLY
      ? known.staged
      : mode === UpdateDiffBases_ModeEnum.INDEX_MATCHES_HEAD
      ? committedText
      : stagedText;
    this.#bases.set(bufferId, { committed, staged });
    this.#state.changed();
  }

  /** Nothing will come any more. */
  end(error: Error): void {
    this.#state.fail(error);
  }
}
