/** The open files of a shared project on its host's side. [projects 9] */
import {
  type BufferSaved,
  type BufferVersion,
  type File,
  type Init,
  LineEndingEnum,
  type OpenBufferResponse,
  type ProjectPath,
  type VectorClockEntry,
} from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import { Buffer } from "./buffer.ts";
import { BufferUpdates } from "./buffer_updates.ts";
import type { CollabClient } from "./collab_client.ts";
import { type HostWorktree, toTimestamp } from "./host_worktree.ts";
import { chunks, toWireOperation } from "./operations.ts";
import { samePeer } from "./same_peer.ts";

/** Operations that one message may have. [projects 9.2] */
export const MAX_OPERATIONS = 100;

/** The host's own edits carry this. [projects 5.1] */
const HOST_REPLICA = 0;

/** Where the buffers belong to. */
export interface HostBuffersContext {
  readonly client: CollabClient;
  readonly projectId: bigint;
  worktree(id: bigint): HostWorktree;
}

interface OpenBuffer {
  readonly buffer: Buffer;
  readonly worktree: HostWorktree;
}

/** Opens files, gives them to guests, saves them. */
export class HostBuffers {
  readonly #context: HostBuffersContext;
  readonly #updates: BufferUpdates;
  readonly #buffers = new Map<bigint, OpenBuffer>();
  /** By worktree and path; a file is opened once. */
  readonly #opening = new Map<string, Promise<Buffer>>();
  /** Who has been given which buffers. [projects 9.1] */
  readonly #shared: { peer: PeerId; readonly buffers: Set<bigint> }[] = [];
  #nextId = 1n;

