/** Servers in processes of their own, as in reality. */
import manifest from "../deno.json" with { type: "json" };

const ROOT = new URL("..", import.meta.url).pathname;

/** Fields of Linux' `stat` behind the name of the program, counted from 0. */
const USER_TIME = 11;
const SYSTEM_TIME = 12;
/** Milliseconds of one unit of these. */
const CLOCK_TICK = 10;

/** A server that runs until it is disposed. */
export class ServerProcess implements AsyncDisposable {
  readonly url: URL;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, url: URL) {
    this.#child = child;
    this.url = url;
  }

  /** Runs Deno with these arguments; the first line that it prints has to hold its URL. */
  static async start(args: readonly string[]): Promise<ServerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let text = "";
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`Cannot run ${args.join(" ")}: it ended before it listened`);
      text += value;
    }
    await reader.cancel();
    const url = /https?:\/\/[\d.]+:\d+/.exec(text)?.[0];
    if (url === undefined) throw new Error(`Cannot find a URL in what the server said: ${text}`);
    return new ServerProcess(child, new URL(url));
  }

  /** A Parley on that data folder. */
  static parley(dataDir: string, flags: readonly string[] = []): Promise<ServerProcess> {
    return ServerProcess.start([
      ...serveCommand(),
      ...["--port", "0", "--data-dir", dataDir, "--log-level", "warning"],
      ...flags,
    ]);
  }

  /** The bare server of `bare.ts`. */
  static bare(): Promise<ServerProcess> {
    return ServerProcess.start(["run", "-A", "bench/bare.ts"]);
  }

  /** Milliseconds of processor time that it has taken; NaN where nobody tells (not Linux). */
  async cpu(): Promise<number> {
    const stat = await Deno.readTextFile(`/proc/${this.#child.pid}/stat`).catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * CLOCK_TICK;
  }

  /** Its resident memory, bytes. */
  async memory(): Promise<number> {
    const { pid } = this.#child;
    const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
    const linux = /^VmRSS:\s*(\d+) kB/m.exec(status)?.[1];
    if (linux !== undefined) return Number(linux) * 1024;
    const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", `${pid}`] })
      .output();
    return Number(new TextDecoder().decode(stdout).trim()) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

/**
 * How `deno task serve` runs Deno. `PARLEY_BENCH_FLAGS="--cpu-prof" deno task bench fan-out` adds to
 * that, here to get a profile.
 */
export function serveCommand(): string[] {
  const [, run, ...args] = manifest.tasks.serve.command.split(" ") as [string, string, ...string[]];
  const flags = Deno.env.get("PARLEY_BENCH_FLAGS")?.split(" ") ?? [];
  return [run, ...flags, ...args];
}
