/** Extensions in a folder of this machine. Links in it are not followed. */
import {
  type ArchiveStore,
  ArchiveStoreError,
  type OpenFile,
  type StoredFile,
} from "./archive_store.ts";

export class FolderArchives implements ArchiveStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get name(): string {
    return `the folder ${this.#folder}`;
  }

  async list(id?: string): Promise<StoredFile[]> {
    const ids = id === undefined
      ? (await this.#entries(this.#folder)).filter((one) => one.isDirectory).map(({ name }) => name)
      : [id];
    return (await Promise.all(ids.map((one) => this.#listOne(one)))).flat();
  }

  async read(key: string): Promise<string> {
    const file = await this.open(key);
    if (file === undefined) throw new ArchiveStoreError(`There is no ${key} in ${this.name}`);
    return await new Response(file.body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  }

  async open(key: string): Promise<OpenFile | undefined> {
    const path = `${this.#folder}/${key}`;
    try {
      // The archive itself, and nothing elsewhere that a link names.
      if (!(await Deno.lstat(path)).isFile) return undefined;
      const file = await Deno.open(path);
      return { body: file.readable, size: (await file.stat()).size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#failed("read from", error);
    }
  }

  link(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = `${this.#folder}/${key}`;
    try {
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeFile(`${path}.part`, bytes);
      await Deno.rename(`${path}.part`, path);
    } catch (error) {
      throw this.#failed("write to", error);
    }
  }

  async #listOne(id: string): Promise<StoredFile[]> {
    const files = (await this.#entries(`${this.#folder}/${id}`)).filter(({ isFile }) => isFile);
    return await Promise.all(files.map(async ({ name }) => {
      const { mtime, size } = await Deno.stat(`${this.#folder}/${id}/${name}`);
      const changedAt = mtime ?? new Date(0);
      return { key: `${id}/${name}`, changedAt, tag: `${changedAt.getTime()}-${size}` };
    }));
  }

  async #entries(folder: string): Promise<Deno.DirEntry[]> {
    try {
      return await Array.fromAsync(Deno.readDir(folder));
    } catch (error) {
      if (isMissing(error)) return [];
      throw this.#failed("read from", error);
    }
  }

  #failed(action: string, cause: unknown): ArchiveStoreError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new ArchiveStoreError(`Cannot ${action} ${this.name}: ${reason}`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
