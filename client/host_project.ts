/** A project that this client shares with a room. [projects 5] */
import type {
  CreateProjectEntry,
  DeleteProjectEntry,
  FindSearchCandidates,
  Init,
  ProjectEntryResponse,
  RenameProjectEntry,
  ResharedProject,
  UpdateProject,
} from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import type { Buffer } from "./buffer.ts";
import type { CollabClient } from "./collab_client.ts";
import { Collaborators } from "./collaborators.ts";
import type { EntitySubscription, MessageContext } from "./dispatcher.ts";
import { HostBuffers } from "./host_buffers.ts";
import { HostGit } from "./host_git.ts";
import { HostSearch } from "./host_search.ts";
import { HostWorktree, type TreeResult } from "./host_worktree.ts";
import type { ProjectFiles } from "./project_files.ts";
import type { ProjectGit } from "./project_git.ts";
import { PROJECT_FEATURES } from "./project_features.ts";
import type { TreeChunk } from "./tree_stream.ts";
import { deferred } from "./platform.ts";

/** What is shared. */
export interface ShareOptions {
  readonly roomId: bigint;
  /** One worktree each. */
  readonly folders: readonly ProjectFiles[];
  /** What guests must know as well; see {@link PROJECT_FEATURES}. */
  readonly features?: readonly string[];
}

/** The host's side of a project: the originals, and the answers to guests. */
export class HostProject implements Disposable {
  readonly id: bigint;
  readonly client: CollabClient;
  readonly buffers: HostBuffers;
  readonly collaborators = new Collaborators();
  readonly #worktrees = new Map<bigint, HostWorktree>();
  readonly #repositories = new Map<bigint, HostGit>();
  readonly #search: HostSearch;
  readonly #subscription: EntitySubscription;
  readonly #nextEntryId: () => bigint;
  #isShared = true;

