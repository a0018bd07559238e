/** A root folder with nothing in it but glibc, its loader and the executable. */
import type { Machine } from "../network/machines.ts";
import { type Ended, ended } from "./ended.ts";

/** What Deno's runtime takes from the system: glibc's parts. */
const LIBRARIES = ["libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0"];
const LIBRARY_FOLDER = `/lib/${Deno.build.arch}-linux-gnu`;
const LOADERS = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

/** Own mounts and processes; the runtime wants its `/proc`. What runs there ends with `unshare`. */
const NAMESPACES = ["--mount", "--pid", "--fork", "--kill-child=SIGTERM"];
const AS_ROOT = Deno.uid() === 0 ? [] : ["--map-root-user"];

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Why programs cannot be run in another root here; undefined when they can. */
export async function whyNoRoot(): Promise<string | undefined> {
  const tried = await new Deno.Command("unshare", {
    args: [...NAMESPACES, ...AS_ROOT, "--mount-proc", "chroot", "/", "true"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output().catch((error: Error) => error);
  if (tried instanceof Error) return `there is no "unshare": ${tried.message}`;
  if (tried.success) return undefined;
  return `no namespaces here: ${new TextDecoder().decode(tried.stderr).trim()}`;
}

/** The folder; gone at the end. */
export class EmptyRoot implements AsyncDisposable {
  private constructor(readonly path: string, readonly machine: Machine | undefined) {}

  /**
   * @param executable is copied into it, as `/parley`
   * @param machine where its programs run; this one if not given
   */
  static async make(executable: string, machine?: Machine): Promise<EmptyRoot> {
    const root = new EmptyRoot(await Deno.makeTempDir({ prefix: "parley-root-" }), machine);
    for (const folder of ["/proc", "/home", LIBRARY_FOLDER]) {
      await Deno.mkdir(root.path + folder, { recursive: true });
    }
    for (const library of LIBRARIES) {
      const path = `${LIBRARY_FOLDER}/${library}`;
      if (await exists(path)) await Deno.copyFile(path, root.path + path);
    }
    for (const loader of LOADERS) {
      if (!await exists(loader)) continue;
      await Deno.mkdir(root.path + loader.slice(0, loader.lastIndexOf("/")), { recursive: true });
      await Deno.copyFile(loader, root.path + loader);
    }
    await Deno.copyFile(executable, `${root.path}/parley`);
    return root;
  }

  /** The executable there. */
  command(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
    const unshare = [
      ...["unshare", ...NAMESPACES, ...AS_ROOT, `--mount-proc=${this.path}/proc`],
      ...["/usr/sbin/chroot", this.path, "/parley", ...args],
    ];
    const options: Deno.CommandOptions = {
      env: { HOME: "/home", ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    };
    return this.machine === undefined
      ? new Deno.Command("unshare", { ...options, args: unshare.slice(1) })
      : this.machine.command("unshare", unshare.slice(1), options);
  }

  /** Asks the executable that a {@link command} has started to end: `unshare` keeps signals from it. */
  async end(command: { readonly pid: number; readonly code: Promise<number> }): Promise<number> {
    const { pid } = command;
    const [child] = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).split(" ");
    Deno.kill(Number(child), "SIGTERM");
    return await command.code;
  }

  /** Runs a command to its end. */
  async run(...args: string[]): Promise<Ended> {
    return await ended(this.command(args));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
