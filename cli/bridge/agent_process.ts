/** The agent's process, with an editor at its streams. [agents 4f] */
import { LineSplitter } from "./lines.ts";

/** Who looks at the lines. */
export interface Between {
  fromEditor(line: Uint8Array): void;
  fromAgent(line: Uint8Array): void;
}

/** What a process is started with. */
export interface AgentProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Signals that a bridge passes on. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/** One writer to a stream, whose lines never mix. */
class LineWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #last: Promise<void> = Promise.resolve();

  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
    // Who waits for `written` hears of it; with nobody waiting it is no error of this process.
    this.#writer.closed.catch(() => {});
  }

  write(bytes: Uint8Array): void {
    this.#last = this.#writer.write(bytes);
    this.#last.catch(() => {});
  }

  /** Resolves when all is written; a reader that is slow is waited for. */
  get written(): Promise<void> {
    return this.#last;
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}

export class AgentProcess {
  readonly #child: Deno.ChildProcess;
  readonly #agent: LineWriter;
  readonly #editor: LineWriter;

  /** Starts it. @throws {Deno.errors.NotFound} there is no such program */
  constructor({ command, args, env }: AgentProcessOptions) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#agent = new LineWriter(this.#child.stdin);
    this.#editor = new LineWriter(Deno.stdout.writable);
  }

  readonly toAgent = (line: Uint8Array): void => this.#agent.write(line);
  readonly toEditor = (line: Uint8Array): void => this.#editor.write(line);

  /** Passes everything on until the agent has ended. @returns its exit code */
  async run(between: Between): Promise<number> {
    const passOn = SIGNALS.map((signal) => {
      const listener = () => this.#kill(signal);
      Deno.addSignalListener(signal, listener);
      return () => Deno.removeSignalListener(signal, listener);
    });
    try {
      void this.#passEditor(between);
      await this.#pass(this.#child.stdout, this.#editor, (line) => between.fromAgent(line))
        // An editor that reads no more is gone; the agent hears of it by its own streams.
        .catch(() => this.#child.stdout.cancel().catch(() => {}));
      const { code } = await this.#child.status;
      return code;
    } finally {
      for (const stop of passOn) stop();
    }
  }

  /** The end of the editor's stream is the end of the agent's. */
  async #passEditor(between: Between): Promise<void> {
    try {
      await this.#pass(Deno.stdin.readable, this.#agent, (line) => between.fromEditor(line));
      await this.#agent.close();
    } catch {
      // The agent reads no more: its exit code tells the rest.
    }
  }

  async #pass(
    from: ReadableStream<Uint8Array>,
    to: LineWriter,
    take: (line: Uint8Array) => void,
  ): Promise<void> {
    const lines = new LineSplitter();
    for await (const bytes of from) {
      for (const line of lines.push(bytes)) take(line);
      await to.written;
    }
    const rest = lines.rest();
    if (rest.length > 0) take(rest);
    await to.written;
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended already.
    }
  }
}
