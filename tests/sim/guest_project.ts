/** A project that a simulated client has joined, as the server tells it. */
import { encode, type Init, type MessageTypes } from "../../proto/mod.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { samePeer } from "../../client/same_peer.ts";
import { entryText } from "./host_worktree.ts";
import { hostKeys } from "./host_keys.ts";
import { SimBuffer } from "./sim_buffer.ts";
import type { SimClient } from "./sim_client.ts";

type Operations = readonly Init<MessageTypes["Operation"]>[];

export interface GuestWorktree {
  readonly entries: Map<bigint, string>;
  rootName: string;
  scanId: bigint;
  completedScanId: bigint;
}

export interface GuestRepository {
  scanId: bigint;
  branch: string;
  /** The last message of its state has come. */
  complete: boolean;
  readonly statuses: Map<string, string>;
}

/** What the answers to joining and coming back have in common. */
type Joined = Pick<
  MessageTypes["JoinProjectResponse"],
  "worktrees" | "collaborators" | "languageServers" | "languageServerCapabilities"
>;

export class GuestProject {
  readonly worktrees = new Map<bigint, GuestWorktree>();
  readonly repositories = new Map<bigint, GuestRepository>();
  /** Settings, diagnostics and language servers by the keys of {@link hostKeys}. */
  readonly facts = new Map<string, string>();
  readonly buffers = new Map<bigint, SimBuffer>();
  collaborators: MessageTypes["Collaborator"][] = [];
  attached = true;
  /** Its operations are sent; otherwise they wait for a resynchronisation. [projects 9.3] */
  sending = true;
  /** A resynchronisation has failed though the host was there. */
  stalled = false;
  readonly #incoming = new Map<bigint, { state: MessageTypes["BufferState"]; parts: Operations }>();
  /** Operations for buffers that are not here (yet). */
  readonly #early = new Map<bigint, MessageTypes["Operation"][]>();
  #unsent: { bufferId: bigint; operation: Operations[number] }[] = [];
  #outstanding = false;
  /** Grows with each resynchronisation: what was sent before counts no more. */
  #generation = 0;
  #queries = new Set<bigint>();
  #nextQuery = 0n;
  /** Pieces that searches have got. */
  readonly #searches = new Map<bigint, number>();
  /** Handles below are of stays before this one. */
  readonly #firstSearch: number;

  constructor(
    readonly client: SimClient,
    readonly id: bigint,
    readonly replicaId: number,
    joined: Joined,
  ) {
    this.#firstSearch = client.searches.length;
    this.#take(joined);
  }

  get host(): MessageTypes["Collaborator"] | undefined {
    return this.collaborators.find((one) => one.isHost);
  }

  /** All own operations are with the host. */
  get idle(): boolean {
    return this.sending && !this.#outstanding && this.#unsent.length === 0;
  }

  detach(): void {
    this.attached = false;
    this.#stopSending();
    this.#incoming.clear();
    this.#queries.clear();
  }

  /** What it has, for `RejoinRoom`. [projects 12.2] */
  known(): Init<MessageTypes["RejoinProject"]> {
    return {
      id: this.id,
      worktrees: [...this.worktrees].map(([id, one]) => ({ id, scanId: one.completedScanId })),
      repositories: [...this.repositories].map(([id, { scanId }]) => ({ id, scanId })),
    };
  }

  /** The server knows this connection as the guest's now. */
  attach(joined: Joined): void {
    this.attached = true;
    this.stalled = false;
    for (const key of [...this.facts.keys()]) {
      // Diagnostics stay: not all servers tell them again. [projects 12.4]
      if (!key.startsWith("diagnostic ")) this.facts.delete(key);
    }
    this.#take(joined);
    this.resynchronize();
  }

