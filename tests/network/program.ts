/** A program of this checkout on one machine of a network. */
import { waitUntil } from "../support/wait_until.ts";
import type { Machine } from "./machines.ts";

const ROOT = new URL("../..", import.meta.url);

/** The program, and all that it has printed. */
export class Program implements AsyncDisposable {
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  /** @param file TypeScript, from the root of the checkout */
  constructor(machine: Machine, file: string, args: readonly string[] = []) {
    this.#child = machine.command(Deno.execPath(), ["run", "-A", file, ...args], {
      cwd: ROOT,
      stderr: "inherit",
    }).spawn();
    const decoder = new TextDecoder();
    this.#read = this.#child.stdout.pipeTo(
      new WritableStream({
        write: (chunk) => {
          this.output += decoder.decode(chunk, { stream: true });
        },
      }),
    );
  }

  /** The first line that is so. */
  async line(is: (line: string) => boolean, timeoutMs = 30_000): Promise<string> {
    return await waitUntil(() => this.output.split("\n").slice(0, -1).find(is), {
      timeoutMs,
      describe: () => `a line; there are:\n${this.output}`,
    });
  }

  /** Asks it to end. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await Promise.all([this.#child.status, this.#read]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
