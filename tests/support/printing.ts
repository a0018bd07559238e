/** A running program, and all that it has printed so far. */
import { waitUntil } from "./wait_until.ts";

/** A program that is ended with its test. */
export class Printing implements AsyncDisposable {
  output = "";
  errors = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;

  /** @param command with both outputs piped */
  constructor(command: Deno.Command) {
    this.#child = command.spawn();
    this.#read = Promise.all([
      text(this.#child.stdout, (text) => this.output += text),
      text(this.#child.stderr, (text) => this.errors += text),
    ]);
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Its exit code, once it has ended. */
  get code(): Promise<number> {
    return Promise.all([this.#child.status, this.#read]).then(([{ code }]) => code);
  }

  /** The first line that is so. */
  async line(is: (line: string) => boolean): Promise<string> {
    return await this.#until(() => this.output.split("\n").slice(0, -1).find(is));
  }

  /** What a pattern finds in its output. */
  async match(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#until(() => pattern.exec(this.output));
  }

  /** What a pattern finds in its errors, which come by a way of their own. */
  async matchErrors(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#until(() => pattern.exec(this.errors));
  }

  /** Asks it to end; its exit code. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    return await this.code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  async #until<T>(found: () => T | undefined | null) {
    return await waitUntil(found, {
      describe: () => `what a program prints; it has printed:\n${this.output}\n${this.errors}`,
    }) as T;
  }
}

async function text(stream: ReadableStream<Uint8Array>, take: (text: string) => void) {
  const decoder = new TextDecoder();
  const write = (chunk: Uint8Array) => take(decoder.decode(chunk, { stream: true }));
  await stream.pipeTo(new WritableStream({ write }));
}
