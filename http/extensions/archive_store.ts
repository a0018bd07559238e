/** The port to where extensions are kept: files by key, `<id>/<version>.tar.gz` and `.json`. */

/** A file as a listing shows it. */
export interface StoredFile {
  readonly key: string;
  readonly changedAt: Date;
  /** Another one when the contents are others. */
  readonly tag: string;
}

/** Contents on their way. Who gets them reads or cancels the body. */
export interface OpenFile {
  readonly body: ReadableStream<Uint8Array>;
  readonly size: number;
}

export interface ArchiveStore {
  /** What it is, for people. */
  readonly name: string;
  /** Files of one extension, or all; in no order. @throws {ArchiveStoreError} */
  list(id?: string): Promise<StoredFile[]>;
  /** A small file as a text. @throws {ArchiveStoreError} also when there is none */
  read(key: string): Promise<string>;
  /** Undefined when there is none. @throws {ArchiveStoreError} */
  open(key: string): Promise<OpenFile | undefined>;
  /** Where a client can get the file by itself for a few minutes; undefined where it cannot. */
  link(key: string): Promise<string | undefined>;
  /** Stores a file, whole or not at all. @throws {ArchiveStoreError} */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
}

/** The store cannot be used for now. */
export class ArchiveStoreError extends Error {
  override readonly name = "ArchiveStoreError";
}
