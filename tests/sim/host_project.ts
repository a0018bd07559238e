/** A project that a simulated client shares: its files, and what it tells of them. */
import {
  ChannelRoleEnum,
  type Entry,
  GitStatusEnum,
  type Init,
  type MessageTypes,
  type WorktreeMetadata,
} from "../../proto/mod.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { applyChunk, type Chunk, HostWorktree } from "./host_worktree.ts";
import { hostKeys } from "./host_keys.ts";
import { ABSENT, Register } from "./register.ts";
import { SimBuffer } from "./sim_buffer.ts";
import type { SimClient } from "./sim_client.ts";

/** Ids above 2^53, which a number would round. */
export const BIG = 2n ** 60n;

interface Repository {
  readonly id: bigint;
  scanId: bigint;
  branch: string;
  readonly statuses: Map<string, number>;
  readonly removed: Set<string>;
}

export class HostProject {
  readonly worktrees = new Map<bigint, HostWorktree>();
  readonly repositories = new Map<bigint, Repository>();
  readonly #removedRepositories = new Set<bigint>();
  readonly registers = new Map<string, Register>();
  readonly buffers = new Map<bigint, SimBuffer>();
  readonly disk = new Map<string, string>();
  collaborators: MessageTypes["Collaborator"][] = [];
  /** The server knows this connection as the host's. */
  attached = true;
  /** Something was answered with an error: only coming back mends it. [projects 7.1] */
  stalled = false;
  #shared = new Map<string, Set<bigint>>();
  #generation = 0;
  #nextId = 1n;

  constructor(readonly client: SimClient, readonly id: bigint, worktrees: HostWorktree[]) {
    for (const one of worktrees) this.worktrees.set(one.id, one);
  }

  /** Nothing is on its way to the server. */
  get idle(): boolean {
    return [...this.worktrees.values()].every((one) => one.queue.length === 0);
  }

  metadata(): WorktreeMetadata[] {
    return [...this.worktrees.values()].map((one) => one.metadata);
  }

  detach(): void {
    this.attached = false;
    this.#generation++;
    for (const register of this.registers.values()) register.doubt();
    for (const worktree of this.worktrees.values()) worktree.sending = false;
    for (const buffer of this.buffers.values()) buffer.abandon();
  }

  /** The server has moved the project to this connection. [projects 12.5] */
  attach(collaborators: MessageTypes["Collaborator"][], listed: ReadonlySet<bigint>): void {
    this.attached = true;
    this.stalled = false;
    this.collaborators = collaborators;
    this.#shared = new Map();
    for (const id of listed) {
      const worktree = this.worktrees.get(id);
      if (worktree !== undefined) worktree.announced = true;
    }
    this.announce();
    for (const repository of this.repositories.values()) this.#tellRepository(repository, true);
    for (const id of this.#removedRepositories) {
      this.#tell("RemoveRepository", { projectId: this.id, id });
    }
    for (const worktree of this.worktrees.values()) this.#pump(worktree);
  }