  private constructor(
    client: CollabClient,
    id: bigint,
    worktrees: ReadonlyMap<bigint, HostWorktree>,
    nextEntryId: () => bigint,
  ) {
    this.client = client;
    this.id = id;
    this.#nextEntryId = nextEntryId;
    for (const worktree of worktrees.values()) this.#worktrees.set(worktree.id, worktree);
    const worktree = (worktreeId: bigint) => this.worktree(worktreeId);
    this.buffers = new HostBuffers({ client, projectId: id, worktree });
    this.#search = new HostSearch({
      client,
      projectId: id,
      worktrees: () => this.#worktrees.values(),
      buffers: this.buffers,
    });
    this.#subscription = client.subscribe("project", id);
    this.#attach();
  }

  /**
   * Reads the folders, and shares them. Resolves once guests can join; the tree follows, see
   * {@link flushed}.
   *
   * @throws {RequestError} the server does not allow it.
   */
  static async share(
    client: CollabClient,
    { roomId, folders, features = PROJECT_FEATURES }: ShareOptions,
  ): Promise<HostProject> {
    let lastEntryId = 0n;
    const nextEntryId = () => ++lastEntryId;
    const shared = deferred<HostProject>();
    const worktrees = new Map<bigint, HostWorktree>();
    for (const [index, files] of folders.entries()) {
      const id = BigInt(index + 1);
      const send = async (worktree: HostWorktree, chunk: TreeChunk) => {
        await (await shared.promise).#sendTree(worktree, chunk);
      };
      worktrees.set(id, new HostWorktree(id, files, nextEntryId, send));
    }
    const scans = Promise.all([...worktrees.values()].map((worktree) => worktree.scan()));
    // It may fail before the server has answered; who awaits it below learns of it.
    scans.catch(() => {});
    const { projectId } = await client.request("ShareProject", {
      roomId,
      worktrees: [...worktrees.values()].map(({ metadata }) => metadata),
      features,
    });
    const project = new HostProject(client, projectId, worktrees, nextEntryId);
    shared.resolve(project);
    await scans;
    await project.#streamTrees();
    return project;
  }

  /** The worktrees, by their ids. */
  get worktrees(): ReadonlyMap<bigint, HostWorktree> {
    return this.#worktrees;
  }

  /** Whether it is still shared. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** One worktree. @throws {Error} there is none with that id. */
  worktree(id: bigint): HostWorktree {
    const worktree = this.#worktrees.get(id);
    if (worktree === undefined) throw new Error(`No worktree has the id ${id}`);
    return worktree;
  }

  /** Resolves once the server has the trees as they are. @throws {Error} it did not take them. */
  async flushed(): Promise<void> {
    await Promise.all([...this.#worktrees.values()].map(({ stream }) => stream.flushed()));
  }

  /** Opens a file on the host itself. */
  openBuffer(path: string, worktreeId = 1n): Promise<Buffer> {
    return this.buffers.open(this.worktree(worktreeId), path);
  }

  /** Shares another folder in the same project. */
  async addFolder(files: ProjectFiles): Promise<HostWorktree> {
    let id = 1n;
    for (const known of this.#worktrees.keys()) if (known >= id) id = known + 1n;
    const worktree = new HostWorktree(
      id,
      files,
      this.#nextEntryId,
      (of, chunk) => this.#sendTree(of, chunk),
    );
    this.#worktrees.set(id, worktree);
    await worktree.scan();
    await this.client.request("UpdateProject", this.description());
    worktree.stream.start();
    return worktree;
  }

  /** Shares a folder's repository. @returns it, to be refreshed when something has changed there. */
  async addRepository(git: ProjectGit): Promise<HostGit> {
    const repository = new HostGit(this.client, this.id, BigInt(this.#repositories.size + 1), git);
    this.#repositories.set(repository.id, repository);
    await repository.refresh();
    return repository;
  }

  /** What `RejoinRoom` and `UpdateProject` say of it. */
  description(): Init<UpdateProject> {
    const worktrees = [...this.#worktrees.values()].map(({ metadata }) => metadata);
    return { projectId: this.id, worktrees };
  }

  /** Goes on after a new connection has rejoined the room. [projects 12.5] */
  async reshared({ collaborators }: ResharedProject): Promise<void> {
    this.buffers.forget();
    this.collaborators.reset(collaborators);
    await this.#streamTrees();
    for (const repository of this.#repositories.values()) await repository.resend();
  }

  /** Stops to send, until {@link reshared}: the connection is gone. */
  suspend(): void {
    for (const { stream } of this.#worktrees.values()) stream.stop();
  }

  /** Ends the project for everybody. */
  unshare(): void {
    if (!this.#isShared) return;
    this.client.send("UnshareProject", { projectId: this.id });
    this[Symbol.dispose]();
  }

  /** Ends it here only, as when the room is left. */
  [Symbol.dispose](): void {
    this.#isShared = false;
    this.suspend();
    this.#subscription[Symbol.dispose]();
  }

  /** No tree goes out before the server has acknowledged the list of worktrees. [projects 5.2] */
  async #streamTrees(): Promise<void> {
    await this.client.request("UpdateProject", this.description());
    for (const { stream } of this.#worktrees.values()) stream.start();
  }

  async #sendTree(worktree: HostWorktree, chunk: TreeChunk): Promise<void> {
    const { rootName, absPath } = worktree.files;
    await this.client.request("UpdateWorktree", {
      projectId: this.id,
      worktreeId: worktree.id,
      rootName,
      absPath,
      ...chunk,
    });
  }

  #attach(): void {
    const { buffers } = this;
    this.#subscription.attach({
      messages: {
        AddProjectCollaborator: ({ collaborator }) => {
          if (collaborator?.peerId === undefined) return;
          buffers.forget(collaborator.peerId);
          this.collaborators.add(collaborator);
        },
        RemoveProjectCollaborator: ({ peerId }) => {
          if (peerId !== undefined) buffers.forget(peerId);
          const left = this.collaborators.remove(peerId);
          if (left !== undefined) buffers.dropSelections(left.replicaId);
        },
        UpdateProjectCollaborator: ({ oldPeerId, newPeerId }) => {
          if (oldPeerId === undefined || newPeerId === undefined) return;
          buffers.rename(oldPeerId, newPeerId);
          this.collaborators.rename(oldPeerId, newPeerId);
        },
        FindSearchCandidatesCancelled: ({ handle }, context) =>
          this.#search.cancel(handle, senderOf(context)),
      },
      requests: {
        OpenBufferByPath: async ({ worktreeId, path }, context) => {
          const sender = senderOf(context);
          return buffers.share(await this.openBuffer(path, worktreeId), sender);
        },
        OpenBufferById: ({ id }, context) => buffers.share(buffers.get(id), senderOf(context)),
        UpdateBuffer: ({ bufferId, operations }) => {
          buffers.get(bufferId).apply(operations);
          return {};
        },
        SaveBuffer: ({ bufferId, version, newPath }) => buffers.save(bufferId, version, newPath),
        SynchronizeBuffers: ({ buffers: versions }, context) =>
          buffers.synchronize(versions, senderOf(context)),
        CreateProjectEntry: (request) => this.#createEntry(request),
        RenameProjectEntry: (request) => this.#renameEntry(request),
        DeleteProjectEntry: (request) => this.#deleteEntry(request),
        GitGetBranches: ({ repositoryId }) => this.#repository(repositoryId).branches(),
        GitCreateBranch: ({ repositoryId, branchName }) =>
          this.#repository(repositoryId).createBranch(branchName),
        GitChangeBranch: ({ repositoryId, branchName }) =>
          this.#repository(repositoryId).changeBranch(branchName),
        OpenUncommittedDiff: ({ bufferId }) =>
          this.#repositoryOf(buffers.get(bufferId)).openDiff(buffers.get(bufferId)),
        FindSearchCandidates: (request, context) => this.#startSearch(request, senderOf(context)),
      },
    });
  }

  async #createEntry(
    { worktreeId, path, isDirectory, content }: CreateProjectEntry,
  ): Promise<Init<ProjectEntryResponse>> {
    const worktree = this.worktree(worktreeId);
    const what = isDirectory ? "directory" : content ?? new Uint8Array();
    return entryResponse(await worktree.create(path, what));
  }

  async #renameEntry(
    { entryId, newPath, newWorktreeId }: RenameProjectEntry,
  ): Promise<Init<ProjectEntryResponse>> {
    const worktree = this.#worktreeOf(entryId);
    // Clients of 2025 do not name the worktree.
    if (newWorktreeId !== 0n && newWorktreeId !== worktree.id) {
      throw new Error("Cannot move an entry to another worktree; copy it there and delete it here");
    }
    const from = worktree.entry(entryId)?.path as string;
    const result = await worktree.rename(entryId, newPath);
    this.buffers.moved(worktree, from, newPath);
    return entryResponse(result);
  }

  async #deleteEntry({ entryId }: DeleteProjectEntry): Promise<Init<ProjectEntryResponse>> {
    const worktree = this.#worktreeOf(entryId);
    const path = worktree.entry(entryId)?.path as string;
    const result = await worktree.remove(entryId);
    this.buffers.moved(worktree, path, undefined);
    return entryResponse(result);
  }

  #startSearch(
    { query, limit, handle }: FindSearchCandidates,
    peer: PeerId,
  ): Record<string, never> {
    if (query === undefined) throw new Error("Cannot search without a query");
    this.#search.start(query, limit, handle, peer);
    return {};
  }

  #repository(id: bigint): HostGit {
    const repository = this.#repositories.get(id);
    if (repository === undefined) throw new Error(`No repository has the id ${id}`);
    return repository;
  }

  /** The repository of the folder that a buffer's file is in. */
  #repositoryOf(buffer: Buffer): HostGit {
    const { file } = buffer;
    const root = file === undefined ? undefined : this.worktree(file.worktreeId).files.absPath;
    for (const repository of this.#repositories.values()) {
      if (repository.absPath === root) return repository;
    }
    throw new Error(`${JSON.stringify(file?.path ?? "")} is in no repository`);
  }

  #worktreeOf(entryId: bigint): HostWorktree {
    for (const worktree of this.#worktrees.values()) {
      if (worktree.entry(entryId) !== undefined) return worktree;
    }
    throw new Error(`No entry has the id ${entryId}`);
  }
}

function senderOf({ originalSenderId }: MessageContext): PeerId {
  if (originalSenderId === undefined) {
    throw new Error("Cannot tell whose request this is: it has no original sender");
  }
  return originalSenderId;
}

function entryResponse({ entry, scanId }: TreeResult): Init<ProjectEntryResponse> {
  return { entry, worktreeScanId: scanId };
}
