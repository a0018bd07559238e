/** Compiles `launcher.c`, statically: what it unpacks is all that it needs. */
import { fromFileUrl } from "./paths.ts";

const SOURCE = fromFileUrl(new URL("launcher.c", import.meta.url));

/** What every start of the runtime gets. */
const RUNTIME_ARGUMENTS: readonly string[] = [
  "run",
  "--quiet",
  "--allow-all",
  // The program is complete: no file beside it and nothing on the network may change it.
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  // As in the serve task: decision 0008.
  "--v8-flags=--max-semi-space-size=4",
];

/** The compiler: `CC`, else `cc`. */
function compiler(): string {
  return Deno.env.get("CC") ?? "cc";
}

/** The launcher's bytes. Fails with the compiler's words, or when there is none. */
export async function compileLauncher(): Promise<Uint8Array> {
  const output = await Deno.makeTempFile({ prefix: "parley-launcher-" });
  const cArguments = RUNTIME_ARGUMENTS.map((argument) => JSON.stringify(argument)).join(",");
  try {
    const { success, stderr } = await new Deno.Command(compiler(), {
      args: [
        ...["-Os", "-s", "-static", "-std=c11", "-Wall", "-Wextra"],
        ...[`-DRUNTIME_ARGUMENTS=${cArguments}`, "-o", output, SOURCE],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      throw new Error(`${SOURCE} did not compile: ${new TextDecoder().decode(stderr).trim()}`);
    }
    return await Deno.readFile(output);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `There is no C compiler "${compiler()}": install gcc or clang with the static C library ` +
        "(Debian: gcc libc6-dev), or name one in CC",
      { cause: error },
    );
  } finally {
    await Deno.remove(output);
  }
}