  /** Tells the whole list of worktrees. [projects 5.2] */
  announce(): void {
    const told = [...this.worktrees.values()];
    const generation = this.#generation;
    this.#request("UpdateProject", { projectId: this.id, worktrees: this.metadata() })
      .then((done) => {
        if (!done || generation !== this.#generation) return;
        for (const worktree of told) {
          worktree.announced = true;
          this.#pump(worktree);
        }
      });
  }

  addWorktree(): void {
    const id = BIG + this.#nextId++;
    this.worktrees.set(id, new HostWorktree(id, `root${id - BIG}`));
    if (this.attached) this.announce();
  }

  removeWorktree(id: bigint): void {
    this.worktrees.delete(id);
    for (const key of this.registers.keys()) {
      if (key.startsWith(`setting ${id} `) || key.startsWith(`diagnostic ${id} `)) {
        this.registers.delete(key);
      }
    }
    if (this.attached) this.announce();
  }

  /** A scan of the folder found `added` files and that others are gone. */
  changeTree(worktree: HostWorktree, added: readonly string[], removed: readonly bigint[]): void {
    worktree.scanId++;
    for (const id of removed) worktree.entries.delete(id);
    const updated = added.map((path) => {
      const entry: Entry = {
        id: worktree.ids.get(path) ?? BIG * 2n + this.#nextId++,
        isDir: false,
        path,
        inode: this.#nextId,
        mtime: { seconds: worktree.scanId, nanos: 5 },
        isIgnored: false,
        isExternal: false,
        isHidden: false,
        isFifo: false,
        size: undefined,
        canonicalPath: undefined,
      };
      worktree.entries.set(entry.id, entry);
      worktree.ids.set(path, entry.id);
      return entry;
    });
    const gone = removed.filter((id) => !worktree.entries.has(id));
    // In pieces, as large trees are told: the scan is complete with the last of them.
    const size = Math.max(1, Math.min(256, Math.ceil(updated.length / 2)));
    for (let at = 0; at < Math.max(1, updated.length); at += size) {
      worktree.queue.push({
        updated: updated.slice(at, at + size),
        removed: at === 0 ? gone : [],
        scanId: worktree.scanId,
        isLast: at + size >= updated.length,
      });
    }
    this.#pump(worktree);
  }

  setSetting(worktree: bigint, path: string, kind: number, content: string | undefined): void {
    const text = content ?? ABSENT;
    this.#register(hostKeys.setting(worktree, path, kind), text);
    this.client.send("UpdateWorktreeSettings", {
      projectId: this.id,
      worktreeId: worktree,
      path,
      kind,
      content,
    });
  }

  setDiagnostics(worktree: bigint, path: string, server: bigint, counts: readonly number[]): void {
    const [first, ...more] = counts.map((errorCount, index) => ({
      path: `${path}${index}`,
      languageServerId: server,
      errorCount,
      warningCount: 1,
    }));
    for (const one of [first, ...more]) {
      if (one === undefined) continue;
      this.#register(hostKeys.diagnostic(worktree, one.path, server), `${one.errorCount}/1`);
    }
    this.client.send("UpdateDiagnosticSummary", {
      projectId: this.id,
      worktreeId: worktree,
      summary: first,
      moreSummaries: more,
    });
  }

  setServer(id: bigint, name: string, capabilities: string): void {
    this.#register(hostKeys.server(id), `${name} ${capabilities}`);
    this.client.send("StartLanguageServer", {
      projectId: this.id,
      server: { id, name },
      capabilities,
    });
  }

  removeServer(id: bigint): void {
    this.#register(hostKeys.server(id), ABSENT);
    this.client.send("UpdateLanguageServer", {
      projectId: this.id,
      languageServerId: id,
      removed: {},
    });
  }

  changeRepository(id: bigint, branch: string, path: string, status: number | undefined): void {
    let repository = this.repositories.get(id);
    if (repository === undefined) {
      if (this.#removedRepositories.has(id)) return;
      repository = { id, scanId: 0n, branch, statuses: new Map(), removed: new Set() };
      this.repositories.set(id, repository);
    }
    repository.branch = branch;
    if (status === undefined) {
      repository.statuses.delete(path);
      repository.removed.add(path);
    } else {
      repository.statuses.set(path, status);
      repository.removed.delete(path);
    }
    this.#tellRepository(repository, false, path);
  }

  removeRepository(id: bigint): void {
    if (!this.repositories.delete(id)) return;
    this.#removedRepositories.add(id);
    this.#tell("RemoveRepository", { projectId: this.id, id });
  }

  /** Everything told up to there has arrived. */
  confirm(order: number): void {
    for (const register of this.registers.values()) register.confirm(order);
  }

  doubt(): void {
    for (const register of this.registers.values()) register.doubt();
  }

  /** Opens a file of the tree. */
  open(path: string): SimBuffer {
    const open = [...this.buffers.values()].find((one) => one.path === path);
    if (open !== undefined) return open;
    const id = BIG * 3n + this.#nextId++;
    const text = this.disk.get(path) ?? `This is ${path}.\nIt has two lines.\n`;
    const buffer = new SimBuffer(this.id, id, path, text, 0, this.client.sim.ledger);
    this.buffers.set(id, buffer);
    return buffer;
  }

  /** Gives a buffer to a guest who does not have it. [projects 9.1] */
  share(buffer: SimBuffer, peerId: PeerId): void {
    const shared = this.#sharedWith(peerId);
    if (shared.has(buffer.id)) return;
    shared.add(buffer.id);
    const to = { projectId: this.id, peerId };
    this.client.send("CreateBufferForPeer", {
      ...to,
      state: { id: buffer.id, file: { path: buffer.path }, baseText: buffer.baseText },
    });
    const operations = buffer.missing([]);
    for (let at = 0; at === 0 || at < operations.length; at += 20) {
      this.client.send("CreateBufferForPeer", {
        ...to,
        chunk: {
          bufferId: buffer.id,
          operations: operations.slice(at, at + 20),
          isLast: at + 20 >= operations.length,
        },
      });
    }
  }

  /** [projects 9.5] */
  synchronize(
    peerId: PeerId,
    buffers: readonly MessageTypes["BufferVersion"][],
  ): Init<MessageTypes["SynchronizeBuffersResponse"]> {
    const known = buffers.filter(({ id }) => this.buffers.has(id));
    this.#shared.set(peerName(peerId), new Set(known.map(({ id }) => id)));
    const answer = known.map(({ id }) => ({
      id,
      version: (this.buffers.get(id) as SimBuffer).version,
    }));
    // Behind the answer.
    Promise.resolve().then(() => Promise.resolve()).then(() => {
      for (const { id, version } of known) {
        const operations = (this.buffers.get(id) as SimBuffer).missing(version);
        if (operations.length > 0) this.update(id, operations);
      }
    });
    return { buffers: answer };
  }

  update(bufferId: bigint, operations: readonly Init<MessageTypes["Operation"]>[]): void {
    if (!this.attached) return;
    this.client.quietly(
      this.client.ask("UpdateBuffer", { projectId: this.id, bufferId, operations }),
    );
  }

  /** What somebody who may not edit any more has not sent yet never comes. */
  rolesChanged(participants: readonly MessageTypes["Participant"][]): void {
    for (const { role, peerId } of participants) {
      if (role === ChannelRoleEnum.Admin || role === ChannelRoleEnum.Member) continue;
      for (const buffer of this.buffers.values()) buffer.abandon(peerId);
    }
  }

  forget(peerId: PeerId): void {
    this.#shared.delete(peerName(peerId));
    for (const buffer of this.buffers.values()) buffer.abandon(peerId);
  }

  #sharedWith(peerId: PeerId): Set<bigint> {
    const name = peerName(peerId);
    let shared = this.#shared.get(name);
    if (shared === undefined) this.#shared.set(name, shared = new Set());
    return shared;
  }

  #register(key: string, text: string): void {
    let register = this.registers.get(key);
    if (register === undefined) this.registers.set(key, register = new Register());
    register.tell(text, this.client.nextOrder());
  }

