// deno-lint-ignore-file no-console -- a tool of the command line
/**
 * Makes `dist/parley`: one file for Linux that needs nothing but glibc. It unpacks itself once into
 * the user's cache, then runs. Where Deno's own runtime for executables can be downloaded,
 * `deno task compile` makes one for every system.
 */
import { bundleProgram } from "./package/bundle.ts";
import { compileLauncher } from "./package/launcher.ts";
import { libgcc, runtimeBytes } from "./package/runtime.ts";
import { contentHash, type PackedFile, writeSingleFile } from "./package/single_file.ts";
import { taskArguments } from "./task_arguments.ts";

const USAGE = "deno task package [--output dist/parley]";

/** What the package holds, in the launcher's names. */
async function packedFiles(): Promise<readonly PackedFile[]> {
  const bundle = await Deno.makeTempFile({ prefix: "parley-", suffix: ".js" });
  try {
    await bundleProgram(bundle);
    return [
      { name: "parley.js", bytes: await Deno.readFile(bundle) },
      await libgcc(),
      { name: "deno", bytes: await runtimeBytes() },
    ];
  } finally {
    await Deno.remove(bundle);
  }
}

/** Writes the executable to `output`; resolves with the hash that names its cache folder. */
export async function makePackage(output: string): Promise<string> {
  if (Deno.build.os !== "linux") {
    throw new Error(`The package is for Linux; on ${Deno.build.os} use "deno task compile"`);
  }
  const files = await packedFiles();
  const folder = output.slice(0, output.lastIndexOf("/") + 1);
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  await writeSingleFile(output, await compileLauncher(), files);
  return contentHash(files);
}

if (import.meta.main) {
  const output = taskArguments(USAGE, { values: ["output"] }).text("output") ?? "dist/parley";
  try {
    const hash = await makePackage(output);
    const { size } = await Deno.stat(output);
    console.log(`${output}: ${(size / 1e6).toFixed(1)} MB, contents ${hash.slice(0, 12)}`);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
