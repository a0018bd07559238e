/** The open files of a shared project on a guest's side. [projects 9] */
import type {
  BufferState,
  CreateBufferForPeer,
  File,
  Operation,
  Timestamp,
  VectorClockEntry,
} from "../proto/mod.ts";
import { Buffer } from "./buffer.ts";
import { BufferUpdates } from "./buffer_updates.ts";
import type { CollabClient } from "./collab_client.ts";
import { Condition } from "./condition.ts";
import { chunks, toWireOperation } from "./operations.ts";

/** Operations that one message may have. [projects 9.2] */
const MAX_OPERATIONS = 100;

/** Operations that are kept for buffers which never came; more means that nobody will open them. */
const MAX_KEPT = 10_000;

/** Takes buffers from the host, and sends what is edited here. */
export class GuestBuffers {
  readonly #client: CollabClient;
  readonly #projectId: bigint;
  readonly #replicaId: number;
  readonly #updates: BufferUpdates;
  readonly #buffers = new Map<bigint, Buffer>();
  /** Buffers whose state has come, but not all of their operations. */
  readonly #incoming = new Map<bigint, Buffer>();
  /** Buffers that somebody here waits for. */
  readonly #wanted = new Map<bigint, number>();
  /** Operations for buffers that are not here, or not yet. [projects 9.3] */
  readonly #kept = new Map<bigint, Operation[]>();
  #keptCount = 0;
  readonly #state = new Condition();
  #generation = 0;
  #isReadOnly = false;