  #tellRepository(repository: Repository, whole: boolean, path?: string): void {
    repository.scanId++;
    const paths = whole ? [...repository.statuses.keys()] : [path as string];
    const updated = paths.flatMap((repoPath) => {
      const simpleStatus = repository.statuses.get(repoPath);
      return simpleStatus === undefined ? [] : [{
        repoPath,
        simpleStatus,
        status: { tracked: { indexStatus: simpleStatus, worktreeStatus: 0 } },
      }];
    });
    this.#tell("UpdateRepository", {
      projectId: this.id,
      id: repository.id,
      absPath: `/home/${repository.id}`,
      branchSummary: { refName: repository.branch, isHead: true },
      updatedStatuses: updated,
      removedStatuses: whole
        ? [...repository.removed]
        : paths.filter((one) => !repository.statuses.has(one)),
      scanId: repository.scanId,
      isLastUpdate: true,
    });
  }

  #tell<N extends "UpdateRepository" | "RemoveRepository">(
    name: N,
    value: Init<MessageTypes[N]>,
  ): void {
    if (this.attached) this.#request(name, value);
  }

  async #request<N extends "UpdateRepository" | "RemoveRepository" | "UpdateProject">(
    name: N,
    value: Init<MessageTypes[N]>,
  ): Promise<boolean> {
    const generation = this.#generation;
    const outcome = await this.client.outcome(this.client.ask(name, value));
    if (outcome === "refused" && generation === this.#generation) this.stalled = true;
    return outcome === "done";
  }

  /** One chunk after the other, each acknowledged before the next. [projects 5.1] */
  async #pump(worktree: HostWorktree): Promise<void> {
    if (worktree.sending) return;
    worktree.sending = true;
    const generation = this.#generation;
    while (
      this.attached && !this.stalled && worktree.announced && worktree.queue.length > 0 &&
      this.worktrees.has(worktree.id)
    ) {
      const chunk = worktree.queue[0] as Chunk;
      const outcome = await this.client.outcome(this.client.ask("UpdateWorktree", {
        projectId: this.id,
        worktreeId: worktree.id,
        rootName: worktree.rootName,
        absPath: worktree.metadata.absPath,
        updatedEntries: chunk.updated,
        removedEntries: chunk.removed,
        scanId: chunk.scanId,
        isLastUpdate: chunk.isLast,
      }));
      if (generation !== this.#generation) return;
      if (outcome === "refused" && this.worktrees.has(worktree.id)) this.stalled = true;
      if (outcome !== "done") break;
      applyChunk(worktree.acknowledged, chunk);
      worktree.queue.shift();
    }
    worktree.sending = false;
  }
}

function peerName({ ownerId, id }: PeerId): string {
  return `${ownerId}:${id}`;
}

export const gitStatuses: readonly number[] = [
  GitStatusEnum.Added,
  GitStatusEnum.Modified,
  GitStatusEnum.Deleted,
];
