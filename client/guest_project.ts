/** A project of somebody else, joined. [projects 6] */
import type {
  Entry,
  Init,
  JoinProjectResponse,
  ProjectEntryResponse,
  RejoinedProject,
  RejoinProject,
  SearchQuery,
} from "../proto/mod.ts";
import type { Buffer } from "./buffer.ts";
import type { CollabClient } from "./collab_client.ts";
import { Collaborators } from "./collaborators.ts";
import type { EntitySubscription } from "./dispatcher.ts";
import { chainText } from "./errors.ts";
import { GuestBuffers } from "./guest_buffers.ts";
import { GuestGit } from "./guest_git.ts";
import { GuestSearches } from "./guest_search.ts";
import { ProjectFacts } from "./project_facts.ts";
import { PROJECT_FEATURES } from "./project_features.ts";
import { ProjectTree } from "./project_tree.ts";
import { samePeer } from "./same_peer.ts";
import { deferred } from "./platform.ts";

/** How a project is joined. */
export interface JoinOptions {
  /** Have to equal the host's; see {@link PROJECT_FEATURES}. */
  readonly features?: readonly string[];
}

/** The guest's side of a project: a copy of what the host tells, and requests to the host. */
export class GuestProject implements Disposable {
  readonly id: bigint;
  readonly client: CollabClient;
  /** The number that this guest's edits carry; it stays through reconnects. */
  readonly replicaId: number;
  readonly collaborators = new Collaborators();
  readonly tree = new ProjectTree();
  readonly facts = new ProjectFacts();
  readonly buffers: GuestBuffers;
  readonly git: GuestGit;
  /** Resolves with the reason when the project ends. */
  readonly closed: Promise<string>;
  readonly #searches: GuestSearches;
  readonly #closed = deferred<string>();
  readonly #subscription: EntitySubscription;
  #endReason: string | undefined;

  private constructor(
    client: CollabClient,
    response: JoinProjectResponse,
    subscription: EntitySubscription,
  ) {
    this.client = client;
    this.id = response.projectId;
    this.replicaId = response.replicaId;
    this.closed = this.#closed.promise;
    this.buffers = new GuestBuffers(client, this.id, response.replicaId);
    this.git = new GuestGit(client, this.id);
    this.#searches = new GuestSearches(client, this.id);
    this.#subscription = subscription;
    this.collaborators.reset(response.collaborators);
    this.tree.setWorktrees(response.worktrees);
    this.facts.setLanguageServers(response.languageServers, response.languageServerCapabilities);
    this.#attach();
  }

  /**
   * Joins. The tree follows; see {@link ProjectTree.complete}.
   *
   * @throws {RequestError} the server does not allow it.
   */
  static async join(
    client: CollabClient,
    projectId: bigint,
    { features = PROJECT_FEATURES }: JoinOptions = {},
  ): Promise<GuestProject> {
    const subscription = client.subscribe("project", projectId);
    try {
      const response = await client.request("JoinProject", { projectId, features });
      return new GuestProject(client, response, subscription);
    } catch (error) {
      subscription[Symbol.dispose]();
      throw error;
    }
  }

  /** Why it ended; undefined while it goes on. */
  get endReason(): string | undefined {
    return this.#endReason;
  }

  /**
   * Opens a file.
   *
   * @param path in the worktree; the first one that has it if no worktree is named.
   * @throws {RequestError} the host cannot open it.
   */
  async openBuffer(path: string, worktreeId?: bigint): Promise<Buffer> {
    const worktree = worktreeId ?? this.#find(path).worktreeId;
    const { bufferId } = await this.client.request("OpenBufferByPath", {
      projectId: this.id,
      worktreeId: worktree,
      path,
    });
    return await this.buffers.get(bufferId);
  }

  /** Saves what the buffer has now. [projects 9.4] */
  async save(buffer: Buffer): Promise<void> {
    const { version, mtime } = await this.client.request("SaveBuffer", {
      projectId: this.id,
      bufferId: buffer.id,
      version: buffer.version,
    });
    buffer.saved(version, mtime);
  }

  /** Makes a file or folder; resolves once the tree has it. */
  async createEntry(
    worktreeId: bigint,
    path: string,
    content: Uint8Array | "directory" = new Uint8Array(),
  ): Promise<Entry> {
    const isDirectory = content === "directory";
    const response = await this.client.request("CreateProjectEntry", {
      projectId: this.id,
      worktreeId,
      path,
      isDirectory,
      ...(!isDirectory && { content }),
    });
    return await this.#inTree(worktreeId, response) as Entry;
  }

  /** Moves an entry within its worktree; resolves once the tree has it at its new place. */
  async renameEntry(entryId: bigint, newPath: string): Promise<Entry> {
    const worktreeId = this.#worktreeOf(entryId);
    const response = await this.client.request("RenameProjectEntry", {
      projectId: this.id,
      entryId,
      newPath,
      newWorktreeId: worktreeId,
    });
    return await this.#inTree(worktreeId, response) as Entry;
  }

  /** Deletes an entry with what is below it; resolves once the tree has it no more. */
  async deleteEntry(entryId: bigint): Promise<void> {
    const worktreeId = this.#worktreeOf(entryId);
    const response = await this.client.request("DeleteProjectEntry", {
      projectId: this.id,
      entryId,
      useTrash: false,
    });
    await this.#inTree(worktreeId, response);
  }

