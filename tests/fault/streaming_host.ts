/** A host that tells all that a server stores, as fast as it is acknowledged, until it is cut off. */
import { ConnectionClosedError } from "../../client/errors.ts";
import type { Peer } from "../../client/peer.ts";
import { encode, type Entry, type Init, type MessageTypes } from "../../proto/mod.ts";
import type { RandomSource } from "../support/random.ts";
import { ABSENT, Register } from "../sim/register.ts";

/** Above what a number holds exactly; the second has the top bit set. */
const WORKTREES = [2n ** 53n + 1n, 2n ** 63n + 5n] as const;
const REPOSITORY = 2n ** 60n;

interface Chunk {
  readonly updated: readonly Entry[];
  readonly removed: readonly bigint[];
}

/** Entries of one worktree as acknowledged, and what is on its way. */
export class StreamedTree {
  readonly acknowledged = new Map<bigint, string>();
  sent: Chunk | undefined;
  scanId = 0n;

  constructor(readonly id: bigint) {}

  /** The entries that a server may hold: with what was on its way, or without. */
  possible(): Map<bigint, string>[] {
    const after = new Map(this.acknowledged);
    if (this.sent !== undefined) apply(after, this.sent);
    return [this.acknowledged, after];
  }
}

function apply(entries: Map<bigint, string>, chunk: Chunk): void {
  for (const id of chunk.removed) entries.delete(id);
  for (const entry of chunk.updated) entries.set(entry.id, entryText(entry));
}

/** An entry, bit for bit. */
export function entryText(entry: Init<Entry>): string {
  return encode("Entry", entry).toBase64();
}