  constructor(context: HostBuffersContext) {
    this.#context = context;
    this.#updates = new BufferUpdates(async (bufferId, operations) => {
      const { client, projectId } = context;
      await client.request("UpdateBuffer", { projectId, bufferId, operations });
    }, "go on");
  }

  /** Open buffers. */
  get all(): Buffer[] {
    return [...this.#buffers.values()].map(({ buffer }) => buffer);
  }

  /** The buffer with an id. @throws {Error} there is none. */
  get(id: bigint): Buffer {
    return this.#open(id).buffer;
  }

  /** Resolves once all own edits are acknowledged. */
  idle(): Promise<void> {
    return this.#updates.idle();
  }

  /** Opens a file, or gives the buffer that has it open. */
  open(worktree: HostWorktree, path: string): Promise<Buffer> {
    const key = `${worktree.id} ${path}`;
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#load(worktree, path);
      this.#opening.set(key, opening);
      opening.catch(() => this.#opening.delete(key));
    }
    return opening;
  }

  /** The buffer that has a file open; undefined if none has. */
  openAt(worktree: HostWorktree, path: string): Buffer | undefined {
    for (const open of this.#buffers.values()) {
      if (open.worktree === worktree && open.buffer.file?.path === path) return open.buffer;
    }
    return undefined;
  }

  /** Sends a buffer to a peer that does not have it; the answer for whoever asked. */
  share(buffer: Buffer, peer: PeerId): OpenBufferResponse {
    const shared = this.#sharedWith(peer);
    if (!shared.has(buffer.id)) {
      shared.add(buffer.id);
      const { client, projectId } = this.#context;
      client.send("CreateBufferForPeer", { projectId, peerId: peer, state: buffer.state() });
      const operations = [...buffer.missingOperations(), ...buffer.selectionOperations()];
      const pieces = chunks(operations, MAX_OPERATIONS);
      if (pieces.length === 0) pieces.push([]);
      for (const [index, operations] of pieces.entries()) {
        const isLast = index === pieces.length - 1;
        const chunk = { bufferId: buffer.id, operations, isLast };
        client.send("CreateBufferForPeer", { projectId, peerId: peer, chunk });
      }
    }
    return { bufferId: buffer.id };
  }

  /** Forgets what a peer has, or what anybody has. [projects 9.1] [projects 12.5] */
  forget(peer?: PeerId): void {
    for (let at = this.#shared.length - 1; at >= 0; at--) {
      const isIt = peer === undefined || samePeer(this.#shared[at]?.peer, peer);
      if (isIt) this.#shared.splice(at, 1);
    }
  }

  /** A collaborator has left, and his cursors with him. */
  dropSelections(replicaId: number): void {
    for (const buffer of this.all) buffer.dropSelections(replicaId);
  }

  /** A peer goes on under another id. */
  rename(oldPeer: PeerId, newPeer: PeerId): void {
    const shared = this.#shared.find(({ peer }) => samePeer(peer, oldPeer));
    if (shared !== undefined) shared.peer = newPeer;
  }

  /**
   * Saves a buffer as soon as it has the version that is asked for. [projects 9.4]
   *
   * @param newPath where it is kept from now on.
   */
  async save(
    bufferId: bigint,
    version: readonly VectorClockEntry[],
    newPath?: ProjectPath,
  ): Promise<Init<BufferSaved>> {
    const open = this.#open(bufferId);
    const { buffer } = open;
    await buffer.until(version);
    const { client, projectId } = this.#context;
    const worktree = newPath === undefined
      ? open.worktree
      : this.#context.worktree(newPath.worktreeId);
    const path = newPath?.path ?? buffer.file?.path;
    if (path === undefined) throw new Error("Cannot save a buffer without a file; give a path");
    const savedVersion = buffer.version;
    const { entry } = await worktree.write(path, new TextEncoder().encode(buffer.fileText));
    if (newPath !== undefined) {
      this.#opening.delete(`${open.worktree.id} ${buffer.file?.path}`);
      this.#opening.set(`${worktree.id} ${path}`, Promise.resolve(buffer));
      this.#buffers.set(bufferId, { buffer, worktree });
    }
    buffer.saved(savedVersion, entry?.mtime);
    this.#setFile(buffer, worktree, path, newPath !== undefined);
    const saved = { projectId, bufferId, version: savedVersion, mtime: entry?.mtime };
    client.send("BufferSaved", saved);
    return saved;
  }

  /** Takes the file's content as it is now, as an edit of the host's. */
  async reload(buffer: Buffer): Promise<void> {
    const { worktree } = this.#open(buffer.id);
    const path = buffer.file?.path;
    if (path === undefined) return;
    const { text, lineEnding } = await readText(worktree, path);
    const { entry } = await worktree.refresh(path);
    buffer.lineEnding = lineEnding;
    buffer.replaceText(text);
    const { client, projectId } = this.#context;
    // The edits are on their way before the news that they are the file's.
    await this.idle();
    buffer.saved(buffer.version, entry?.mtime);
    client.send("BufferReloaded", {
      projectId,
      bufferId: buffer.id,
      version: buffer.version,
      mtime: entry?.mtime,
      lineEnding,
    });
  }

  /** A file or folder moved, or went: buffers of it follow. */
  moved(worktree: HostWorktree, from: string, to: string | undefined): void {
    for (const { buffer, worktree: of } of this.#buffers.values()) {
      const path = buffer.file?.path;
      if (of !== worktree || path === undefined) continue;
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#opening.delete(`${worktree.id} ${path}`);
      const now = to === undefined ? undefined : to + path.slice(from.length);
      if (now !== undefined) this.#opening.set(`${worktree.id} ${now}`, Promise.resolve(buffer));
      this.#setFile(buffer, worktree, now ?? path, true);
    }
  }

  /** Answers `SynchronizeBuffers`, and sends what the guest lacks. [projects 9.5] */
  synchronize(versions: readonly BufferVersion[], peer: PeerId): { buffers: BufferVersion[] } {
    this.forget(peer);
    const shared = this.#sharedWith(peer);
    const known = versions.flatMap((remote) => {
      const open = this.#buffers.get(remote.id);
      return open === undefined ? [] : [{ buffer: open.buffer, version: remote.version }];
    });
    const answer = known.map(({ buffer }) => ({ id: buffer.id, version: buffer.version }));
    for (const { buffer, version } of known) {
      shared.add(buffer.id);
      this.#sendMissing(buffer, version);
    }
    return { buffers: answer };
  }

  #sendMissing(buffer: Buffer, version: readonly VectorClockEntry[]): void {
    const { client, projectId } = this.#context;
    const bufferId = buffer.id;
    client.send("UpdateBufferFile", { projectId, bufferId, file: buffer.file });
    client.send("BufferReloaded", {
      projectId,
      bufferId,
      version: buffer.savedVersion,
      mtime: buffer.savedMtime,
      lineEnding: buffer.lineEnding,
    });
    const missing = [...buffer.missingOperations(version), ...buffer.selectionOperations()];
    for (const operations of chunks(missing, MAX_OPERATIONS)) {
      // Other guests may have them: then nothing happens there. [projects 9.5]
      client.request("UpdateBuffer", { projectId, bufferId, operations }).catch(() => {});
    }
  }

  async #load(worktree: HostWorktree, path: string): Promise<Buffer> {
    const entry = worktree.entryAt(path);
    if (entry === undefined || entry.isDir) {
      throw new Error(`Cannot open ${JSON.stringify(path)}: there is no such file`);
    }
    const { text, lineEnding } = await readText(worktree, path);
    const buffer = new Buffer({
      id: this.#nextId++,
      replicaId: HOST_REPLICA,
      baseText: text,
      file: fileOf(worktree, path),
      lineEnding,
      savedMtime: entry.mtime,
    });
    this.#buffers.set(buffer.id, { buffer, worktree });
    buffer.edited.add((operation) => this.#updates.push(buffer.id, toWireOperation(operation)));
    buffer.selected.add((operation) => this.#updates.push(buffer.id, operation));
    return buffer;
  }

  #setFile(buffer: Buffer, worktree: HostWorktree, path: string, tell: boolean): void {
    buffer.file = fileOf(worktree, path);
    if (!tell) return;
    const { client, projectId } = this.#context;
    client.send("UpdateBufferFile", { projectId, bufferId: buffer.id, file: buffer.file });
  }

  #open(id: bigint): OpenBuffer {
    const open = this.#buffers.get(id);
    if (open === undefined) throw new Error(`No buffer has the id ${id}; open it before`);
    return open;
  }

  #sharedWith(peer: PeerId): Set<bigint> {
    let shared = this.#shared.find((candidate) => samePeer(candidate.peer, peer));
    if (shared === undefined) {
      shared = { peer, buffers: new Set() };
      this.#shared.push(shared);
    }
    return shared.buffers;
  }
}

function fileOf(worktree: HostWorktree, path: string): File {
  const entry = worktree.entryAt(path);
  return {
    worktreeId: worktree.id,
    path,
    isDeleted: entry === undefined,
    isHistoric: false,
    mtime: entry?.mtime ?? toTimestamp(0),
    ...(entry !== undefined && { entryId: entry.id }),
  };
}

async function readText(
  worktree: HostWorktree,
  path: string,
): Promise<{ text: string; lineEnding: number }> {
  const bytes = await worktree.files.read(path);
  let text: string;
  try {
    // The mark at the begin stays, so that it is there when the file is saved.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`Cannot open ${JSON.stringify(path)}: it is no UTF-8 text`, { cause });
  }
  const isWindows = /^[^\n]*\r\n/.test(text);
  return { text, lineEnding: isWindows ? LineEndingEnum.Windows : LineEndingEnum.Unix };
}
