/** Messages as Zed sends them: one zstd frame that declares no size. */
import { zstdCompressSync } from "node:zlib";
import { encode, type Init, type MessageTypes } from "../proto/mod.ts";
import { RandomSource } from "../tests/support/random.ts";
import { clientFrame } from "./raw_socket.ts";

const WORDS = ["function", "return", "const", "value", "  if (", "for", "await", "}\n", "import"];
const REPLICA = 8;

function zedFrame(envelope: Init<MessageTypes["Envelope"]>): Uint8Array<ArrayBuffer> {
  return clientFrame(zstdCompressSync(encode("Envelope", envelope)));
}

/** A user who types: each message inserts a word and moves the cursor. */
export function typing(projectId: bigint, count: number): Uint8Array<ArrayBuffer>[] {
  const random = new RandomSource(1);
  return Array.from({ length: count }, (_, index) => {
    const timestamp = 1000 + 2 * index;
    const version = [0, REPLICA, REPLICA + 1].map((replicaId) => ({ replicaId, timestamp }));
    const at = BigInt(random.int(20_000));
    return zedFrame({
      id: 100 + index,
      updateBuffer: {
        projectId,
        bufferId: 4_294_967_297n,
        operations: [{
          edit: {
            replicaId: REPLICA,
            lamportTimestamp: timestamp,
            version,
            ranges: [{ start: at, end: at }],
            newText: [WORDS[random.int(WORDS.length)] as string],
          },
        }],
      },
    });
  });
}

/** Entries in one message. [projects 7.2] */
export const ENTRIES_PER_MESSAGE = 256;

/** The tree of a large project, as its host uploads it. */
export function tree(projectId: bigint, entries: number): Uint8Array<ArrayBuffer>[] {
  const messages: Uint8Array<ArrayBuffer>[] = [];
  for (let from = 0; from < entries; from += ENTRIES_PER_MESSAGE) {
    const to = Math.min(entries, from + ENTRIES_PER_MESSAGE);
    messages.push(zedFrame({
      id: 100 + messages.length,
      updateWorktree: {
        projectId,
        worktreeId: 1n,
        rootName: "project",
        absPath: "/home/host/project",
        scanId: 1n,
        isLastUpdate: to === entries,
        updatedEntries: Array.from({ length: to - from }, (_, index) => entry(from + index)),
      },
    }));
  }
  return messages;
}

function entry(index: number): Init<MessageTypes["Entry"]> {
  const folder = Math.floor(index / 40);
  return {
    id: BigInt(index + 1),
    isDir: index % 40 === 0,
    path: index % 40 === 0
      ? `packages/area_${folder % 30}/module_${folder}`
      : `packages/area_${folder % 30}/module_${folder}/source_file_${index}.ts`,
    inode: BigInt(9_000_000 + index * 3),
    mtime: { seconds: BigInt(1_790_000_000 + index), nanos: (index * 7919) % 1_000_000_000 },
    size: BigInt(100 + (index * 37) % 20_000),
  };
}
