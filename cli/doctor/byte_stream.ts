/** A socket as bytes to be read one after the other, with a limit for the whole of it. */
import type { Duplex } from "node:stream";

/** Nothing came in time, or the other side ended the connection too early. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

/** Reads what a socket receives, in order. */
export class ByteStream {
  readonly #socket: Duplex;
  readonly #ended = Promise.withResolvers<void>();
  #chunks: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #end: Error | "ended" | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    const end = (reason: Error | "ended") => {
      this.#end ??= reason;
      this.#wake?.();
    };
    socket.on("error", end);
    socket.on("end", () => end("ended"));
    socket.on("close", () => {
      end("ended");
      this.#ended.resolve();
    });
  }

  /** The next bytes; undefined at the end. @throws what broke the connection */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks.shift();
    if (chunk === undefined && this.#end instanceof Error) throw this.#end;
    return chunk;
  }

  write(bytes: Uint8Array | string): void {
    if (this.#end === undefined) this.#socket.write(bytes);
  }

  /** Bytes that the network has not taken yet. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /** Ends the connection at once; what waits in {@link read} fails with `reason`. */
  async close(reason?: Error): Promise<void> {
    this.#end ??= reason ?? "ended";
    this.#wake?.();
    this.#socket.destroy();
    await this.#ended.promise;
  }
}

/** Runs `work` on a stream that is closed if it takes longer than `patience` milliseconds. */
export async function within<T>(
  patience: number,
  stream: ByteStream,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => {
    stream.close(new SilenceError(`No answer within ${patience / 1000} s`));
  }, patience);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
