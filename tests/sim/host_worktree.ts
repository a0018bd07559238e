/** A folder that a simulated host shares, and what of it the server has acknowledged. */
import { encode, type Entry, type Init, type WorktreeMetadata } from "../../proto/mod.ts";

/** A part of a tree that is told in one message. */
export interface Chunk {
  readonly updated: readonly Entry[];
  readonly removed: readonly bigint[];
  readonly scanId: bigint;
  readonly isLast: boolean;
}

export class HostWorktree {
  readonly entries = new Map<bigint, Entry>();
  /** The id that a path had first, which it gets again when it reappears. [projects 17.1] */
  readonly ids = new Map<string, bigint>();
  /** Entries as acknowledged, encoded. */
  readonly acknowledged = new Map<bigint, string>();
  readonly queue: Chunk[] = [];
  /** The scan that was told last. */
  scanId = 1n;
  /** The server knows of it. */
  announced = false;
  sending = false;

  constructor(readonly id: bigint, readonly rootName: string) {}

  get metadata(): WorktreeMetadata {
    const { id, rootName } = this;
    return {
      id,
      rootName,
      visible: true,
      absPath: `/home/${rootName}`,
      rootRepoCommonDir: undefined,
    };
  }

  /** The acknowledged entries when this chunk is acknowledged too. */
  with(chunk: Chunk | undefined): Map<bigint, string> {
    const entries = new Map(this.acknowledged);
    if (chunk !== undefined) applyChunk(entries, chunk);
    return entries;
  }
}

export function applyChunk(entries: Map<bigint, string>, chunk: Chunk): void {
  for (const id of chunk.removed) entries.delete(id);
  for (const entry of chunk.updated) entries.set(entry.id, entryText(entry));
}

/** An entry, comparable. */
export function entryText(entry: Init<Entry>): string {
  return encode("Entry", entry).toBase64();
}
