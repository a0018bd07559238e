/** The command line of somebody with a local server: a home folder of his own, and nothing else. */
import { denoDir } from "./deno_dir.ts";
import { Printing } from "./printing.ts";

const ROOT = new URL("../..", import.meta.url);

/** How a command has ended. */
export interface Done {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** A home folder; gone at the end. */
export class LocalShell implements AsyncDisposable {
  private constructor(readonly home: string) {}

  static async open(): Promise<LocalShell> {
    return new LocalShell(await Deno.makeTempDir({ prefix: "parley-home-" }));
  }

  /**
   * The program, as another would start it.
   *
   * @param before the words of a command that runs another, such as on another machine
   */
  command(args: readonly string[], before: readonly string[] = []): Deno.Command {
    const [program, ...rest] = [
      ...before,
      ...[Deno.execPath(), "run", "-A", "--no-check", "main.ts", ...args],
    ];
    return new Deno.Command(program as string, {
      args: rest,
      cwd: ROOT,
      env: { HOME: this.home, DENO_DIR: denoDir, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Starts a command. */
  start(...args: string[]): Printing {
    return new Printing(this.command(args));
  }

  /** Runs a command to its end. */
  async run(...args: string[]): Promise<Done> {
    const { code, stdout, stderr } = await this.command(args).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout), errors: decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.home, { recursive: true });
  }
}