  constructor(client: CollabClient, projectId: bigint, replicaId: number) {
    this.#client = client;
    this.#projectId = projectId;
    this.#replicaId = replicaId;
    this.#updates = new BufferUpdates(async (bufferId, operations) => {
      await client.request("UpdateBuffer", { projectId, bufferId, operations });
    }, "stop");
  }

  /** Buffers that are here. */
  get all(): Buffer[] {
    return [...this.#buffers.values()];
  }

  /** Why own edits are not sent at the moment; undefined while they are. */
  get syncError(): unknown {
    return this.#updates.error;
  }

  /** The buffer with an id, once all of it is here. */
  async get(id: bigint): Promise<Buffer> {
    this.#wanted.set(id, (this.#wanted.get(id) ?? 0) + 1);
    try {
      await this.#state.until(() => this.#buffers.has(id));
      return this.#buffers.get(id) as Buffer;
    } finally {
      const wanted = (this.#wanted.get(id) as number) - 1;
      if (wanted === 0) this.#wanted.delete(id);
      else this.#wanted.set(id, wanted);
    }
  }

  /** Resolves once all own edits are acknowledged, or the sending stopped. */
  idle(): Promise<void> {
    return this.#updates.idle();
  }

  /** Takes a part of a buffer. @throws {Error} it is a chunk without its state. */
  onCreate({ state, chunk }: CreateBufferForPeer): void {
    if (state !== undefined) return void this.#incoming.set(state.id, this.#create(state));
    if (chunk === undefined) return;
    const { bufferId, operations, isLast } = chunk;
    const buffer = this.#incoming.get(bufferId);
    if (buffer === undefined) {
      throw new Error(`Received operations of buffer ${bufferId} before its state`);
    }
    buffer.apply(operations);
    if (!isLast) return;
    this.#incoming.delete(bufferId);
    this.#add(buffer);
  }

  /** Takes operations, for later if their buffer is not here. */
  onUpdate(bufferId: bigint, operations: readonly Operation[]): void {
    const buffer = this.#buffers.get(bufferId);
    if (buffer !== undefined) return buffer.apply(operations);
    const kept = this.#kept.get(bufferId);
    if (kept === undefined) this.#kept.set(bufferId, [...operations]);
    else kept.push(...operations);
    this.#keptCount += operations.length;
    this.#boundKept();
  }

  /** The file of a buffer is another. */
  onFile(bufferId: bigint, file: File | undefined): void {
    const buffer = this.#known(bufferId);
    if (buffer !== undefined) buffer.file = file;
  }

  /** A buffer was saved, or read anew. */
  onSaved(
    bufferId: bigint,
    version: readonly VectorClockEntry[],
    mtime: Timestamp | undefined,
    lineEnding?: number,
  ): void {
    const buffer = this.#known(bufferId);
    if (buffer === undefined) return;
    buffer.saved(version, mtime);
    if (lineEnding !== undefined) buffer.lineEnding = lineEnding;
  }

  /** Whether the user may only read them. */
  get isReadOnly(): boolean {
    return this.#isReadOnly;
  }

  /** Whether the user may only read the buffers, those that come among them. [projects 4] */
  setReadOnly(isReadOnly: boolean): void {
    this.#isReadOnly = isReadOnly;
    for (const buffer of this.#buffers.values()) buffer.isReadOnly = isReadOnly;
  }

  /** A collaborator has left, and his cursors with him. */
  dropSelections(replicaId: number): void {
    for (const buffer of this.all) buffer.dropSelections(replicaId);
  }

  /** Stops to send: the host, or the server, cannot take it now. */
  suspend(error: unknown): void {
    this.#generation++;
    this.#updates.stop(error);
  }

  /**
   * Makes the host's buffers and these equal again, after either lost its connection.
   * [projects 9.5]
   */
  async synchronize(): Promise<void> {
    const generation = ++this.#generation;
    // What came in part would never be completed: the host begins anew.
    const interrupted = [...this.#incoming.keys()];
    this.#incoming.clear();
    const projectId = this.#projectId;
    const { buffers } = await this.#client.request("SynchronizeBuffers", {
      projectId,
      buffers: this.all.map(({ id, version }) => ({ id, version })),
    });
    if (generation !== this.#generation) return;
    this.#updates.restart();
    const versions = new Map(buffers.map(({ id, version }) => [id, version]));
    for (const [id, buffer] of this.#buffers) {
      // One that was opened while the answer was on its way is not in it.
      const missing = [
        ...buffer.missingOperations(versions.get(id) ?? []),
        ...buffer.selectionOperations(this.#replicaId),
      ];
      for (const operations of chunks(missing, MAX_OPERATIONS)) {
        this.#updates.push(id, ...operations);
      }
    }
    const absent = new Set([...interrupted, ...this.#wanted.keys()]);
    for (const id of absent) {
      if (this.#buffers.has(id)) continue;
      // The host may have no such buffer any more; then whoever waits learns it at the end.
      this.#client.request("OpenBufferById", { projectId, id }).catch(() => {});
    }
  }

  /** Nothing will come any more. */
  end(error: Error): void {
    this.suspend(error);
    this.#state.fail(error);
    for (const buffer of this.#buffers.values()) buffer.end(error);
  }

  #known(bufferId: bigint): Buffer | undefined {
    return this.#buffers.get(bufferId) ?? this.#incoming.get(bufferId);
  }

  #create(state: BufferState): Buffer {
    return new Buffer({ ...state, replicaId: this.#replicaId, file: state.file });
  }

  #add(buffer: Buffer): void {
    // The host may send again what is here: then this one stays, since it is being edited.
    const known = this.#buffers.get(buffer.id);
    if (known !== undefined) {
      return known.apply(buffer.missingOperations() as Operation[]);
    }
    this.#buffers.set(buffer.id, buffer);
    buffer.edited.add((operation) => this.#updates.push(buffer.id, toWireOperation(operation)));
    buffer.selected.add((operation) => this.#updates.push(buffer.id, operation));
    buffer.isReadOnly = this.#isReadOnly;
    const kept = this.#kept.get(buffer.id) ?? [];
    this.#kept.delete(buffer.id);
    this.#keptCount -= kept.length;
    buffer.apply(kept);
    this.#state.changed();
  }

  /** Forgets the oldest, which the host has long since: it sends them with the buffer. */
  #boundKept(): void {
    for (const [bufferId, operations] of this.#kept) {
      if (this.#keptCount <= MAX_KEPT) return;
      // One that is on its way needs them.
      if (this.#incoming.has(bufferId) || this.#wanted.has(bufferId)) continue;
      this.#kept.delete(bufferId);
      this.#keptCount -= operations.length;
    }
  }
}