  #take({ worktrees, collaborators, languageServers, languageServerCapabilities }: Joined): void {
    this.collaborators = [...collaborators];
    this.setWorktrees(worktrees);
    languageServers.forEach(({ id, name }, index) => {
      this.facts.set(hostKeys.server(id), `${name} ${languageServerCapabilities[index]}`);
    });
  }

  /** The whole list of worktrees. */
  setWorktrees(list: readonly MessageTypes["WorktreeMetadata"][]): void {
    const listed = new Map(list.map((one) => [one.id, one]));
    for (const id of [...this.worktrees.keys()]) {
      if (listed.has(id)) continue;
      this.worktrees.delete(id);
      for (const key of [...this.facts.keys()]) {
        if (key.startsWith(`setting ${id} `) || key.startsWith(`diagnostic ${id} `)) {
          this.facts.delete(key);
        }
      }
    }
    for (const { id, rootName } of list) {
      const known = this.worktrees.get(id);
      if (known !== undefined) known.rootName = rootName;
      else {
        const entries = new Map<bigint, string>();
        this.worktrees.set(id, { entries, rootName, scanId: 0n, completedScanId: 0n });
      }
    }
  }

  updateTree(update: MessageTypes["UpdateWorktree"]): void {
    const worktree = this.worktrees.get(update.worktreeId);
    if (worktree === undefined) return;
    worktree.rootName = update.rootName;
    worktree.scanId = update.scanId;
    if (update.isLastUpdate) worktree.completedScanId = update.scanId;
    for (const id of update.removedEntries) worktree.entries.delete(id);
    for (const entry of update.updatedEntries) worktree.entries.set(entry.id, entryText(entry));
  }

  updateRepository(update: MessageTypes["UpdateRepository"]): void {
    let repository = this.repositories.get(update.id);
    if (repository === undefined) {
      repository = { scanId: 0n, branch: "", complete: false, statuses: new Map() };
      this.repositories.set(update.id, repository);
    }
    repository.branch = update.branchSummary?.refName ?? "";
    for (const path of update.removedStatuses) repository.statuses.delete(path);
    for (const one of update.updatedStatuses) {
      repository.statuses.set(one.repoPath, encode("StatusEntry", one).toBase64());
    }
    repository.complete = update.isLastUpdate;
    if (update.isLastUpdate) repository.scanId = update.scanId;
  }

  updateDiagnostics(update: MessageTypes["UpdateDiagnosticSummary"]): void {
    if (!this.worktrees.has(update.worktreeId)) return;
    for (const one of [update.summary, ...update.moreSummaries]) {
      if (one === undefined) continue;
      const key = hostKeys.diagnostic(update.worktreeId, one.path, one.languageServerId);
      this.facts.set(key, `${one.errorCount}/${one.warningCount}`);
    }
  }

  /** [projects 9.1] */
  openBuffer(path: string): void {
    const [worktreeId] = [...this.worktrees.keys()];
    if (worktreeId === undefined) return;
    const value = { projectId: this.id, worktreeId, path };
    this.client.quietly(this.client.ask("OpenBufferByPath", value));
  }

  /** The state of a buffer, then its operations. [projects 9.2] */
  createBuffer({ state, chunk }: MessageTypes["CreateBufferForPeer"]): void {
    if (state !== undefined) this.#incoming.set(state.id, { state, parts: [] });
    if (chunk === undefined) return;
    const incoming = this.#incoming.get(chunk.bufferId);
    if (incoming === undefined) {
      // A part of what was on its way when the connection, or the host's, was lost.
      return;
    }
    const parts = [...incoming.parts, ...chunk.operations];
    this.#incoming.set(chunk.bufferId, { ...incoming, parts });
    if (!chunk.isLast) return;
    this.#incoming.delete(chunk.bufferId);
    const { id, file, baseText } = incoming.state;
    let buffer = this.buffers.get(id);
    if (buffer === undefined) {
      const { ledger } = this.client.sim;
      buffer = new SimBuffer(this.id, id, file?.path ?? "", baseText, this.replicaId, ledger);
      this.buffers.set(id, buffer);
    }
    buffer.apply(parts as MessageTypes["Operation"][]);
    buffer.apply(this.#early.get(id) ?? []);
    this.#early.delete(id);
  }

  updateBuffer(bufferId: bigint, operations: readonly MessageTypes["Operation"][]): void {
    const buffer = this.buffers.get(bufferId);
    if (buffer === undefined) {
      this.#early.set(bufferId, [...this.#early.get(bufferId) ?? [], ...operations]);
    } else buffer.apply(operations);
  }

  /** Sends an own operation, one message at a time. [projects 9.3] */
  edited(bufferId: bigint, operation: Operations[number] | undefined): void {
    if (operation === undefined || !this.sending) return;
    this.#unsent.push({ bufferId, operation });
    this.#pump();
  }

  save(buffer: SimBuffer): void {
    const { version } = buffer;
    this.client.quietly(
      this.client.ask("SaveBuffer", { projectId: this.id, bufferId: buffer.id, version })
        .then((saved) => {
          this.client.sim.expect(
            saved.version.length >= version.length,
            () => `${this.client.name} saved version ${text(version)} and got ${text(saved)}`,
          );
        }),
    );
  }

  /** [projects 8.6] */
  askLanguageServer(): void {
    const lspRequestId = this.#nextQuery++;
    this.#queries.add(lspRequestId);
    const getHover = { projectId: this.id, bufferId: 1n };
    this.client.quietly(
      this.client.ask("LspQuery", { projectId: this.id, lspRequestId, getHover }),
    );
  }

  /** In the form of 2026: what is found comes in requests of the host. [projects 9.6] */
  search(isCancelled: boolean): void {
    const { client, id: projectId } = this;
    const handle = BigInt(client.searches.push(projectId) - 1);
    this.#searches.set(handle, 0);
    const value = { projectId, limit: 100n, handle };
    client.quietly(client.ask("FindSearchCandidates", value));
    if (isCancelled) client.send("FindSearchCandidatesCancelled", { projectId, handle });
  }

  searchAnswered(handle: bigint, found: readonly bigint[] | undefined, isDone: boolean): void {
    const count = this.#searches.get(handle);
    const { sim, name, searches } = this.client;
    // Whoever leaves and joins again is the same connection to the host, who goes on with what it was
    // asked. [projects 9.6]
    if (handle < this.#firstSearch && searches[Number(handle)] === this.id) {
      sim.count("search answered after another join");
      return;
    }
    sim.expect(count !== undefined, () => `${name} got results of search ${handle}, not asked`);
    if (count === undefined) return;
    if (isDone) {
      sim.equal(`what ${name}'s search ${handle} found`, count, 2);
      this.#searches.delete(handle);
    } else {
      sim.equal(`piece ${count} of ${name}'s search ${handle}`, found, [BigInt(count + 1)]);
      this.#searches.set(handle, count + 1);
    }
  }

  languageServerAnswered(response: MessageTypes["LspQueryResponse"]): void {
    this.client.sim.expect(
      this.#queries.delete(response.lspRequestId),
      () => `${this.client.name} got an LspQueryResponse to ${response.lspRequestId}, not asked`,
    );
  }

  /** Somebody's connection is another one now; the host's means that buffers may differ. */
  moved(oldPeerId: PeerId | undefined, newPeerId: PeerId | undefined): void {
    const one = this.collaborators.find(({ peerId }) => samePeer(peerId, oldPeerId));
    if (one === undefined) return;
    one.peerId = newPeerId;
    if (!one.isHost) return;
    this.#incoming.clear();
    this.resynchronize();
  }

  /** [projects 9.5] */
  async resynchronize(): Promise<void> {
    this.#stopSending();
    const generation = this.#generation;
    const request = this.client.ask("SynchronizeBuffers", {
      projectId: this.id,
      buffers: [...this.buffers.values()].map(({ id, version }) => ({ id, version })),
    });
    const outcome = await this.client.outcome(request);
    if (generation !== this.#generation) return;
    if (outcome !== "done") {
      // The host is away, then its return is told; anything else only a new connection mends.
      this.stalled = outcome === "refused";
      return;
    }
    this.stalled = false;
    this.sending = true;
    const versions = new Map((await request).buffers.map(({ id, version }) => [id, version]));
    for (const [id, buffer] of this.buffers) {
      // One that was opened while the answer was on its way is not in it.
      for (const operation of buffer.missing(versions.get(id) ?? [])) this.edited(id, operation);
    }
  }

  #stopSending(): void {
    this.sending = false;
    this.#generation++;
    this.#unsent = [];
    this.#outstanding = false;
  }

  async #pump(): Promise<void> {
    if (this.#outstanding) return;
    this.#outstanding = true;
    const generation = this.#generation;
    while (this.#unsent.length > 0 && this.attached) {
      const { bufferId } = this.#unsent[0] as { bufferId: bigint };
      const operations: Operations[number][] = [];
      while (this.#unsent[0]?.bufferId === bufferId) {
        operations.push((this.#unsent.shift() as { operation: Operations[number] }).operation);
      }
      const request = this.client.ask("UpdateBuffer", { projectId: this.id, bufferId, operations });
      const outcome = await this.client.outcome(request);
      if (generation !== this.#generation) return;
      if (outcome !== "done") return this.#stopSending();
    }
    this.#outstanding = false;
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one));
}