  /** Searches the project on the host; yields the buffers that have what is searched. */
  async *search(query: Init<SearchQuery>, limit = 1000): AsyncGenerator<Buffer> {
    for await (const bufferId of this.#searches.start(query, limit)) {
      yield await this.buffers.get(bufferId);
    }
  }

  /** The user's role in the room has changed, and with it what he may do here. [projects 4] */
  setReadOnly(isReadOnly: boolean): void {
    const wasReadOnly = this.buffers.isReadOnly;
    this.buffers.setReadOnly(isReadOnly);
    // What the server refused meanwhile is sent now.
    if (wasReadOnly && !isReadOnly && this.buffers.syncError !== undefined) {
      void this.#synchronize();
    }
  }

  /** Leaves the project. */
  leave(): void {
    if (this.#endReason === undefined) this.client.send("LeaveProject", { projectId: this.id });
    this.end("left");
  }

  /** Own edits wait from now on, until {@link rejoined}: the connection is gone. */
  suspend(reason: string): void {
    this.buffers.suspend(new Error(`Not connected: ${reason}`));
  }

  /** What `RejoinRoom` says of it. [projects 12.2] */
  description(): Init<RejoinProject> {
    return {
      id: this.id,
      worktrees: this.tree.rejoin(),
      repositories: this.facts.rejoin(),
    };
  }

  /** Goes on after a new connection has rejoined the room. [projects 12.5] */
  async rejoined(project: RejoinedProject): Promise<void> {
    this.tree.setWorktrees(project.worktrees);
    this.collaborators.reset(project.collaborators);
    this.facts.clearSettings();
    this.facts.setLanguageServers(project.languageServers, project.languageServerCapabilities);
    await this.#synchronize();
  }

  /** The project is over. */
  end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    const error = new Error(`The project ended: ${reason}`);
    this.tree.end(error);
    this.buffers.end(error);
    this.git.end(error);
    this.#searches.end(error);
    this.#subscription[Symbol.dispose]();
    this.#closed.resolve(reason);
  }

  /** Leaves the project. */
  [Symbol.dispose](): void {
    this.leave();
  }

  /** Makes the buffers equal to the host's; what fails is tried again when the host is back. */
  async #synchronize(): Promise<void> {
    try {
      await this.buffers.synchronize();
    } catch (error) {
      this.buffers.suspend(new Error(`Not synchronised: ${chainText(error)}`, { cause: error }));
    }
  }

  #attach(): void {
    const { buffers, collaborators, facts, tree } = this;
    this.#subscription.attach({
      messages: {
        UnshareProject: () => this.end("the host has ended it"),
        AddProjectCollaborator: ({ collaborator }) => {
          if (collaborator !== undefined) collaborators.add(collaborator);
        },
        RemoveProjectCollaborator: ({ peerId }) => {
          const left = collaborators.remove(peerId);
          if (left !== undefined) buffers.dropSelections(left.replicaId);
        },
        UpdateProjectCollaborator: async ({ oldPeerId, newPeerId }) => {
          const isNew = !samePeer(oldPeerId, newPeerId);
          const renamed = collaborators.rename(oldPeerId, newPeerId);
          if (isNew && renamed?.isHost) await this.#synchronize();
        },
        UpdateProject: ({ worktrees }) => tree.setWorktrees(worktrees),
        UpdateWorktree: (update) => tree.apply(update),
        UpdateWorktreeSettings: (update) => facts.setSettings(update),
        UpdateDiagnosticSummary: (update) => facts.setDiagnostics(update),
        UpdateRepository: (update) => facts.updateRepository(update),
        RemoveRepository: (removal) => facts.removeRepository(removal),
        StartLanguageServer: (start) => facts.startLanguageServer(start),
        UpdateLanguageServer: (update) => facts.updateLanguageServer(update),
        CreateBufferForPeer: (part) => buffers.onCreate(part),
        UpdateBufferFile: ({ bufferId, file }) => buffers.onFile(bufferId, file),
        BufferSaved: ({ bufferId, version, mtime }) => buffers.onSaved(bufferId, version, mtime),
        BufferReloaded: ({ bufferId, version, mtime, lineEnding }) =>
          buffers.onSaved(bufferId, version, mtime, lineEnding),
        UpdateDiffBases: (update) => this.git.onUpdate(update),
        // Nothing here shows them.
        BreakpointsForFile: () => {},
        RefreshInlayHints: () => {},
        RefreshCodeLens: () => {},
      },
      requests: {
        // The answer goes nowhere, as that of Zed's guests. [projects 16.3]
        UpdateBuffer: ({ bufferId, operations }) => {
          buffers.onUpdate(bufferId, operations);
          return {};
        },
        FindSearchCandidatesChunk: (chunk) => {
          this.#searches.onChunk(chunk);
          return {};
        },
      },
    });
  }

  /** Waits until the tree shows what a request of this guest did. [projects 7.1] */
  async #inTree(
    worktreeId: bigint,
    { entry, worktreeScanId }: ProjectEntryResponse,
  ): Promise<Entry | undefined> {
    await this.tree.until(worktreeId, worktreeScanId);
    return entry;
  }

  #find(path: string): { worktreeId: bigint } {
    const found = this.tree.find(path);
    if (found === undefined) throw new Error(`No worktree has the path ${JSON.stringify(path)}`);
    return { worktreeId: found.worktree.id };
  }

  #worktreeOf(entryId: bigint): bigint {
    for (const worktree of this.tree.worktrees.values()) {
      if (worktree.entry(entryId) !== undefined) return worktree.id;
    }
    throw new Error(`No entry has the id ${entryId}`);
  }
}
