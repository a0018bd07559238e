/**
 * The single file for Linux: launcher, packed files, table, trailer, as `launcher.c` reads them.
 */
import { createHash } from "node:crypto";

/** A file that goes into the package under its name. */
export interface PackedFile {
  /** At most 55 bytes, without a slash. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const NAME_BYTES = 56;
const ENTRY_BYTES = NAME_BYTES + 8;
const HASH_BYTES = 64;
const MAGIC = new Uint8Array([...new TextEncoder().encode("PARLEY"), 0, 1]);
const TRAILER_BYTES = HASH_BYTES + 8 + MAGIC.length;

/** Changes when the launcher lays the cache folder out in another way. */
const LAYOUT = "1";

/** SHA-256 of names and contents, in hex: the name of the cache folder. */
export function contentHash(files: readonly PackedFile[]): string {
  const hash = createHash("sha256").update(`parley ${LAYOUT}\n`);
  for (const { name, bytes } of files) hash.update(`${name} ${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

function table(files: readonly PackedFile[]): Uint8Array {
  const out = new Uint8Array(files.length * ENTRY_BYTES);
  const view = new DataView(out.buffer);
  for (const [index, { name, bytes }] of files.entries()) {
    const encoded = new TextEncoder().encode(name);
    if (encoded.length >= NAME_BYTES || name.includes("/")) {
      throw new Error(`"${name}" cannot be packed: at most ${NAME_BYTES - 1} bytes, no slash`);
    }
    out.set(encoded, index * ENTRY_BYTES);
    view.setBigUint64(index * ENTRY_BYTES + NAME_BYTES, BigInt(bytes.length), true);
  }
  return out;
}

function trailer(files: readonly PackedFile[]): Uint8Array {
  const out = new Uint8Array(TRAILER_BYTES);
  out.set(new TextEncoder().encode(contentHash(files)));
  new DataView(out.buffer).setBigUint64(HASH_BYTES, BigInt(files.length), true);
  out.set(MAGIC, HASH_BYTES + 8);
  return out;
}

/** Writes the executable, under another name first: a file at `path` is always whole. */
export async function writeSingleFile(
  path: string,
  launcher: Uint8Array,
  files: readonly PackedFile[],
): Promise<void> {
  const unfinished = `${path}.${Deno.pid}`;
  {
    using out = await Deno.open(unfinished, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o755,
    });
    const parts = [launcher, ...files.map(({ bytes }) => bytes), table(files), trailer(files)];
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += await out.write(part.subarray(at));
    }
    await out.sync();
  }
  await Deno.rename(unfinished, path);
}
