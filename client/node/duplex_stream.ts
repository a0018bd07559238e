import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { ByteStream } from "../raw_socket.ts";

/** A stream of Node as a {@link ByteStream}: one reader, one writer, at their own pace. */
export class DuplexStream implements ByteStream {
  readonly #stream: Duplex;
  #rest: Uint8Array | undefined;
  #waiting: (() => void) | undefined;
  #error: Error | undefined;
  #isEnded = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const wake = () => this.#waiting?.();
    const ended = () => {
      this.#isEnded = true;
      wake();
    };
    stream.on("readable", wake).on("end", ended).on("close", ended);
    stream.on("error", (error) => {
      this.#error = error;
      ended();
    });
  }

  /** As {@link ByteStream.read}. */
  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    let bytes = this.#rest ?? this.#take();
    while (bytes === null) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded) return null;
      await new Promise<void>((resolve) => this.#waiting = resolve);
      bytes = this.#take();
    }
    const count = Math.min(bytes.length, into.length);
    into.set(bytes.subarray(0, count));
    this.#rest = count < bytes.length ? bytes.subarray(count) : undefined;
    return count;
  }

  /** As {@link ByteStream.write}; resolves once the network has taken all of it. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) return reject(this.#error ?? new Error("The connection has ended"));
      // The stream may keep what it is given; the caller may change it.
      this.#stream.write(
        bytes.slice(),
        (error) => error ? reject(error) : resolve(bytes.length),
      );
    });
  }

  /** As {@link ByteStream.close}. */
  close(): void {
    this.#stream.destroy();
  }

  #take(): Uint8Array | null {
    return this.#stream.read() as Buffer | null;
  }
}
