/** A root folder with nothing in it but glibc, its loader and the executable. */
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
  private constructor(readonly path: string) {}

  /** @param executable is copied into it, as `/parley` */
  static async make(executable: string): Promise<EmptyRoot> {
    const root = new EmptyRoot(await Deno.makeTempDir({ prefix: "parley-root-" }));
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

  /** The arguments of `unshare` that run the executable there. */
  command(args: readonly string[]): Deno.Command {
    return new Deno.Command("unshare", {
      args: [
        ...[...NAMESPACES, ...AS_ROOT, `--mount-proc=${this.path}/proc`],
        ...["/usr/sbin/chroot", this.path, "/parley", ...args],
      ],
      env: { HOME: "/home" },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs a command to its end. */
  async run(...args: string[]): Promise<Ended> {
    return await ended(this.command(args));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