export class StreamingHost {
  readonly trees = WORKTREES.map((id) => new StreamedTree(id));
  /** What was told without an answer, by key. */
  readonly registers = new Map<string, Register>();
  /** Statuses of the one repository as acknowledged, and those that were sent since. */
  readonly statuses = new Map<string, string>();
  readonly sentStatuses = new Map<string, Set<string>>();
  projectId = 0n;
  acknowledgements = 0;
  readonly #random: RandomSource;
  #order = 0;
  #next = 0n;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  get worktrees(): Init<MessageTypes["WorktreeMetadata"]>[] {
    return this.trees.map(({ id }) => ({
      id,
      rootName: `root${id}`,
      visible: true,
      absPath: `/home/root${id}`,
    }));
  }

  async share(peer: Peer, roomId: bigint): Promise<void> {
    const { worktrees } = this;
    const { projectId } = await peer.request("ShareProject", { roomId, worktrees });
    this.projectId = projectId;
  }

  /** Tells changes until the connection ends. */
  async stream(peer: Peer): Promise<void> {
    for (const register of this.registers.values()) register.doubt();
    const work = [...this.trees.map((tree) => this.#tree(peer, tree)), this.#rest(peer)];
    for (const result of await Promise.allSettled(work)) {
      if (result.status === "fulfilled") continue;
      if (!(result.reason instanceof ConnectionClosedError)) throw result.reason;
    }
  }

  async #tree(peer: Peer, tree: StreamedTree): Promise<never> {
    while (true) {
      // What was on its way when the connection was lost is told again. [projects 12.5]
      tree.sent ??= this.#change(tree);
      const chunk = tree.sent;
      const order = this.#order;
      await peer.request("UpdateWorktree", {
        projectId: this.projectId,
        worktreeId: tree.id,
        rootName: `root${tree.id}`,
        absPath: `/home/root${tree.id}`,
        updatedEntries: chunk.updated,
        removedEntries: chunk.removed,
        scanId: ++tree.scanId,
        isLastUpdate: true,
      });
      apply(tree.acknowledged, chunk);
      tree.sent = undefined;
      this.#acknowledged(order);
    }
  }

  #change(tree: StreamedTree): Chunk {
    const updated = Array.from({ length: 1 + this.#random.int(200) }, () => this.#entry());
    const known = [...tree.acknowledged.keys()];
    const removed = known.length < 50 ? [] : [this.#random.pick(known), this.#random.pick(known)];
    return { updated, removed: [...new Set(removed)] };
  }

  #entry(): Entry {
    const id = (this.#next++ << 33n) + 2n ** 63n + BigInt(this.#random.uint32());
    return {
      id,
      isDir: this.#random.chance(0.1),
      path: `src/${id}/häuser/家.ts`,
      inode: this.#random.uint64(),
      mtime: { seconds: this.#random.uint64() >> 1n, nanos: this.#random.int(1e9) },
      isIgnored: this.#random.chance(0.5),
      isExternal: this.#random.chance(0.5),
      isFifo: false,
      size: this.#random.chance(0.5) ? this.#random.uint64() : undefined,
      canonicalPath: undefined,
      isHidden: this.#random.chance(0.5),
    };
  }

  /** Settings, diagnostics, servers, and requests of the repository that confirm them. */
  async #rest(peer: Peer): Promise<never> {
    const { projectId } = this;
    while (true) {
      for (let i = 0; i < 5; i++) this.#tell(peer);
      const path = `file${this.#random.int(40)}`;
      const status = {
        repoPath: path,
        simpleStatus: 1 + this.#random.int(3),
        status: { tracked: { indexStatus: 1, worktreeStatus: this.#random.int(4) } },
      };
      const text = encode("StatusEntry", status).toBase64();
      const sent = this.sentStatuses.get(path) ?? new Set();
      this.sentStatuses.set(path, sent.add(text));
      const order = this.#order;
      await peer.request("UpdateRepository", {
        projectId,
        id: REPOSITORY,
        absPath: "/home/repository",
        branchSummary: { refName: `refs/heads/${path}`, isHead: true },
        updatedStatuses: [status],
        scanId: BigInt(++this.#order),
        isLastUpdate: true,
      });
      this.statuses.set(path, text);
      sent.clear();
      this.#acknowledged(order);
    }
  }

  #tell(peer: Peer): void {
    const { projectId } = this;
    const worktreeId = this.#random.pick(WORKTREES);
    const number = this.#random.int(10);
    switch (this.#random.int(4)) {
      case 0: {
        const [path, kind] = [`dir${number}`, this.#random.int(4)];
        const content = this.#random.chance(0.2) ? undefined : `{"tab_size": ${this.#order}}`;
        this.#register(`setting ${worktreeId} ${kind} ${path}`, content ?? ABSENT);
        peer.send("UpdateWorktreeSettings", { projectId, worktreeId, path, kind, content });
        return;
      }
      case 1: {
        const summary = {
          path: `src/${number}`,
          languageServerId: BigInt(1 + number % 2),
          errorCount: this.#random.int(100),
          warningCount: this.#order,
        };
        this.#register(
          `diagnostic ${worktreeId} ${summary.languageServerId} ${summary.path}`,
          `${summary.errorCount}/${summary.warningCount}`,
        );
        peer.send("UpdateDiagnosticSummary", { projectId, worktreeId, summary });
        return;
      }
      case 2: {
        const capabilities = `{"order":${this.#order}}`;
        const server = { id: 2n ** 62n + BigInt(number), name: `server ${number}` };
        this.#register(`server ${server.id}`, `${server.name} ${capabilities}`);
        peer.send("StartLanguageServer", { projectId, server, capabilities });
        return;
      }
      default: {
        const languageServerId = 2n ** 62n + BigInt(number);
        this.#register(`server ${languageServerId}`, ABSENT);
        peer.send("UpdateLanguageServer", { projectId, languageServerId, removed: {} });
      }
    }
  }

  #register(key: string, text: string): void {
    let register = this.registers.get(key);
    if (register === undefined) this.registers.set(key, register = new Register());
    register.tell(text, ++this.#order);
  }

  /** All that was told before a request which is answered has been stored with it. */
  #acknowledged(order: number): void {
    this.acknowledgements++;
    for (const register of this.registers.values()) register.confirm(order);
  }
}
